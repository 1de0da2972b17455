"""A keeper that is killed, and units that crash or do not stop: no gap, no second process, nothing left."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipway.runtimes import health
from tests.contract.host import eventually
from tests.contract.site import Site, built_site, commands, log_of, needs_programs, stopped_afterwards

DEAF = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.run([sys.executable, "-c", "import time; time.sleep(600)  # a deaf child", __file__])
"""


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


def test_a_process_that_died_is_started_again(shop: Site) -> None:
    worker = shop.unit("r1", "worker")
    shop.start(worker)
    pid = shop.pid(worker)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: shop.pid(worker) not in (0, pid))
    eventually(lambda: shop.running() == {("worker", "r1")})


def test_a_unit_that_does_not_stop_is_killed_with_its_children(shop: Site) -> None:
    (Path(shop.layout.source("r2")) / "deaf.py").write_text(DEAF)
    unit = shop.unit("r2", "worker", cmd="python deaf.py", stop_s=1.0)
    for action in shop.runtime._unit_files(unit):
        shop.host.run(action)
    shop.start(unit)
    assert sum("deaf" in words for words in commands(shop.host)) == 2
    shop.stop(unit)
    assert not [words for words in commands(shop.host) if "deaf" in words]
    for action in shop.runtime._unit_files(shop.unit("r2", "worker")):
        shop.host.run(action)


def test_a_crash_loop_is_not_healthy_and_shows_its_log(shop: Site) -> None:
    for role, cmd in (("worker", "python -c 'raise SystemExit(\"no broker\")'"), ("web", "python no_such_file.py")):
        unit = shop.unit("r2", role, cmd=cmd, health=None)
        for action in shop.runtime._unit_files(unit):
            assert shop.host.run(action).ok
        (step,) = shop.runtime.start_steps(unit)
        assert shop.host.run(step.do[0]).ok
        result = shop.host.run(step.do[1])
        assert not result.ok
        assert "stay up" in health.parse(result).cause
        assert ("no broker" if role == "worker" else "no_such_file") in result.said
        shop.host.undo(step)
        for action in shop.runtime._unit_files(shop.unit("r2", role)):
            assert shop.host.run(action).ok
    assert shop.running() == set()
