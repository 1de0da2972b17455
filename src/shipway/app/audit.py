"""Who did what, and when: the ledger of the primary host as rows; and whether the ledgers are what was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shipway.app.answers import AuditRow, LedgerCheck
from shipway.app.call import Caller, Choice
from shipway.app.context import open_context
from shipway.core.chain import Head, check_chain
from shipway.core.layout import Layout
from shipway.core.ports import Transport
from shipway.core.record import Record
from shipway.engine.journal import parse_tail, tail
from shipway.engine.observe import all_or_unreachable
from shipway.engine.reading import read_exactly

MAX_LEDGER_BYTES = 268_435_456
"""Some ten thousand deploys."""
_MAX_HEAD_BYTES = 1_024
_SAID: Mapping[str, str] = {
    "note": "note",
    "approval.wanted": "wants approval",
    "approval": "approve",
    "hold": "hold",
    "hold.end": "unhold",
}
"""What stands in a ledger outside of runs, and what it is called."""


async def audit(choice: Choice, caller: Caller, count: int) -> tuple[AuditRow, ...]:
    """Return the last `count` runs and notes, newest first."""
    async with open_context(choice, caller) as context:
        primary = context.site.primary
        (result,) = await context.transport.exchange(primary, [tail(context.layouts[primary])])
        return audit_rows(parse_tail(result))[:count]


async def check_ledgers(choice: Choice, caller: Caller, earlier: Mapping[str, Head]) -> tuple[LedgerCheck, ...]:
    """Return for each chosen host whether its ledger is what was written. `earlier`: heads that somebody kept, by host.

    Raises Unreachable, and Refused `file.unreadable`.
    """
    async with open_context(choice, caller) as context:
        asked = {host: _check(context.transport, host, context.layouts[host]) for host in context.chosen_hosts()}
        found = await all_or_unreachable(asked)
        return tuple(
            LedgerCheck(host, context.layouts[host].ledger, check_chain(ledger, noted, earlier.get(host)))
            for host, (ledger, noted) in found.items()
        )


async def _check(transport: Transport, host: str, layout: Layout) -> tuple[bytes, bytes | None]:
    """Return a ledger and the note beside it, which is read first: what is written meanwhile is no fault."""
    noted = await read_exactly(transport, host, layout.ledger_head, _MAX_HEAD_BYTES)
    return await read_exactly(transport, host, layout.ledger, MAX_LEDGER_BYTES) or b"", noted


def audit_rows(records: Sequence[Record]) -> tuple[AuditRow, ...]:
    """Return the runs and notes among `records`, newest first. A run whose beginning was cut off is left out."""
    ends = {record.run: record for record in records if record.kind == "run.end"}
    seen: set[str] = set()
    rows = []
    for record in records:
        if record.kind in _SAID:
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
    text = next((str(detail[key]) for key in ("note", "what", "why", "reason") if key in detail), "")
    return AuditRow(
        at=record.at,
        who=str(detail.get("who", "")),
        origin=str(detail.get("from", "")),
        what=" ".join((_SAID[record.kind], str(detail.get("fingerprint", "")))).strip(),
        run=record.run,
        note=text,
    )
