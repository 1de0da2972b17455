"""Requests counted from an access log, by the script that runs on hosts."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shipway.core.ports import Result
from shipway.proxies.traffic import Moment, Traffic, count_requests, parse_traffic

MOMENT = Moment(ago_s=60, window_s=600, skip_s=10, own="shipway-verify")


def counted(path: Path, moment: Moment = MOMENT) -> object:
    command = count_requests(sys.executable, str(path), moment)
    done = subprocess.run(
        command.argv, input="".join(map(str, command.stdin)).encode(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return parse_traffic(Result(0, done.stdout))


def line(ago_s: float, status: int = 200, took_s: float = 0.04, agent: str = "Firefox") -> str:
    return (
        json.dumps({"ts": time.time() - ago_s, "status": status, "duration": took_s, "request_user-agent": agent})
        + "\n"
    )


def test_before_and_since_a_moment(tmp_path: Path) -> None:
    log = tmp_path / "site.log"
    log.write_text(
        line(700)  # too long ago
        + line(300)
        + line(300, 502)
        + line(62, 404)
        + line(55, took_s=20)  # begun before
        + line(55)  # while the new process warms up
        + line(30, 500, 0.5)
        + line(20, agent="shipway-verify")
        + line(20, 0)  # given up by the visitor
        + line(20, 101, 3)
        + line(5)
        + '{"level": "info", "msg": "torn'
        + "\n[]\n\n"
        + json.dumps({"ts": "now", "status": 200, "duration": 1})
    )
    found = counted(log)
    assert found is not None
    assert (found.before.requests, found.before.errors) == (4, 1)
    assert (found.since.requests, found.since.errors) == (2, 1)
    assert found.since.quantile_ms(0.5) == pytest.approx(40, rel=0.25)
    assert found.since.quantile_ms(1.0) == pytest.approx(500, rel=0.25)


def test_a_log_that_is_not_there_is_not_counted(tmp_path: Path) -> None:
    assert counted(tmp_path / "none.log") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"before": 1, "since": 2}',
        '{"before": {"requests": "x", "errors": 0, "times": {}}, "since": {}}',
    ],
)
def test_answers_that_are_none(text: str) -> None:
    assert parse_traffic(Result(0, text.encode())) is None


def test_what_a_host_says_is_bounded() -> None:
    part = {"requests": 5, "errors": 9, "times": {"3": 5, "-1": 1, "x": 2, "100000": 1, "4": "x"}}
    found = parse_traffic(Result(0, json.dumps({"before": part, "since": part}).encode()))
    assert found is not None
    assert found.since == Traffic(5, 5, {3: 5})
