from __future__ import annotations

import json
from pathlib import Path

import pytest

from shipway.runtimes.docker.diagnosis_script import Answer, Seen, likely_cause, told

CASES = json.loads((Path(__file__).parent / "diagnosis.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_likely_cause(case: dict[str, object]) -> None:
    seen = Seen(**{"status": "restarting", "exit_code": 1, "restarts": 2, **case.get("seen", {})})  # type: ignore[dict-item]
    cause = likely_cause(seen, case.get("log", []), Answer(**case.get("answer", {})), 8000)  # type: ignore[arg-type]
    assert [word for word in case["says"] if word not in cause] == [], cause  # type: ignore[union-attr]


def test_a_report_ends_with_the_cause_and_holds_the_evidence() -> None:
    seen = Seen("exited", exit_code=137, is_oom=True, error="killed")
    text = told(seen, [f"line {n}" for n in range(80)], Answer(status=503, body="not  now\n"), "it failed")
    lines = text.splitlines()
    assert lines[-1].startswith("it failed: it used more memory")
    assert "line 79" in lines
    assert "line 29" not in lines
    assert "exit code 137" in lines[-3]
    assert "OOMKilled yes" in lines[-3]
    assert lines[-2] == "health: 503 not now"


def test_waiting_helps_while_it_may_come_up() -> None:
    assert not Seen("restarting", restarts=1).is_lost
    assert Seen("restarting", restarts=2).is_lost
    assert Seen("exited").is_lost
    assert Seen().is_lost
    assert not Seen("running").is_lost
