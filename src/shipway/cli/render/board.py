"""What a live display shows at a moment: the stage, and for each host the steps done and the steps that run."""

from __future__ import annotations

from dataclasses import dataclass, field

from shipway.cli.render.text import duration, harmless
from shipway.core.events import Event


@dataclass(slots=True)
class Row:
    """One host: how many steps of the stage it has done, and what runs there now, as step id → (title, since)."""

    done: int = 0
    running: dict[str, tuple[str, float]] = field(default_factory=dict)
    failed: str = ""


@dataclass(slots=True)
class Board:
    """Fed with events, read by a display. Times are those of `Event.at_s`."""

    stage: str = ""
    since_s: float = 0.0
    is_unwinding: bool = False
    rows: dict[str, Row] = field(default_factory=dict)

    def apply(self, event: Event) -> None:
        """Take in what `event` says."""
        if event.kind in {"stage.begin", "run.unwinding"}:
            self.is_unwinding = event.kind == "run.unwinding"
            self.stage = "taking back what this run did" if self.is_unwinding else event.title or event.stage
            self.since_s, self.rows = event.at_s, {}
        elif event.kind in {"stage.done", "run.end"}:
            self.stage, self.rows = "", {}
        elif event.kind in {"step.begin", "step.undoing"}:
            self._row(event).running[event.step] = (event.title or event.step, event.at_s)
        elif event.kind in {"step.done", "step.skipped", "step.undone"}:
            row = self._row(event)
            row.running.pop(event.step, None)
            row.done += 1
        elif event.kind in {"step.failed", "step.undo_failed"}:
            row = self._row(event)
            row.running.pop(event.step, None)
            row.failed = event.title or event.step

    def lines(self, now_s: float) -> list[str]:
        """Return the lines to be shown at `now_s`: the stage, then a line per running step, or per host at rest."""
        if not self.stage:
            return []
        lines = [f"{harmless(self.stage)}  {duration(max(0.0, now_s - self.since_s))}"]
        width = max((len(host) for host in self.rows), default=0)
        for host, row in self.rows.items():
            ticks = "✓" * min(row.done, 20)
            name = harmless(host).ljust(width)
            for title, since in row.running.values():
                lines.append(f"  {name}  {ticks} {harmless(title)}  {duration(max(0.0, now_s - since))}")
            if row.failed:
                lines.append(f"  {name}  ✗ {harmless(row.failed)}")
            elif not row.running:
                lines.append(f"  {name}  {ticks}")
        return lines

    def _row(self, event: Event) -> Row:
        return self.rows.setdefault(event.host, Row())
