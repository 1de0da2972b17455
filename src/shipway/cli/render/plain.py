"""A run as lines of text, one per event: for logs of a pipeline, and wherever no person watches."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Self, TextIO

from shipway.cli.render.text import Paint, duration, harmless
from shipway.core.events import Event, EventKind

_WORDS: Mapping[EventKind, tuple[str, str]] = {
    "step.begin": ("…", "dim"),
    "step.done": ("✓", "green"),
    "step.skipped": ("=", "dim"),
    "step.failed": ("✗", "red"),
    "step.undoing": ("↩ …", "dim"),
    "step.undone": ("↩ ✓", "yellow"),
    "step.undo_failed": ("↩ ✗", "red"),
}
_ALWAYS: frozenset[EventKind] = frozenset(
    {"check.failed", "step.failed", "step.undo_failed", "warning", "run.unwinding", "hook.output", "hook.failed"}
)
_DETAILS: frozenset[EventKind] = frozenset({"step.output", "check.passed", "check.skipped"})


def event_text(event: Event, paint: Paint) -> str:
    """Return `event` as a line or lines of text; "" for an event that has nothing to say to a person."""
    title, detail = harmless(event.title), harmless(event.detail).strip()
    if event.kind in _WORDS:
        return _step_text(event, title, detail, paint)
    texts = {
        "run.begin": paint("bold", title or f"run {event.run}"),
        "stage.begin": paint("bold", f"── {title or event.stage}"),
        "run.commit": paint("yellow", "── from here on nothing is taken back"),
        "run.unwinding": paint("yellow", "── taking back what this run did") + (f": {detail}" if detail else ""),
        "warning": paint("yellow", "warning: ") + " ".join(part for part in (title, detail) if part),
        "check.passed": f"{paint('green', '✓')} {_check(event)}",
        "check.skipped": f"{paint('dim', '-')} {_check(event)}",
        "check.failed": f"{paint('red', '✗')} {_check(event)}",
        "hook.begin": f"Running the {title} hook …",
        "hook.output": f"      {detail}",
        "hook.failed": paint("red", "✗") + f" the hook {title} failed",
        "step.output": "\n".join(f"      {line}" for line in harmless(event.detail).splitlines()),
    }
    return texts.get(event.kind, "")


def _check(event: Event) -> str:
    said = f": {harmless(event.detail).strip()}" if event.detail and event.kind != "check.passed" else ""
    return " ".join(filter(None, (harmless(event.host) and f"{harmless(event.host)}:", harmless(event.title)))) + said


def _step_text(event: Event, title: str, detail: str, paint: Paint) -> str:
    mark, colour = _WORDS[event.kind]
    took = f"  {duration(event.took_s)}" if event.took_s else ""
    # The last line is the cause; the error at the end of the run shows more, and nothing is to be read twice.
    more = f"\n      {detail.splitlines()[-1].strip()}" if detail and event.kind.endswith("failed") else ""
    return f"{paint(colour, mark)} {harmless(event.host)}: {title or event.step}{paint('dim', took)}{more}"


class Plain:
    """A display that writes a line per event. Verbosity -1 leaves only what went wrong; 1 adds the steps' output."""

    def __init__(self, stream: TextIO, paint: Paint, verbosity: int = 0) -> None:
        self._stream, self._paint, self._verbosity = stream, paint, verbosity

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stream.flush()

    def aside(self) -> AbstractContextManager[None]:
        """Leave the stream to a question: nothing here is in its way."""
        return nullcontext()

    def listen(self, event: Event) -> None:
        """Write `event`, if it is wanted."""
        if event.kind not in _ALWAYS and self._verbosity < (1 if event.kind in _DETAILS else 0):
            return
        text = event_text(event, self._paint)
        if text:
            self._stream.write(text + "\n")
            self._stream.flush()
