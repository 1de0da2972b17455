"""Who did what, and when: the ledger of the primary host as rows."""

from __future__ import annotations

from collections.abc import Sequence

from shipway.app.answers import AuditRow
from shipway.app.call import Caller, Choice
from shipway.app.context import open_context
from shipway.core.record import Record
from shipway.engine.journal import parse_tail, tail


async def audit(choice: Choice, caller: Caller, count: int) -> tuple[AuditRow, ...]:
    """Return the last `count` runs and notes, newest first."""
    async with open_context(choice, caller) as context:
        primary = context.site.primary
        (result,) = await context.transport.exchange(primary, [tail(context.layouts[primary])])
        return audit_rows(parse_tail(result))[:count]


def audit_rows(records: Sequence[Record]) -> tuple[AuditRow, ...]:
    """Return the runs and notes among `records`, newest first. A run whose beginning was cut off is left out."""
    ends = {record.run: record for record in records if record.kind == "run.end"}
    seen: set[str] = set()
    rows = []
    for record in records:
        if record.kind == "note":
            rows.append(_note(record))
        elif record.kind == "run.begin" and record.run not in seen:
            seen.add(record.run)
            rows.append(_run(record, ends.get(record.run)))
    return tuple(reversed(rows))


def _run(begin: Record, end: Record | None) -> AuditRow:
    detail = begin.detail
    ended = end.detail if end else {}
    took = ended.get("took_s", 0.0)
    return AuditRow(
        at=begin.at,
        who=str(detail.get("who", "")),
        origin=str(detail.get("from", "")),
        what=" ".join(str(detail.get(key, "")) for key in ("verb", "release")).strip(),
        outcome=str(ended.get("outcome", "")),
        took_s=float(took) if isinstance(took, int | float) else 0.0,
        run=begin.run,
        note=str(detail.get("note", "")),
    )


def _note(record: Record) -> AuditRow:
    detail = record.detail
    text = next((str(detail[key]) for key in ("note", "what", "why") if key in detail), "")
    return AuditRow(
        at=record.at,
        who=str(detail.get("who", "")),
        origin=str(detail.get("from", "")),
        what="note",
        run=record.run,
        note=text,
    )
