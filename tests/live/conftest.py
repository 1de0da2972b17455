"""The real command against real processes of this machine: supervisor, Caddy, gunicorn, SQLite.

Everything of one test process shares a state directory, so packages are fetched once; a site is one service in it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.machine import Machine, new_machine
from tests.live.site import Site, new_site


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if sys.platform != "linux":
        for item in items:
            item.add_marker(pytest.mark.skip(reason="reads /proc to see what runs"))


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    with new_machine() as made:
        yield made


@pytest.fixture(scope="session")
def deployed(machine: Machine) -> Site:
    """One site, deployed once. Ask for `site` instead."""
    site = new_site(machine, "harbor")
    ran = site.deploy()
    assert ran.code == 0, ran.text
    return site


@pytest.fixture
def site(deployed: Site, tmp_path: Path) -> Iterator[Site]:
    """The deployed site with a project of the test's own. What the test leaves must be what it found: r1 serves."""
    deployed.assert_serves("r1")
    before = deployed.trace()
    yield deployed.clone(tmp_path / "project")
    deployed.assert_serves("r1")
    assert deployed.trace() == before


@pytest.fixture(scope="session")
def _moving() -> list[Site]:
    return []


@pytest.fixture
def moving(machine: Machine, _moving: list[Site], tmp_path: Path) -> Site:
    """A site that goes from release to release, with a project of the test's own. A test that breaks it ends it."""
    if not _moving or not _moving[-1].is_whole():
        _moving.append(new_site(machine, f"moving{len(_moving)}"))
        ran = _moving[-1].deploy()
        assert ran.code == 0, ran.text
    return _moving[-1].clone(tmp_path / "project")
