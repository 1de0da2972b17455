"""How the workers of each task framework are asked to end so that the task at hand is done first."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST_TASK_S = 600
"""What a task may take where nobody says it: waiting costs only as long as a task really runs."""


@dataclass(frozen=True, slots=True)
class WarmStop:
    """A framework by the command of its worker, and the signal after which it takes nothing more and ends its task."""

    command: re.Pattern[str]
    signal: str = "TERM"


# Celery, RQ, Dramatiq and db_worker end their tasks after TERM; Huey kills them, unless it is told otherwise, and ends
# them after INT (huey/consumer.py). Measured with Celery 5.7, RQ 3.0, Dramatiq 2.2, Huey 3.5, django-tasks-db 0.13.
_KINDS = (
    WarmStop(re.compile(r"\bcelery\b.*\bworker\b", re.DOTALL)),
    WarmStop(re.compile(r"\brqworker\b|\brq\s+worker\b")),
    WarmStop(re.compile(r"\b(?:rundramatiq|dramatiq)\b")),
    WarmStop(re.compile(r"\b(?:run_huey|run_djangohuey|djangohuey|huey_consumer(?:\.py)?)\b"), "INT"),
    WarmStop(re.compile(r"\bdb_worker\b")),
)
_TOLD = re.compile(r"--graceful-signal[= ]['\"]?(?:SIG)?([A-Z0-9]+)")


def warm_stop(cmd: str | None) -> WarmStop | None:
    """Return how the worker that `cmd` starts is ended, None for what is no worker of a framework that is known."""
    found = next((kind for kind in _KINDS if kind.command.search(cmd or "")), None)
    told = _TOLD.search(cmd or "")
    if found is not None and found.signal != "TERM" and told is not None:
        return WarmStop(found.command, told[1])
    return found
