"""What a host says of processes: good answers, and others."""

import json

import pytest

from shipway.core.ports import Result
from shipway.runtimes.vitals import parse_vitals, question

UNIT = {
    "role": "web", "release": "r2", "name": "shop-web-r2", "machine": "c0ffee", "running": True, "pid": 7,
    "pids": [7, 8], "started": 9.5, "restarts": 1, "oom_kills": 0, "memory": 5, "limit": 0,
}  # fmt: skip


def told(body: object) -> Result:
    return Result(0, f"noise\nSHIPWAY VITALS {json.dumps(body)}\n".encode())


def test_values_come_back() -> None:
    found = parse_vitals(told({"machine": "web-1", "now": 10, "units": [UNIT], "watched": [["celery beat", ""]]}))
    assert (found.machine, found.watched, found.now) == ("web-1", (("celery beat", ""),), 10.0)
    vital = found.of("web", "r2")
    assert (vital.pids, vital.started_at, vital.restarts, vital.machine) == ((7, 8), 9.5, 1, "c0ffee")
    assert found.of("web", "r1") is None


def test_of_two_the_one_that_runs_counts() -> None:
    found = parse_vitals(told({"units": [{**UNIT, "running": False}, UNIT, {**UNIT, "running": False}]}))
    assert found.of("web", "r2").is_running


@pytest.mark.parametrize("body", [[], 7, None, "x"])
def test_what_is_no_answer_is_none(body: object) -> None:
    assert parse_vitals(told(body)) is None
    assert parse_vitals(Result(1, b"sh: python3: not found")) is None
    assert parse_vitals(Result(0, b"SHIPWAY VITALS {", truncated=True)) is None


def test_values_of_another_kind_count_as_unknown() -> None:
    (vital,) = parse_vitals(told({"units": [{"role": 7, "pid": "x", "running": "yes", "memory": True}]})).units
    assert (vital.role, vital.pid, vital.is_running, vital.memory_bytes) == ("", 0, False, -1)


def test_the_question_is_one_word() -> None:
    asked = json.loads(question("docker", {"beat": r"\bbeat\b"}, service="shop", destination=""))
    assert asked == {"kind": "docker", "watched": {"beat": r"\bbeat\b"}, "service": "shop", "destination": ""}
