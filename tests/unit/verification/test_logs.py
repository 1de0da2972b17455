"""Errors in logs: their kinds, what is new, and storms."""

import re

import pytest

from shipway.verification.logs import Window, errors_in, judge_logs, judge_storm, level_of

TRACE = """\
Internal Server Error: /ships/5/
Traceback (most recent call last):
  File "/app/ships/views.py", line 12, in show
    return ships[5]
           ~~~~~^^^
KeyError: 5
"""
DJANGO = TRACE.replace("Internal", "2026-11-22 10:00:05,000 ERROR django.request Internal")
CHAINED = "\nDuring handling of the above exception, another exception occurred:\n\n"
CELERY = """\
[2026-11-22 10:00:01,001: ERROR/ForkPoolWorker-1] Task shop.mail[6fa459ea-ee8a-3ca4-894e-db77e160355e] raised unexpected
Traceback (most recent call last):
  File "/app/shop/tasks.py", line 3, in mail
smtplib.SMTPServerDisconnected: Connection unexpectedly closed
[2026-11-22 10:00:02,001: INFO/MainProcess] Task shop.mail[6fa459ea-ee8a-3ca4-894e-db77e160355e] received
"""
COUNTS = {
    "a traceback": (TRACE, 1, 1),
    "with a line of its own": (DJANGO, 1, 1),
    "the same with other numbers": (TRACE + TRACE.replace("5", "77"), 2, 1),
    "of a task": (CELERY, 1, 1),
    "chained": (TRACE + CHAINED + TRACE.replace("Key", "Type"), 2, 2),
    "JSON": ('{"level": "error", "event": "no ship 7"}\n{"level": "info", "event": "ERROR page shown"}', 1, 1),
    "access log": ('INFO:     10.0.0.1:0 - "GET /ERROR HTTP/1.1" 404 Not Found', 0, 0),
    "a word in a sentence": ("2026-11-22 INFO retried after ERROR 7", 0, 0),
    "cut off": ("ERROR: x\nTraceback (most recent call last):\n  File 'x'", 1, 1),
    "two in a row": ("ERROR a\nERROR b\n", 2, 2),
    "who scans the internet": ("ERROR Invalid HTTP_HOST header: '10.0.0.1'. You may need to add it.", 0, 0),
    "nothing": ("", 0, 0),
}  # fmt: skip


@pytest.mark.parametrize(("text", "total", "kinds"), COUNTS.values(), ids=COUNTS)
def test_errors_are_counted_by_kind(text: str, total: int, kinds: int) -> None:
    found = errors_in(text)
    assert (found.total, len(found.counts)) == (total, kinds), found


def test_what_is_allowed_is_no_error() -> None:
    assert errors_in("ERROR known trouble 1\nERROR other", [re.compile("known trouble")]).total == 1


LEVELS = {
    "[2026-11-22 10:00:00 +0000] [7] [ERROR] Worker failed": "ERROR",
    "CRITICAL:root:x": "CRITICAL",
    "/srv/ERROR/x": "",
    "error: small": "",
    '{"severity": "Critical"}': "CRITICAL",
}


@pytest.mark.parametrize(("line", "level"), LEVELS.items())
def test_levels(line: str, level: str) -> None:
    assert level_of(line) == level


def test_only_what_is_new_is_told() -> None:
    old = "ERROR could not reach 10.0.0.7 after 3 tries\n"
    same = Window("web on a", old.replace("7", "9"), old, has_before=True)
    assert judge_logs([same], {}).state == "passed"
    fresh = judge_logs([Window("web on a", old + TRACE, old, has_before=True)], {})
    assert fresh.what == "web on a had 1 kinds of errors that the release before did not have"
    assert "KeyError" in "".join(fresh.evidence)
    assert judge_logs([Window("web on a", TRACE)], {}).state == "passed", "nothing to compare with"


def test_patterns() -> None:
    window = Window("web on a", "fine\nDeadlock found 1\nDeadlock found 2\n")
    answer = judge_logs([window], {"deadlocks": re.compile("Deadlock")})
    assert answer.what == "2 lines of web on a match `deadlocks`"


STORMS = {
    "quiet": (0, 0, "passed"),
    "a few": (9, 0, "passed"),
    "many": (10, 0, "failed"),
    "as many as ever": (30, 300, "passed"),
    "many more than ever": (60, 60, "failed"),
}


@pytest.mark.parametrize(("now", "before", "state"), STORMS.values(), ids=STORMS)
def test_a_storm_is_many_and_many_more(now: int, before: int, state: str) -> None:
    window = Window("web on a", "ERROR x\n" * now, "ERROR x\n" * before, seconds=60, before_s=600, has_before=True)
    assert judge_storm([window]).state == state
