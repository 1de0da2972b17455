"""Units that crash or do not stop, with each keeper: nothing is left of them, and they are not taken for healthy."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipway.runtimes import health
from tests.contract.host import eventually
from tests.contract.site import KEEPERS, Site, built_site, commands, needs_programs, stopped_afterwards

DEAF = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.run([sys.executable, "-c", "import time; time.sleep(600)  # a deaf child", __file__])
"""

pytestmark = needs_programs


@pytest.fixture(scope="module", params=KEEPERS)
def built(request: pytest.FixtureRequest) -> Iterator[Site]:
    with built_site(request.param) as site:
        yield site


@pytest.fixture
def shop(built: Site) -> Iterator[Site]:
    with stopped_afterwards(built) as site:
        yield site


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
