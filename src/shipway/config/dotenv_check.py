"""Warnings about a secrets file: what the dialect passes over silently and what is probably not meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from shipway.config.dotenv import Dotenv, Variable, closings, normal, numbered, unquote
from shipway.core.errors import Finding

_COMMAND = re.compile(r"(?<!\\)\$\(")


def check_dotenv(text: str, path: str) -> tuple[Finding, ...]:
    """Return a warning for each ignored line, each quote and each command that nothing closes."""
    text = normal(text)
    return (*_check_ignored(text, path), *_check_open(text, path))


def check_variables(parsed: Dotenv, environ: Mapping[str, str], path: str) -> tuple[Finding, ...]:
    """Return a warning for each variable, outside of commands, that has no value and becomes nothing."""
    return tuple(
        Finding(
            "secrets.unset_variable",
            f"`{part.text}` in the value of `{entry.name}` has no value and became nothing",
            where=f"{path}:{entry.line}",
            next="is it set in this shell? Put the value into single quotes if the `$` is meant as it stands",
            level="warning",
        )
        for entry in parsed.entries
        for part in entry.parts
        if isinstance(part, Variable) and part.entry is None and part.name not in environ
    )


def has_literal(parsed: Dotenv) -> bool:
    """Whether a whole value stands in the file itself: one around a variable, such as an address, tells no secret."""
    return any(entry.parts and all(isinstance(part, str) for part in entry.parts) for entry in parsed.entries)


def _check_ignored(text: str, path: str) -> Iterator[Finding]:
    at, line = 0, 1
    for start, end in [*(match.span() for match, _ in numbered(text)), (len(text), len(text))]:
        for number, ignored in enumerate(text[at:start].split("\n"), line):
            if ignored.strip() and not ignored.lstrip().startswith("#"):
                yield Finding(
                    "secrets.ignored_line",
                    "a line that is no `NAME=value` was passed over",
                    where=f"{path}:{number}",
                    next="did you mean `NAME=value`? A name has letters, digits, `_` and `.` only",
                    level="warning",
                )
        line += text.count("\n", at, end)
        at = end


def _check_open(text: str, path: str) -> Iterator[Finding]:
    for match, line in numbered(text):
        value, quote = unquote(match["value"] or "")
        if not quote and value[:1] in {"'", '"'}:
            yield Finding(
                "secrets.open_quote",
                f"the quote that begins the value of `{match['key']}` was not closed and became part of the value",
                where=f"{path}:{line}",
                next="is a quote missing at the end?",
                level="warning",
            )
        ends = closings(value)
        if quote != "'" and any(found.end() - 1 not in ends for found in _COMMAND.finditer(value)):
            yield Finding(
                "secrets.open_command",
                f"`$(` in the value of `{match['key']}` was not closed and became part of the value",
                where=f"{path}:{line}",
                next="is a `)` missing, or does a `#` cut the value? Put it into single quotes if it is meant so",
                level="warning",
            )
