"""Warnings about a secrets file: what the dialect passes over silently and what is probably not meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from shipway.config.dotenv import LINE, Dotenv, Variable, closing, normal, unquote
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
    """Whether a value stands in the file itself, not only commands and variables."""
    return any(isinstance(part, str) and part for entry in parsed.entries for part in entry.parts)


def _check_ignored(text: str, path: str) -> Iterator[Finding]:
    at = 0
    for start, end in [*(match.span() for match in LINE.finditer(text)), (len(text), len(text))]:
        first = text.count("\n", 0, at) + 1
        for number, line in enumerate(text[at:start].split("\n"), first):
            if line.strip() and not line.lstrip().startswith("#"):
                yield Finding(
                    "secrets.ignored_line",
                    "a line that is no `NAME=value` was passed over",
                    where=f"{path}:{number}",
                    next="did you mean `NAME=value`? A name has letters, digits, `_` and `.` only",
                    level="warning",
                )
        at = end


def _check_open(text: str, path: str) -> Iterator[Finding]:
    for match in LINE.finditer(text):
        value, quote = unquote(match["value"] or "")
        where = f"{path}:{text.count(chr(10), 0, match.start('key')) + 1}"
        if not quote and value[:1] in {"'", '"'}:
            yield Finding(
                "secrets.open_quote",
                f"the quote that begins the value of `{match['key']}` was not closed and became part of the value",
                where=where,
                next="is a quote missing at the end?",
                level="warning",
            )
        opened = [] if quote == "'" else list(_COMMAND.finditer(value))
        if any(closing(value, found.end() - 1) is None for found in opened):
            yield Finding(
                "secrets.open_command",
                f"`$(` in the value of `{match['key']}` was not closed and became part of the value",
                where=where,
                next="is a `)` missing, or does a `#` cut the value? Put it into single quotes if it is meant so",
                level="warning",
            )
