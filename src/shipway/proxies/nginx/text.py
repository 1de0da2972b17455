"""nginx's configuration as text: words that are quoted, directives, blocks."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PLAIN = re.compile(r"[A-Za-z0-9._/@:+~$=*,^-]+")


def word(text: str) -> str:
    """Return one word of a directive. A `$` in it is a variable: words of users are judged before (`refuse_unsafe`)."""
    if _PLAIN.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def directive(name: str, *words: str) -> str:
    """Return one line."""
    return " ".join((name, *map(word, words))) + ";"


def block(head: str, lines: Iterable[str]) -> str:
    """Return a block; `head` is taken as it is."""
    return "\n".join((f"{head} {{", *(f"    {line}" for each in lines for line in each.splitlines()), "}"))


def regex(text: str) -> str:
    """Return what matches `text` and nothing else, for a regular expression of nginx (PCRE)."""
    return re.sub(r"([.+])", r"\\\1", text)
