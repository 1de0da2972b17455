"""Taking secret values out of a text that is shown."""

from __future__ import annotations

from collections.abc import Iterable

MASK = "[redacted]"
_SHORTEST = 4
"""Shorter values would mask ordinary words of every message, and guard little."""
_SAID_LINES = 3


def redact(text: str, values: Iterable[str]) -> str:
    """Return `text` with each of `values`, and each line of those that have several, masked."""
    pieces = {piece for value in values for piece in (value, *value.splitlines()) if len(piece.strip()) >= _SHORTEST}
    for piece in sorted(pieces, key=len, reverse=True):
        text = text.replace(piece, MASK)
    return text


def last_lines(stderr: str) -> str:
    """Return the last lines of what a program said, joined to one, without control characters."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return "".join(char if char.isprintable() else " " for char in " / ".join(lines[-_SAID_LINES:]))[-500:]
