"""A run as it is shown while it runs: plain lines, JSON lines, a live display."""

import errno
import io
import json

import pytest

from shipway.cli.render.board import Board
from shipway.cli.render.json_lines import JsonLines
from shipway.cli.render.plain import Plain
from shipway.cli.render.tables import fields, table
from shipway.cli.render.terminal import Terminal
from shipway.cli.render.text import Paint, duration
from shipway.core.events import Event

RUN = [
    Event("run.begin", "7f3a", 0.0),
    Event("stage.begin", "7f3a", 0.0, stage="Start r2", title="Start r2"),
    Event("step.begin", "7f3a", 0.1, stage="Start r2", step="a/start", host="a", title="start web"),
    Event("step.output", "7f3a", 0.2, stage="Start r2", step="a/start", host="a", detail="listening\x1b[2J\n"),
    Event("step.done", "7f3a", 1.6, stage="Start r2", step="a/start", host="a", title="start web", took_s=1.5),
    Event("step.skipped", "7f3a", 1.6, stage="Start r2", step="b/dirs", host="b", title="make directories"),
    Event(
        "step.failed", "7f3a", 2.0, stage="Start r2", step="b/start", host="b", title="start web", detail="port taken"
    ),
    Event("run.unwinding", "7f3a", 2.0, detail="could not start web on b"),
    Event("step.undoing", "7f3a", 2.0, stage="Start r2", step="a/start", host="a", title="start web"),
    Event("step.undone", "7f3a", 2.5, stage="Start r2", step="a/start", host="a", title="start web"),
    Event("run.end", "7f3a", 2.5, detail="undone"),
]
PLAIN = """\
run 7f3a
── Start r2
… a: start web
✓ a: start web  1.5 s
= b: make directories
✗ b: start web
      port taken
── taking back what this run did: could not start web on b
↩ … a: start web
↩ ✓ a: start web
"""


def shown(verbosity: int) -> str:
    stream = io.StringIO()
    with Plain(stream, Paint(), verbosity) as display:
        for event in RUN:
            display.listen(event)
    return stream.getvalue()


def test_plain_has_a_line_per_event() -> None:
    assert shown(0) == PLAIN


def test_quiet_says_only_what_went_wrong_and_verbose_the_output_too() -> None:
    assert shown(-1).splitlines() == [
        "✗ b: start web",
        "      port taken",
        "── taking back what this run did: could not start web on b",
    ]
    assert "      listening\n" in shown(1)
    assert "\x1b" not in shown(1)


def test_json_has_an_object_per_event() -> None:
    stream = io.StringIO()
    with JsonLines(stream) as display:
        for event in RUN:
            display.listen(event)
    bodies = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [body["event"] for body in bodies] == [event.kind for event in RUN]
    assert bodies[4] == {
        "event": "step.done",
        "run": "7f3a",
        "at_s": 1.6,
        "stage": "Start r2",
        "step": "a/start",
        "host": "a",
        "title": "start web",
        "took_s": 1.5,
    }


def test_the_board_shows_running_steps_with_their_time() -> None:
    board = Board()
    for event in RUN[:3]:
        board.apply(event)
    assert board.lines(1.1) == ["Start r2  1.1 s", "  a   start web  1.0 s"]
    for event in RUN[3:7]:
        board.apply(event)
    assert board.lines(2.0) == ["Start r2  2.0 s", "  a  ✓", "  b  ✗ start web"]
    for event in RUN[7:9]:
        board.apply(event)
    assert board.lines(2.2) == ["taking back what this run did  0.2 s", "  a   start web  0.2 s"]


def test_the_live_display_leaves_what_mattered_on_the_screen() -> None:
    stream = io.StringIO()
    with Terminal(stream, Paint(), 0) as display:
        for event in RUN:
            display.listen(event)
        display.listen(Event("stage.done", "7f3a", 4.0, stage="Start r2"))
    text = stream.getvalue()
    assert "✗ b: start web" in text
    assert "port taken" in text
    assert "✓ Start r2" in text


class Closed(io.StringIO):
    """A terminal whose window was closed."""

    is_closed = False

    def write(self, text: str) -> int:
        if self.is_closed:
            raise OSError(errno.EIO, "Input/output error")
        return super().write(text)


def test_a_closed_terminal_does_not_hide_how_the_run_ended() -> None:
    stream = Closed()
    with pytest.raises(KeyError), Terminal(stream, Paint(), 0) as display:  # noqa: PT012  both ends of the display count
        display.listen(RUN[1])
        stream.is_closed = True
        raise KeyError


def test_tables_are_aligned_and_harmless() -> None:
    text = table(("HOST", "NOTE"), [("web-1", "a\nb\x1b[31m"), ("w", "")], Paint())
    assert text == "HOST   NOTE\nweb-1  a b\nw"
    assert fields([("lock", "held"), ("none", ""), ("service", "shop")]) == "lock     held\nservice  shop"


def test_durations() -> None:
    assert [duration(s) for s in (0.04, 59.9, 125)] == ["0.0 s", "59.9 s", "2 min 5 s"]
