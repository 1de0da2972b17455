"""Tests on real servers. Without a lab they are skipped with one line; with CI=true that is a failure."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.fault_site import FaultSite, fault_site
from tests.lab.fixtures import Lab, missing, open_lab
from tests.lab.shell import LabError


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.lab)


@functools.cache
def reason() -> str | None:
    return missing()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Here and not in the fixture, so that all the skipped ones are one line of the summary."""
    if "lab" not in getattr(item, "fixturenames", ()) or reason() is None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"nothing was tested on servers, and CI must: {reason()}", pytrace=False)
    pytest.skip(f"nothing was tested on servers: {reason()}")


@pytest.fixture(scope="session")
def lab() -> Lab:
    """The lab that runs, or one of two servers."""
    try:
        return open_lab()
    except LabError as problem:
        return pytest.fail(f"{problem}\nnext: {problem.next}", pytrace=False)


@pytest.fixture(scope="session")
def _shop(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultSite]:
    with fault_site(lab, tmp_path_factory.mktemp("shop")) as made:
        yield made


@pytest.fixture
def shop(_shop: FaultSite, tmp_path: Path) -> FaultSite:
    """The site that faults are made on, whole, with a project and a home of the test's own."""
    _shop.serving()
    return _shop.clone(tmp_path)
