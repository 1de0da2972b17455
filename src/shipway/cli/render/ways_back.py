"""The releases that one can go back to, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shipway.app.answers import WayBackRow
from shipway.cli.render.text import Paint, harmless

_WORDS = {
    "allowed": ("green", "allowed"),
    "warn": ("yellow", "allowed with a warning"),
    "refused": ("red", "refused"),
}


def render_ways_back(rows: Sequence[WayBackRow], paint: Paint) -> str:
    """Return a line per release, the newest first, and under it what is in the way or may fail."""
    if not rows:
        return "No release besides the one that serves is kept on all hosts."
    return "\n".join(line for row in rows for line in _lines(row, paint))


def _lines(row: WayBackRow, paint: Paint) -> Iterator[str]:
    colour, word = _WORDS[row.verdict]
    yield f"{paint('bold', row.release)}  {row.version[:7] or '-'}  {row.at or '-'}  {paint(colour, word)}"
    yield from (f"    {harmless(reason)}" for reason in row.reasons)
