"""Tests on real servers. Without a lab they are skipped with one line; with CI=true that is a failure."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.fixtures import Lab, missing, open_lab
from tests.lab.shell import LabError


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.lab)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The lab that runs, or one of two servers."""
    reason = missing()
    if reason and os.environ.get("CI") == "true":
        pytest.fail(f"nothing was tested on servers, and CI must: {reason}", pytrace=False)
    if reason:
        pytest.skip(f"nothing was tested on servers: {reason}")
    try:
        yield open_lab()
    except LabError as problem:
        pytest.fail(f"{problem}\nnext: {problem.next}", pytrace=False)
