r"""Kamal's dialect of dotenv: the text of a secrets file in, entries out. Runs nothing.

The dialect is that of the Ruby library dotenv 3.2, whose grammar of a line and order of substitutions are kept:
quotes are taken off, `\n` and `\r` between double quotes stay two characters, backslashes are dropped except before
`$`, then `$(command)`, then `$NAME` and `${NAME}`. Between single quotes nothing is substituted. What that library
expands a second time is expanded once here: a command stays a node (`Substitution`), and what it answers is data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shipway.core.errors import ConfigError, Finding

_LINE = re.compile(
    r"""
    ^[ \t\f\v]*(?P<export>export\s+)?(?P<key>[\w.]+)
    (?:
        (?:\s*=\s*?|:\s+?)
        (?P<value>\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|[^\#\n]+)?
    )?
    \s*(?:\#.*)?$
    """,
    re.MULTILINE | re.VERBOSE | re.ASCII,
)
_QUOTED = re.compile(r"(['\"])(.*)\1", re.DOTALL)
_ESCAPED = re.compile(r"\\([^$])")
_VARIABLE = re.compile(r"(?P<escape>\\)?\$(?!\()\{?(?P<name>[A-Z0-9_]+)?\}?", re.IGNORECASE | re.ASCII)
_BLANK = " \t\n\v\f\r\0"


@dataclass(frozen=True, slots=True)
class Variable:
    """A reference to a value: `text` as it was written, `entry` the index of the earlier entry that it names.

    `entry` is None when no earlier entry of the same file has that name: then the process environment is asked.
    """

    name: str
    text: str
    entry: int | None = None


@dataclass(frozen=True, slots=True)
class Substitution:
    """A `$(…)`: the text between the parentheses, and the line where it begins (from 1)."""

    parts: tuple[str | Variable, ...]
    line: int


Part = str | Variable | Substitution


@dataclass(frozen=True, slots=True)
class Entry:
    """One name and what its value is made of, joined without separators. `line` counts from 1."""

    name: str
    line: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Dotenv:
    """A parsed file. Of entries with the same name the last one counts."""

    entries: tuple[Entry, ...]

    def latest(self) -> dict[str, int]:
        """Return for each name the index of the entry that counts, in order of first appearance."""
        return {entry.name: index for index, entry in enumerate(self.entries)}


def normal(text: str) -> str:
    """Return `text` without a byte order mark, each line ended by a line feed."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def numbered(text: str) -> Iterator[tuple[re.Match[str], int]]:
    """Yield each entry of the normal `text`: what the grammar matched (`export`, `key`, `value`), and its line."""
    at, line = 0, 1
    for match in _LINE.finditer(text):
        line += text.count("\n", at, match.start("key"))
        at = match.start("key")
        yield match, line


def unquote(raw: str) -> tuple[str, str]:
    """Return a value as it stands in the file without its quotes, and the quote: `'`, `"` or nothing."""
    value = raw.strip(_BLANK)
    quoted = _QUOTED.fullmatch(value)
    return (quoted[2], quoted[1]) if quoted else (value, "")


def parse_dotenv(text: str, path: str, *, is_legacy: bool = False) -> Dotenv:
    r"""Return the entries of `text`; `path` stands in the positions of errors and findings.

    `is_legacy` is dotenv's DOTENV_LINEBREAK_MODE=legacy, where `\n` between double quotes means a line break.
    Raises ConfigError `secrets.format` with a finding for each `export NAME` of a name that has no value.
    """
    text = normal(text)
    entries: list[Entry] = []
    latest: dict[str, int] = {}
    errors: list[Finding] = []
    for match, line in numbered(text):
        name = match["key"]
        if match["export"] and match["value"] is None:
            if name not in latest:
                errors.append(_unset_export(name, f"{path}:{line}"))
            continue
        mode = _literal(entries, latest.get("DOTENV_LINEBREAK_MODE"))
        legacy = is_legacy if mode is None else mode == "legacy"
        value_line = line + text.count("\n", match.start("key"), _value_start(match))
        entries.append(Entry(name, line, _parts(match["value"] or "", value_line, latest, is_legacy=legacy)))
        latest[name] = len(entries) - 1
    if errors:
        raise ConfigError("secrets.format", errors[0].what, where=errors[0].where, findings=tuple(errors))
    return Dotenv(tuple(entries))


def _unset_export(name: str, where: str) -> Finding:
    return Finding(
        "secrets.format",
        f"`export {name}` stood before `{name}` had a value",
        where=where,
        next=f"write `{name}=${name}` there to take it from the environment, or remove the line",
    )


def _literal(entries: list[Entry], index: int | None) -> str | None:
    if index is None:
        return None
    return "".join(part for part in entries[index].parts if isinstance(part, str))


def _value_start(match: re.Match[str]) -> int:
    value = match["value"]
    if value is None:
        return match.start("key")
    return match.start("value") + len(value) - len(value.lstrip(_BLANK))


def _parts(raw: str, line: int, latest: Mapping[str, int], *, is_legacy: bool) -> tuple[Part, ...]:
    value, quote = unquote(raw)
    if quote == "'":
        return (value,)
    if quote == '"':
        value = _expand_line_breaks(value, is_legacy=is_legacy)
    parts: list[Part] = []
    for piece in _split_commands(_ESCAPED.sub(r"\1", value)):
        if isinstance(piece, str):
            parts.extend(_split_variables(piece, latest))
        else:
            body, newlines = piece
            parts.append(Substitution(tuple(_split_variables(body, latest)), line + newlines))
    return tuple(parts)


def _expand_line_breaks(value: str, *, is_legacy: bool) -> str:
    if is_legacy:
        return value.replace(r"\n", "\n").replace(r"\r", "\r")
    return value.replace(r"\n", r"\\n").replace(r"\r", r"\\r")


def _split_commands(value: str) -> Iterator[str | tuple[str, int]]:
    """Yield literal text, and for each command its text and how many line breaks stand before it."""
    ends = closings(value)
    literal, at = "", 0
    while (start := value.find("$(", at)) >= 0:
        end = ends.get(start + 1)
        if end is None:
            literal, at = literal + value[at : start + 1], start + 1
        elif start > at and value[start - 1] == "\\":
            literal, at = literal + value[at : start - 1] + value[start:end], end
        else:
            yield literal + value[at:start]
            yield value[start + 2 : end - 1], value.count("\n", 0, start)
            literal, at = "", end
    yield literal + value[at:]


def closings(value: str) -> dict[int, int]:
    """Return for each opening parenthesis that something closes the index after what closes it.

    As in Kamal: quotes mean nothing here, a backslash escapes, and what has `()` or a backslash at the end of a line
    inside is no command.
    """
    found: dict[int, int] = {}
    opened: list[int] = []
    spoiled = 0  # how many of `opened`, from the outermost, cannot be commands any more
    at = 0
    while at < len(value):
        char = value[at]
        if char == "(":
            opened.append(at)
        elif char == ")" and opened:
            start = opened.pop()
            spoiled = len(opened) if at == start + 1 else spoiled
            if len(opened) >= spoiled and at > start + 1:
                found[start] = at + 1
            spoiled = min(spoiled, len(opened))
        elif char == "\\":
            at += 1
            spoiled = len(opened) if value[at : at + 1] in {"", "\n"} else spoiled
        at += 1
    return found


def _split_variables(text: str, latest: Mapping[str, int]) -> Iterator[str | Variable]:
    at, literal = 0, ""
    for match in _VARIABLE.finditer(text):
        literal += text[at : match.start()]
        at = match.end()
        if match["escape"]:
            literal += match[0][1:]
        elif match["name"] is None:
            literal += match[0]
        else:
            if literal:
                yield literal
            literal = ""
            yield Variable(match["name"], match[0], latest.get(match["name"]))
    literal += text[at:]
    if literal:
        yield literal
