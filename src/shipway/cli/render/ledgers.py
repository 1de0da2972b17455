"""Whether ledgers are what was written, for a person and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from shipway.app.answers import LedgerCheck
from shipway.cli.render.error import finding_lines
from shipway.cli.render.text import Paint
from shipway.core.errors import Finding


def has_breaks(found: Sequence[LedgerCheck]) -> bool:
    """Whether a ledger is not what was written."""
    return any(one.checked.breaks for one in found)


def render_ledgers(found: Sequence[LedgerCheck], paint: Paint) -> str:
    """Return for each host what was found, or how far its chain came."""
    return "\n".join(line for one in found for line in _host(one, paint))


def _host(one: LedgerCheck, paint: Paint) -> list[str]:
    checked = one.checked
    lines = []
    for broken in checked.breaks:
        where = f"{one.host}:{one.file}" + (f":{broken.line}" if broken.line else "")
        lines += finding_lines(Finding(f"audit.{broken.fault}", f"{one.host}: {broken.what}", where=where), paint)
    for note in checked.notes:
        lines += finding_lines(Finding("audit.no_end", f"{one.host}: {note}", level="warning"), paint)
    if checked.breaks:
        return lines
    if not checked.lines:
        return [*lines, f"{one.host}: nothing is recorded yet"]
    if not checked.head.n:
        what = f"{one.host}: {checked.lines} lines without a chain: nobody can tell whether they were changed"
        help_line = f"the next run on {one.host} begins one, where it has flock and sha256sum"
        return [*lines, *finding_lines(Finding("audit.no_chain", what, next=help_line, level="warning"), paint)]
    before = f", after {checked.unprotected} that were written before there was one" if checked.unprotected else ""
    torn = f", {checked.torn} torn by a crash" if checked.torn else ""
    chain = checked.lines - checked.unprotected
    said = f"{paint('green', 'whole')}, {chain} lines in one chain{before}{torn}; it ends with {checked.head.chain}"
    return [*lines, f"{one.host}: {said}"]


def ledgers_document(found: Sequence[LedgerCheck]) -> list[dict[str, object]]:
    """Return the same for programs. `head` is what `--since` compares with later."""
    return [{"host": one.host, "file": one.file, "ok": not one.checked.breaks, **asdict(one.checked)} for one in found]
