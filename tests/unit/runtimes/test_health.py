from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from shipway.core.ports import Result
from shipway.core.unit import HealthCheck
from shipway.runtimes import health
from shipway.runtimes.health_script import final_status, likely_cause


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        ({"status": 400, "host": "shop.example"}, "`shop.example` is probably not in ALLOWED_HOSTS"),
        ({"status": 301, "location": "https://shop.example/up"}, "SECURE_SSL_REDIRECT"),
        ({"status": 302, "location": "/login"}, "redirected to /login"),
        ({"status": 404, "path": "/up"}, "there is no `/up`"),
        ({"status": 403, "path": "/{up}"}, "`/{up}` is forbidden"),
        ({"status": 500}, "exception"),
        ({"status": 599}, "exception"),
        ({"status": 206}, "206"),
        ({"error": "refused: no"}, "did not start to listen"),
        ({"error": "no_socket: x"}, "did not start to listen"),
        ({"error": "timeout: x"}, "did not answer in time"),
        ({"error": "ended: x"}, "did not stay up"),
        ({"error": "broken: x"}, "HTTP"),
        ({"error": "something new"}, ""),
        ({}, ""),
        ({"status": "400"}, ""),
    ],
)
def test_each_answer_has_its_likely_cause(answer: dict[str, object], part: str) -> None:
    cause = likely_cause(answer)
    assert part in cause
    assert bool(part) == bool(cause)


@pytest.mark.parametrize(
    "stdout",
    [
        b"",
        b"not json",
        b"[1]",
        b"{",
        b"null\n",
        b'{"ok": "yes"}',
        b'{"ok": 1, "status": 200}',
        b"\xff\xfe{",
        b'{"ok": true, "pad": "' + b"x" * 100_000 + b'"}',
    ],
)
def test_an_answer_that_cannot_be_read_is_not_healthy(stdout: bytes) -> None:
    assert not health.parse(Result(0, stdout)).ok


def test_an_answer_is_bounded_and_read_strictly() -> None:
    body = {"ok": True, "status": 200, "body": "b" * 5000, "location": 7, "error": None, "attempts": "3", "waited_s": 1}
    report = health.parse(Result(0, json.dumps(body).encode()))
    assert (report.ok, report.status, len(report.body), report.attempts, report.waited_s) == (True, 200, 300, 0, 1.0)
    assert report.cause == ""


def test_ok_with_a_bad_exit_status_is_not_healthy() -> None:
    assert not health.parse(Result(1, b'{"ok": true, "status": 200}')).ok
    assert "did not end" in health.parse(Result(137, b"", timed_out=True)).cause


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked = f"{self.headers['Host']} {self.headers.get('X-Forwarded-Proto')} {self.path}"
        self.send_response({"/up": 200, "/nowhere": 404}.get(self.path, 500))
        self.end_headers()
        self.wfile.write(asked.encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def address() -> Iterator[str]:
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def ask(target: health.Target, check: HealthCheck) -> tuple[Result, health.HealthReport]:
    argv = [sys.executable, "-I", "-S", "-", health.question(target, check)]
    done = subprocess.run(argv, input=health.script().encode(), capture_output=True, check=False, timeout=30)
    result = Result(done.returncode, done.stdout, done.stderr)
    return result, health.parse(result)


def test_the_script_asks_as_a_proxy_would(address: str) -> None:
    check = HealthCheck(path="/up", host="shop.example", https=True, limit_s=5)
    result, report = ask(health.Target(address=address), check)
    assert result.ok
    assert report.ok
    assert report.body == "shop.example https /up"


def test_an_answer_that_settings_decide_is_not_waited_for_longer(address: str) -> None:
    _, report = ask(health.Target(address=address), HealthCheck(path="/nowhere", limit_s=60, interval_s=0.5))
    assert not report.ok
    assert report.waited_s < 60
    assert report.status == 404
    assert "django.health" in report.cause


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"status": 400}, 400),
        ({"status": 301}, 301),
        ({"status": 429}, 0),
        ({"status": 503}, 0),
        ({"status": 204}, 0),
        ({"error": "refused: no"}, 0),
    ],
)
def test_which_answers_settings_decide(answer, status) -> None:
    assert final_status(answer) == status


def test_the_script_tells_what_was_wrong(address: str, tmp_path) -> None:
    (tmp_path / "unit.log").write_bytes(b"old\n" * 10_000 + b"Traceback: \xff no table\n")
    check = HealthCheck(path="/broken", limit_s=0.1)
    result, report = ask(health.Target(address=address, log=("cat", str(tmp_path / "unit.log"))), check)
    assert not report.ok
    assert report.status == 500
    assert result.stdout.count(b"\n") == 1
    assert "no table" in result.said
    assert len(result.stderr) < 20_000


@pytest.mark.parametrize("target", [health.Target(socket="/nonexistent/s"), health.Target(address="127.0.0.1:1")])
def test_nobody_listening_is_a_failure_that_ends(target: health.Target) -> None:
    _, report = ask(target, HealthCheck(limit_s=1.0))
    assert not report.ok
    assert report.attempts >= 2
    assert "did not start" in report.cause


def test_a_unit_without_an_address_must_stay_the_same_process() -> None:
    check = HealthCheck(limit_s=5, interval_s=0.05)
    _, steady = ask(health.Target(alive=("echo", "7"), steady_s=0.2), check)
    assert steady.ok
    _, looping = ask(health.Target(alive=("date", "+%N"), steady_s=0.2), check)
    assert not looping.ok
    assert "stay up" in looping.cause


def test_a_question_that_cannot_be_read_is_said() -> None:
    argv = [sys.executable, "-I", "-S", "-", "not json"]
    done = subprocess.run(argv, input=health.script().encode(), capture_output=True, check=False, timeout=30)
    assert done.returncode == 2
