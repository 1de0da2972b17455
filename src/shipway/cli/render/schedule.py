"""The schedule as text: a line for each job on each host, and under it what is not as it should be."""

from __future__ import annotations

from collections.abc import Sequence

from shipway.app.schedule import JobRow
from shipway.cli.render.tables import table
from shipway.cli.render.text import Paint, duration, harmless
from shipway.runtimes.schedule_report import Went

_HEADINGS = ("job", "when", "host", "release", "next run", "last run", "result")


def render_schedule(rows: Sequence[JobRow], paint: Paint) -> str:
    """Return the table of all jobs. Times are in UTC, except for `when`, which has its own zone."""
    if not rows:
        return "No job is configured: `shipway docs schedule` tells how to write one."
    lines = [table(_HEADINGS, [_cells(row) for row in rows], paint)]
    notes = [f"{row.name} on {row.host}: {row.trouble}" for row in rows if row.trouble]
    notes += [
        f"{row.name} on {row.host}: was due at {row.skipped} while it still ran, and was left out"
        for row in rows
        if row.skipped
    ]
    if notes:
        lines += ["", *(paint("yellow", harmless(note)) for note in notes)]
    return "\n".join(lines)


def _cells(row: JobRow) -> tuple[str, ...]:
    last = row.last
    began = last.began if last else ""
    result = f"runs since {row.now.began}" if row.now else _result(last)
    return (
        row.name,
        f"{row.cron} {row.timezone}",
        row.host,
        row.release or "-",
        row.next or "-",
        began or "-",
        result,
    )


def _result(last: Went | None) -> str:
    if last is None:
        return "-"
    if not last.ended:
        return "unknown: it was killed, or its host stopped"
    how = "ok" if last.status == 0 else f"exit status {last.status}"
    why = f": {last.why}" if last.why else ""
    return f"{how}, {duration(last.took_s)}{why}"
