"""Where the time of a run went."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

from shipway.app.answers import StageTime
from shipway.core.events import Event, Listener
from shipway.planning.backup import STEP

_BACKUP = re.compile(r"^backup: [^\x00-\x1f\x7f]{1,500}$", re.MULTILINE)


@dataclass(slots=True)
class Timings:
    """A listener that adds up where the time went, and passes every event on.

    `backup` is what the step that backs the database up has printed.
    """

    pass_on: Listener
    stages: list[StageTime] = field(default_factory=list)
    backup: str = ""
    _started: dict[str, float] = field(default_factory=dict)
    _app_start: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _first_s: float | None = None
    _last_s: float = 0.0

    def listen(self, event: Event) -> None:
        """Take in `event`."""
        self._first_s = event.at_s if self._first_s is None else self._first_s
        self._last_s = event.at_s
        if event.kind == "stage.begin":
            self._started[event.stage] = event.at_s
            self._app_start.clear()
        elif event.kind == "step.done" and is_app_start(event.step):
            self._app_start[event.step] += event.took_s
        elif event.kind == "step.output" and event.step.endswith(f"/{STEP}"):
            self.backup += event.detail
        elif event.kind == "stage.done":
            took_s = event.took_s or event.at_s - self._started.get(event.stage, event.at_s)
            start_s = min(took_s, max(self._app_start.values(), default=0.0))
            self.stages.append(StageTime(event.title or event.stage, took_s, start_s))
        self.pass_on(event)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a report says of the backup that was made."""
        return tuple(_BACKUP.findall(self.backup)[-1:])

    @property
    def took_s(self) -> float:
        """From the first event to the last."""
        return self._last_s - (self._first_s or self._last_s)


def is_app_start(step_id: str) -> bool:
    """Whether a step is the application's own start: `<host>/start-<role>-<release>` (runtimes/base.py)."""
    return step_id.partition("/")[2].startswith("start-")
