"""How an error reads, for a person and for a program."""

import json

import pytest

from shipway.cli.render.error import render_error, render_error_json
from shipway.cli.render.text import Paint
from shipway.core.errors import ConfigError, Exit, Finding, Interrupted, ShipwayError, StepFailed

FAILED = StepFailed(
    "step.failed",
    "could not start web r42 on web-2",
    ended=Exit.UNDONE,
    where='stage 3 of 4 "Start r42", web-2/start-web-r42',
    said="\n".join(["line 0", *(f"line {n}" for n in range(1, 12))]),
    now="everything was taken back, r41 serves",
    next="`shipway audit` shows the run",
)
FAILED_TEXT = """\
error[step.failed]: could not start web r42 on web-2
  where  stage 3 of 4 "Start r42", web-2/start-web-r42
  said   line 2
         line 3
         line 4
         line 5
         line 6
         line 7
         line 8
         line 9
         line 10
         line 11
  now    everything was taken back, r41 serves
  next   `shipway audit` shows the run
"""
INVALID = ConfigError(
    "config.invalid",
    "config/deploy.yml has 2 mistakes",
    findings=(
        Finding("config.unknown_key", "`servces` is no key", "config/deploy.yml:3", "did you mean `servers`?"),
        Finding("config.odd", "`retain` is large", level="warning"),
    ),
)
INVALID_TEXT = """\
error[config.invalid]: config/deploy.yml has 2 mistakes
  error[config.unknown_key]: `servces` is no key
    where  config/deploy.yml:3
    next   did you mean `servers`?
  warning[config.odd]: `retain` is large
"""
SHORT = Interrupted("run.interrupted", "stopped on request")


@pytest.mark.parametrize(
    ("error", "text"),
    [(FAILED, FAILED_TEXT), (INVALID, INVALID_TEXT), (SHORT, "error[run.interrupted]: stopped on request\n")],
    ids=["four parts", "findings", "bare"],
)
def test_an_error_reads_like_this(error: ShipwayError, text: str) -> None:
    assert render_error(error, Paint()) == text


def test_colour_adds_nothing_but_colour() -> None:
    coloured = render_error(FAILED, Paint(enabled=True))
    assert "\x1b[31m" in coloured
    for code in ("0", "1", "2", "31", "32", "33", "36"):
        coloured = coloured.replace(f"\x1b[{code}m", "")
    assert coloured == FAILED_TEXT


def test_json_has_the_same_fields() -> None:
    body = json.loads(render_error_json(FAILED))["error"]
    assert body["exit"] == 10
    assert (body["code"], body["now"], body["next"]) == (FAILED.code, FAILED.now, FAILED.next)
    assert body["said"].splitlines() == [f"line {n}" for n in range(2, 12)]
    (first, second) = json.loads(render_error_json(INVALID))["error"]["findings"]
    assert (first["where"], second["level"]) == ("config/deploy.yml:3", "warning")


@pytest.mark.parametrize("said", ["\x1b[2J\x1b]0;owned\x07gone", "a\rgone", "\x9b31mgone", "\x08\x08gone"])
def test_what_a_host_said_cannot_move_the_cursor(said: str) -> None:
    text = render_error(StepFailed("step.failed", "failed", ended=Exit.MIXED, said=said), Paint())
    assert "gone" in text
    assert not any((ord(char) < 32 and char != "\n") or 0x7F <= ord(char) < 0xA0 for char in text)
