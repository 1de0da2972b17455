"""supervisor that is killed: no gap, no second process, nothing left."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.host import eventually
from tests.contract.site import Site, built_site, commands, log_of, needs_programs, stopped_afterwards

pytestmark = needs_programs


@pytest.fixture(scope="module")
def built() -> Iterator[Site]:
    with built_site() as site:
        yield site


@pytest.fixture
def shop(built: Site) -> Iterator[Site]:
    with stopped_afterwards(built) as site:
        yield site


def test_an_orphan_of_a_killed_keeper_is_adopted(shop: Site) -> None:
    web, worker = shop.unit("r1"), shop.unit("r1", "worker")
    shop.start(web)
    shop.start(worker)
    before = shop.pid(web), shop.pid(worker)
    os.kill(shop.keeper_pid(), signal.SIGKILL)
    keeper = shop.runtime.host_steps()[-1]
    eventually(lambda: not shop.host.ok(keeper.done))
    assert "ok" in shop.get(web, "/up"), "what was started goes on without its keeper"
    assert shop.host.step(keeper)
    eventually(lambda: sum("clean-keep" in words for words in shop.host.processes().values()) == 2)
    assert (shop.pid(web), shop.pid(worker)) == before, "the same processes, and no second ones"
    assert sum("worker.py" in words for words in commands(shop.host)) == 1
    shop.stop(worker)
    shop.stop(web)
    assert shop.running() == set()
    assert "worker finished its task" in log_of(shop, worker), "the signal reached it through its watcher"
    assert not [words for words in shop.host.processes().values() if "clean-keep" in words]


def test_a_unit_is_stopped_though_its_keeper_is_dead(shop: Site) -> None:
    worker = shop.unit("r1", "worker")
    shop.start(worker)
    os.kill(shop.keeper_pid(), signal.SIGKILL)
    shop.stop(worker)
    assert shop.running() == set()
    assert "worker finished its task" in log_of(shop, worker)
    for step in shop.runtime.host_steps():
        shop.host.step(step)
    assert shop.running() == set(), "a keeper that comes back does not start it again"


def test_starting_needs_no_keeper_that_is_up(shop: Site) -> None:
    os.kill(shop.keeper_pid(), signal.SIGKILL)
    shop.start(shop.unit("r2"))
    assert shop.running() == {("web", "r2")}


def test_a_unit_keeps_its_end_of_the_keepers_pipe(shop: Site) -> None:
    """Without a reader of that pipe supervisord can poll it in a loop that takes a whole core."""
    worker = shop.unit("r1", "worker")
    shop.start(worker)
    assert str(Path(f"/proc/{shop.pid(worker)}/fd/8").readlink()).startswith("pipe:")
