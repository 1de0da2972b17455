"""Small things that every renderer needs: colour or none, and text from a host made harmless."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

# ECMA-48: an escape sequence is ESC [ parameters final, ESC ] text terminator, or ESC and one character.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)", re.DOTALL)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

_CODES: Mapping[str, str] = {
    "red": "31",
    "green": "32",
    "yellow": "33",
    "cyan": "36",
    "bold": "1",
    "dim": "2",
}


def harmless(text: str) -> str:
    """Return `text` without escape sequences and control characters; newlines and tabs stay.

    What a host answered must not move the cursor, set a title or hide a line.
    """
    return _CONTROLS.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def last_lines(text: str, count: int) -> list[str]:
    """Return the last `count` lines of `text` that are not blank, made harmless."""
    return [line.rstrip() for line in harmless(text).splitlines() if line.strip()][-count:]


@dataclass(frozen=True, slots=True)
class Paint:
    """Colours, or none. A message must be understandable without."""

    enabled: bool = False

    def __call__(self, colour: str, text: str) -> str:
        """Return `text` in `colour` (`red`, `green`, `yellow`, `cyan`, `bold`, `dim`), or as it is."""
        return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if self.enabled else text


def paint_for(stream: TextIO, environ: Mapping[str, str] | None = None) -> Paint:
    """Return the colours for `stream`: none without a terminal, with `NO_COLOR` set (no-color.org) or `TERM=dumb`."""
    env = os.environ if environ is None else environ
    return Paint(is_terminal(stream) and not env.get("NO_COLOR") and env.get("TERM") != "dumb")


def is_terminal(stream: TextIO) -> bool:
    """Return whether a person sees `stream`; a closed stream is none."""
    try:
        return stream.isatty()
    except ValueError:
        return False


def duration(seconds: float) -> str:
    """Return `seconds` for a person: `0.2 s`, `12.3 s`, `3 min 5 s`."""
    if seconds < 60:  # noqa: PLR2004  a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
