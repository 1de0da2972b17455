"""Cutting SQL text into statements and clauses, with quotes, comments and parentheses respected."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""
    (?P<comment>--[^\n]*|/\*.*?\*/)
  | (?P<dollar>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
  | (?P<string>[eE]?'(?:[^']|'')*')
  | (?P<name>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[A-Za-z_]\w*\])
  | (?P<word>[A-Za-z_][\w$]*|\d[\w.]*)
  | (?P<mark>[();,.])
  | (?P<other>[^\s])
    """,
    re.VERBOSE | re.DOTALL,
)


def split_statements(text: str) -> Iterator[tuple[str, ...]]:
    """Yield the statements of `text` as tokens: bare words in lower case, quoted names as they are, without quotes.

    A string literal is the token `'`, which no name can be.
    """
    statement: list[str] = []
    for found in _TOKEN.finditer(text):
        kind, token = found.lastgroup, found.group()
        if kind == "tag":
            kind = "dollar"
        if kind == "mark" and token == ";":  # noqa: S105  a semicolon
            if statement:
                yield tuple(statement)
            statement = []
        elif kind != "comment":
            statement.append(_plain(kind or "", token))
    if statement:
        yield tuple(statement)


def _plain(kind: str, token: str) -> str:
    if kind in ("string", "dollar"):
        return "'"
    if kind == "name":
        return token[1:-1]
    return token.lower()


def split_clauses(tokens: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the parts of `tokens` between commas that stand in no parentheses; empty parts are passed over."""
    depth, clause = 0, list[str]()
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == "," and depth == 0:  # noqa: S105  a comma
            if clause:
                yield tuple(clause)
            clause = []
        else:
            clause.append(token)
    if clause:
        yield tuple(clause)


def in_parentheses(tokens: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what the first pair of parentheses holds, and what follows it; ((), tokens) when there is none."""
    if "(" not in tokens:
        return (), tokens
    begin, depth = tokens.index("("), 0
    for index in range(begin, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[index], 0)
        if depth == 0:
            return tokens[begin + 1 : index], tokens[index + 1 :]
    return tokens[begin + 1 :], ()
