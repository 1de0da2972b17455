"""The text of a `$(…)` with its variables put in as data: one reading for our own commands and for the shell.

Kamal pastes values as text, so that a quote or a `$` in a password breaks or changes the command. Here each value is
quoted for the place where it stands. As in Kamal it is put in even between single quotes, and where it stands without
quotes it is split into words at white space.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Value:
    """A value, and the one word that it means in a command when it is shell text itself (what `fetch` answers)."""

    text: str
    word: str | None = None


def render_command(parts: Sequence[str | Value]) -> str:
    """Return `parts` as POSIX shell text in which every `Value` is data. Here-documents and backquotes are not seen."""
    out: list[str] = []
    context = [""]
    for part in parts:
        if isinstance(part, str):
            out.append(part)
            _follow(part, context)
        else:
            out.append(_quoted(part, context[-1]))
    return "".join(out)


def _follow(text: str, context: list[str]) -> None:
    """Update `context`, a stack of what closes what is open: `'`, `"`, `)`, and nothing at the bottom."""
    at = 0
    while at < len(text):
        char, top = text[at], context[-1]
        at += 1
        if char == top:
            context.pop()
        elif top == "'":
            continue
        elif char == "\\":
            at += 1
        elif char == '"' or (char == "'" and top != '"'):
            context.append(char)
        elif char == "(" and (top != '"' or text[at - 2 : at - 1] == "$"):
            context.append(")")


def _quoted(value: Value, context: str) -> str:
    word = shlex.quote(value.text if value.word is None else value.word)
    if context in {"'", '"'}:
        return f"{context}{word}{context}"
    if value.word is not None:
        return word
    return re.sub(r"\s+|\S+", lambda match: " " if match[0].isspace() else shlex.quote(match[0]), value.text)


def escape_word(text: str) -> str:
    """Return `text` as one shell word with a backslash before each special character, as Ruby's `shellescape` does."""
    return re.sub(r"[^A-Za-z0-9_\-.,:+/@\n]", r"\\\g<0>", text).replace("\n", "'\n'") or "''"
