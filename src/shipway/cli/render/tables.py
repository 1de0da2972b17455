"""Tables of text: columns as wide as their longest cell, nothing cut off, colour only for the heading."""

from __future__ import annotations

from collections.abc import Sequence

from shipway.cli.render.text import Paint, harmless


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], paint: Paint) -> str:
    """Return `rows` under `headings`, columns two spaces apart; only the headings when there are no rows."""
    cells = [[" ".join(harmless(cell).split()) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(headings), *cells]) for i in range(len(headings))]
    lines = [paint("bold", _line(headings, widths)), *(_line(row, widths) for row in cells)]
    return "\n".join(lines)


def fields(pairs: Sequence[tuple[str, str]]) -> str:
    """Return names and values, a line each, the values under each other; pairs without a value are left out."""
    width = max((len(name) for name, value in pairs if value), default=0)
    return "\n".join(f"{name.ljust(width)}  {harmless(value)}" for name, value in pairs if value)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
