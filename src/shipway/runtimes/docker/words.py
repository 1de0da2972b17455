"""Words of a command line in which `${NAME}` of the host's environment is expanded, as Kamal's remote shell does it.

Such a word is written with `$` only before `{NAME}`, `{NAME-text}` and `{NAME:-text}`; every other `$` is doubled.
`launch_script.py` expands them on the host, when a container is made.
"""

from __future__ import annotations

import re

EXPANSION = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::?-[^{}$`\"\\]*)?\}")
_OPERATORS = frozenset(";&|<>()\n")
_SPACE = " \t"
_BARE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")


def escaped(text: str) -> str:
    """Return `text` as a word in which nothing is expanded."""
    return text.replace("$", "$$")


def quoted(text: str) -> str:
    """Return a value of the configuration as a word: `${NAME}` is kept for the host, every other `$` is literal."""
    return _keep(text, EXPANSION)


def raw(text: str) -> str:
    """Return a value that Kamal hands to the remote shell without quotes: `$NAME` is expanded too."""
    return _keep(_BARE.sub(r"${\1}", text), EXPANSION)


def _keep(text: str, pattern: re.Pattern[str]) -> str:
    parts, at = [], 0
    for match in pattern.finditer(text):
        parts += [escaped(text[at : match.start()]), match[0]]
        at = match.end()
    return "".join([*parts, escaped(text[at:])])


def split(command: str) -> tuple[str, ...]:
    """Return the words of one simple command of POSIX shell.

    Within single quotes and after a backslash nothing is expanded. Raises ValueError for anything more than a simple
    command (`a && b`, `a > b`), since only its first part would run in the container.
    """
    words: list[str] = []
    word: list[str] | None = None
    rest = command.strip()
    while rest:
        head, rest = rest[0], rest[1:]
        if head in _SPACE:
            if word is not None:
                words.append("".join(word))
            word = None
            continue
        if head in _OPERATORS:
            raise ValueError(f"more than one simple command; write it as sh -c '...': {command}")
        piece, rest = _piece(head, rest, command)
        word = [*(word or ()), piece]
    return (*words, "".join(word)) if word is not None else tuple(words)


def _piece(head: str, rest: str, command: str) -> tuple[str, str]:
    if head == "'":
        text, quote, after = rest.partition("'")
        if not quote:
            raise ValueError(f"a quote is not closed: {command}")
        return escaped(text), after
    if head == '"':
        match = re.match(r'((?:[^"\\]|\\.)*)"', rest, re.DOTALL)
        if match is None:
            raise ValueError(f"a quote is not closed: {command}")
        return _unescaped(match[1], '"\\$`'), rest[match.end() :]
    match = re.match(r"(?:\\.|[^\s'\"\\;&|<>()])+", head + rest, re.DOTALL)
    if match is None:
        raise ValueError(f"it ends in a backslash: {command}")
    return _unescaped(match[0], ""), (head + rest)[match.end() :]


def _unescaped(text: str, special: str) -> str:
    """Return text that is expanded: a backslash makes the next character literal (within `"` only if it is special)."""
    parts = []
    for match in re.finditer(r"\\(.)|([^\\]+)|\\", text, re.DOTALL):
        if match[2] is not None:
            parts.append(raw(match[2]))
        elif match[1] is not None:
            is_literal = not special or match[1] in special
            parts.append(escaped(match[1] if is_literal else match[0]))
        else:
            parts.append("\\")
    return "".join(parts)
