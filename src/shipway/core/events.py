"""What a run tells while it runs. The terminal, `--json` and the report are listeners of the same stream."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

EventKind = Literal[
    "run.begin",
    "stage.begin",
    "step.begin",
    "step.output",  # detail: text the step printed, a piece at a time
    "step.done",
    "step.skipped",
    "step.failed",
    "stage.done",
    "run.commit",
    "run.unwinding",
    "step.undoing",
    "step.undone",
    "step.undo_failed",
    "run.end",  # detail: done, undone, mixed
    "check.passed",  # title: the check; detail: what it saw
    "check.failed",  # detail: what was wrong
    "check.skipped",
    "hook.begin",  # title: the name of the hook
    "hook.output",  # detail: a line of it
    "hook.done",
    "hook.failed",
    "warning",
]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened in a run. `at_s` is a monotonic clock; `title` is the step's or stage's own words."""

    kind: EventKind
    run: str
    at_s: float
    stage: str = ""
    step: str = ""
    host: str = ""
    title: str = ""
    detail: str = ""
    took_s: float = 0.0


Listener = Callable[[Event], None]
