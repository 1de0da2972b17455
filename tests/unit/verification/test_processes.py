"""Restarts, memory, and exactly one scheduler."""

import re
from dataclasses import replace

import pytest

from shipway.core.unit import Unit
from shipway.core.vital import HostVitals, Vital
from shipway.verification.processes import SCHEDULERS, Running, SchedulerRole, judge_restarts, judge_scheduler

UNIT = Unit("shop", "web", "web-1", "r2", "v")
GOOD = Vital("web", "r2", "shop-web-r2", is_running=True, pid=7, pids=(7,), started_at=1000.0, memory_bytes=90_000_000)
CASES = {
    "good": (GOOD, "passed", ""),
    "not there": (None, "failed", "web on web-1 is not there"),
    "ended": (replace(GOOD, is_running=False, said="exited with 137, out of memory"), "failed", "exited with 137"),
    "began before it was proven": (replace(GOOD, started_at=1001.0, restarts=2), "passed", ""),
    "began again": (replace(GOOD, started_at=1060.0, restarts=3), "failed", "was started again, 3 times"),
    "children killed": (replace(GOOD, oom_kills=2), "failed", "2 processes of web on web-1 were killed"),
    "too much memory": (replace(GOOD, memory_bytes=300_000_000), "failed", "used 300 MB of memory, more than 200 MB"),
}


@pytest.mark.parametrize(("vital", "state", "what"), CASES.values(), ids=CASES)
def test_what_a_process_tells(vital: Vital | None, state: str, what: str) -> None:
    answer = judge_restarts([Running(UNIT, vital, 1000.0)], memory_mb=200)
    assert answer.state == state
    assert what in answer.what


BEGAN = {
    "by its keeper, which counts": (1, 0.0, "failed"),
    "by a person": (0, 0.0, "passed"),
    "with its host": (0, 1030.0, "passed"),
    "by a keeper that does not count": (-1, 0.0, "failed"),
    "with its host, by a keeper that does not count": (-1, 1030.0, "passed"),
}


@pytest.mark.parametrize(("restarts", "booted_at", "state"), BEGAN.values(), ids=BEGAN)
def test_who_started_it_again(restarts: int, booted_at: float, state: str) -> None:
    vital = replace(GOOD, started_at=1060.0, restarts=restarts)
    assert judge_restarts([Running(UNIT, vital, 1000.0, booted_at)]).state == state


def test_without_a_record_of_its_start_nothing_is_a_restart() -> None:
    assert judge_restarts([Running(UNIT, replace(GOOD, started_at=9999.0, restarts=4))]).state == "passed"


BEAT = SchedulerRole("beat", "celery -A shop beat", ("web-1",))
CLOCK = SchedulerRole("clock", "python manage.py clock", ("web-1",))


def host(*watched: tuple[str, str], roles: tuple[str, ...] = ()) -> HostVitals:
    return HostVitals("web-1", tuple(Vital(r, "r2", f"shop-{r}-r2", is_running=True) for r in roles), watched)


ONE = ("celery beat", "shop-beat-r2")
COUNTS = {
    "one": ([BEAT], [host(ONE), host()], "passed", ""),
    "none": ([BEAT], [host(), host()], "failed", "no scheduler ran"),
    "two hosts": ([BEAT], [host(ONE), host(ONE)], "failed", "shop-beat-r2 on web-1, shop-beat-r2 on web-2"),
    "one by hand": ([BEAT], [host(ONE, ("celery beat", "")), host()], "failed", "that no unit has started"),
    "of another release": ([BEAT], [host(ONE, ("celery beat", "shop-beat-r1"))], "failed", "2 schedulers ran"),
    "two roles, two schedules": ([BEAT, replace(BEAT, name="b2")], [host(ONE, ("celery beat", "b2"))], "passed", ""),
    "in every worker": ([], [host(("celery beat", "w")), host(("celery beat", "w"))], "failed", "2 schedulers ran"),
    "one of its own kind": ([CLOCK], [host(roles=("clock",)), host()], "passed", ""),
    "two of its own kind": ([CLOCK], [host(roles=("clock",)), host(roles=("clock",))], "failed", "`clock`"),
    "nobody keeps a schedule": ([], [host()], "skipped", ""),
}


@pytest.mark.parametrize(("roles", "hosts", "state", "what"), COUNTS.values(), ids=COUNTS)
def test_schedulers(roles: list[SchedulerRole], hosts: list[HostVitals], state: str, what: str) -> None:
    answer = judge_scheduler(roles, {f"web-{n}": vitals for n, vitals in enumerate(hosts, 1)})
    assert answer.state == state, answer
    assert what in answer.what


def test_a_host_that_is_silent_is_no_zero() -> None:
    assert "web-2" in judge_scheduler([BEAT], {"web-1": host(ONE), "web-2": None}).what


LINES = {
    "/venv/bin/python /venv/bin/celery -A shop beat -l info": True,
    "celery -A shop worker -B": True,
    "celery -A shop worker --beat -c 2": True,
    "celery -A shop worker -c 2": False,
    "celery -A shop worker -Q beat-box": False,
    "celery -A shop worker -Q beat": False,
    "[celery beat] (-A shop beat)": True,
    "python manage.py rqscheduler": True,
    "python -m gunicorn shop.wsgi": False,
    "sh -c celery -A shop worker; echo beat": False,
}


@pytest.mark.parametrize(("line", "is_scheduler"), LINES.items())
def test_command_lines_of_schedulers(line: str, *, is_scheduler: bool) -> None:
    assert any(re.search(pattern, line) for pattern in SCHEDULERS.values()) is is_scheduler
