"""The subset of ERB that deploy.yml files need, rendered without running anything.

Between `<%=` and `%>` may stand: `ENV["X"]`, `ENV.fetch("X")`, `ENV.fetch("X", default)`, `ENV.fetch("X") { default }`,
string and number literals, `nil`, `true`, `false`, `Kamal::Utils.docker_arch`, `a == b`, `a != b`, `a || b`,
`a ? b : c`, parentheses, `.strip`, `.chomp`, `.to_s`, and `git rev-parse HEAD` or `git rev-parse --short HEAD` in
backticks or `%x( )`. `<%# comment %>`, `<%%`, `<%-` and `-%>` (ERB's trim mode `-`) work. Anything else is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn, TypeAlias

from shipway.config.report import finding
from shipway.config.tree import Mark
from shipway.core.errors import Finding

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    | (?P<command>`[^`]*`|%x\([^)]*\)|%x\{[^}]*\}|%x\[[^\]]*\])
    | (?P<number>-?\d[\d_]*(?:\.\d+)?)
    | (?P<name>Kamal::Utils\.docker_arch|ENV\.fetch|ENV|nil|true|false)(?![\w:])
    | (?P<method>\.(?:strip|chomp|to_s))(?![\w!?])
    | (?P<sign>==|!=|\|\||[()\[\]{}?:,])
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES: Mapping[str, str] = {"n": "\n", "t": "\t", "s": " ", "r": "\r", "e": "\x1b", "0": "\0"}
_MAX_CODE = 2_000
_MAX_DEPTH = 20
_SUBSET = 'use a literal, ENV["NAME"] or ENV.fetch("NAME", "default"); no other Ruby is run'

Value: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class ErbFacts:
    """What a template may ask for. `docker_arch` is `amd64` or `arm64`; `commit` is the full hash of HEAD, or ""."""

    environment: Mapping[str, str] = field(default_factory=dict)
    docker_arch: str = "amd64"
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The text after ERB, and for each of its lines the line of the source (from 1) that it came from."""

    text: str
    lines: tuple[int, ...]
    findings: tuple[Finding, ...] = ()


class _Unsupported(Exception):
    """The code is outside the subset, or asks for something that is not there."""

    def __init__(self, what: str, next_: str = _SUBSET) -> None:
        super().__init__(what)
        self.what, self.next = what, next_


@dataclass(frozen=True, slots=True)
class _Tag:
    """One `<% … %>`; `source` is all of it, with the newline that `-%>` takes away."""

    start: int
    source: str
    kind: str
    code: str


def _tags(text: str) -> Iterator[_Tag]:
    position = 0
    while (start := text.find("<%", position)) >= 0:
        if text.startswith("<%%", start):
            yield _Tag(start, "<%%", "%", "")
            position = start + 3
            continue
        close = text.find("%>", start + 2)
        while close > 0 and text[close - 1] == "%" and close - 1 > start + 1:
            close = text.find("%>", close + 2)
        if close < 0:
            yield _Tag(start, text[start:], "unclosed", "")
            return
        code, end = text[start + 2 : close].replace("%%>", "%>"), close + 2
        if code.endswith("-") and text.startswith("\n", end):
            end += 1
        kind = code[0] if code[:1] in ("=", "#", "-") else ""
        yield _Tag(start, text[start:end], kind, code.removeprefix(kind).removesuffix("-").strip())
        position = end


@dataclass(slots=True)
class _Output:
    parts: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=lambda: [1])
    source_line: int = 1

    def literal(self, text: str) -> None:
        self.parts.append(text)
        for _ in range(text.count("\n")):
            self.source_line += 1
            self.lines.append(self.source_line)

    def value(self, text: str) -> None:
        self.parts.append(text)
        self.lines.extend([self.source_line] * text.count("\n"))

    def skip(self, text: str) -> None:
        self.source_line += text.count("\n")
        if self.parts and self.parts[-1].endswith("\n"):
            self.lines[-1] = self.source_line


def render_erb(text: str, file: str, facts: ErbFacts) -> Rendered:
    """Return `text` with its ERB tags replaced. Never raises: what cannot be rendered is a finding with its line."""
    out, findings, position = _Output(), [], 0
    for tag in _tags(text):
        out.literal(_before(text[position : tag.start], tag.kind))
        position = tag.start + len(tag.source)
        line = out.source_line
        try:
            out.value(_replacement(tag, facts))
        except _Unsupported as error:
            findings.append(finding("erb", Mark(file, line), (), error.what, next_=error.next))
        out.skip(tag.source)
    out.literal(text[position:])
    return Rendered("".join(out.parts), tuple(out.lines), tuple(findings))


def _before(text: str, kind: str) -> str:
    # `<%-` takes away the indentation of its own line.
    stripped = text.rstrip(" \t")
    return stripped if kind == "-" and (not stripped or stripped.endswith("\n")) else text


def _replacement(tag: _Tag, facts: ErbFacts) -> str:
    match tag.kind:
        case "%":
            return "<%"
        case "unclosed":
            raise _Unsupported("an ERB tag was opened with `<%` and never closed", "close it with `%>`")
        case "=":
            return _text(_evaluate(tag.code, facts))
        case "#":
            return ""
        case _:
            pass
    if all(line.strip().startswith("#") for line in tag.code.splitlines()):
        return ""
    raise _Unsupported(f"ERB code cannot be run: `{_short(tag.code)}`")


def _short(code: str) -> str:
    line = " ".join(code.split())
    return line if len(line) <= 60 else line[:57] + "..."  # noqa: PLR2004  what fits on a line of a message


def _text(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def _evaluate(code: str, facts: ErbFacts) -> Value:
    if len(code) > _MAX_CODE:
        raise _Unsupported("an ERB expression was too long")
    parser = _Parser(code, facts, _tokens(code))
    value = parser.ternary()
    parser.end()
    return value


def _tokens(code: str) -> list[tuple[str, str]]:
    tokens, position = [], 0
    while position < len(code):
        match = _TOKEN.match(code, position)
        if match is None:
            raise _Unsupported(f"ERB code cannot be run: `{_short(code)}`")
        tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
        position = match.end()
    return tokens


@dataclass(slots=True)
class _Parser:
    """A recursive descent over the tokens of one expression; `live` is off in the branch that is not taken."""

    code: str
    facts: ErbFacts
    tokens: list[tuple[str, str]]
    position: int = 0
    depth: int = 0
    live: bool = True

    def fail(self) -> NoReturn:
        raise _Unsupported(f"ERB code cannot be run: `{_short(self.code)}`")

    def end(self) -> None:
        if self.position < len(self.tokens):
            self.fail()

    def take(self, sign: str) -> bool:
        if self.position < len(self.tokens) and self.tokens[self.position] == ("sign", sign):
            self.position += 1
            return True
        return False

    def expect(self, sign: str) -> None:
        if not self.take(sign):
            self.fail()

    def branch(self, *, live: bool) -> Value:
        before, self.live = self.live, self.live and live
        value = self.ternary()
        self.live = before
        return value

    def ternary(self) -> Value:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            self.fail()
        value = self.either()
        if self.take("?"):
            truth = value is not None and value is not False
            first = self.branch(live=truth)
            self.expect(":")
            second = self.branch(live=not truth)
            value = first if truth else second
        self.depth -= 1
        return value

    def either(self) -> Value:
        value = self.comparison()
        while self.take("||"):
            before = self.live
            missing = value is None or value is False
            self.live = before and missing
            other = self.comparison()
            self.live = before
            value = other if missing else value
        return value

    def comparison(self) -> Value:
        value = self.operand()
        if self.take("=="):
            return value == self.operand()
        if self.take("!="):
            return value != self.operand()
        return value

    def operand(self) -> Value:
        if self.position >= len(self.tokens):
            self.fail()
        kind, text = self.tokens[self.position]
        self.position += 1
        value = self.primary(kind, text)
        while self.position < len(self.tokens) and self.tokens[self.position][0] == "method":
            method = self.tokens[self.position][1]
            self.position += 1
            value = _call(value, method)
        return value

    def primary(self, kind: str, text: str) -> Value:  # noqa: PLR0911  one line per form
        match kind, text:
            case "string", _:
                return _string(text)
            case "number", _:
                return text.replace("_", "") if "." in text else int(text.replace("_", ""))
            case "command", _:
                return self.command(text)
            case "name", ("nil" | "true" | "false"):
                return None if text == "nil" else text == "true"
            case "name", "ENV":
                self.expect("[")
                name = self.name()
                self.expect("]")
                return self.facts.environment.get(name)
            case "name", "ENV.fetch":
                return self.fetch()
            case "name", _:
                return self.facts.docker_arch
            case "sign", "(":
                value = self.ternary()
                self.expect(")")
                return value
            case _:
                self.fail()

    def name(self) -> str:
        value = self.ternary()
        if not isinstance(value, str):
            self.fail()
        return value

    def fetch(self) -> Value:
        self.expect("(")
        name = self.name()
        is_set = name in self.facts.environment
        default: Value = None
        has_default = self.take(",")
        if has_default:
            default = self.branch(live=not is_set)
        self.expect(")")
        if not has_default and self.take("{"):
            has_default = True
            default = self.branch(live=not is_set)
            self.expect("}")
        if not is_set and not has_default and self.live:
            what = f'key not found: "{name}": the environment variable that ENV.fetch asks for is not set'
            raise _Unsupported(what, f'set {name}, or give a default: ENV.fetch("{name}", "...")')
        return self.facts.environment[name] if is_set else default

    def command(self, text: str) -> str:
        body = text[1:-1] if text.startswith("`") else text[3:-1]
        words = body.split()
        if words not in (["git", "rev-parse", "HEAD"], ["git", "rev-parse", "--short", "HEAD"]):
            hint = "only `git rev-parse [--short] HEAD` is known; put the value into an environment variable"
            raise _Unsupported(f"the command in ERB is not run: `{_short(body)}`", hint)
        if self.live and not self.facts.commit:
            raise _Unsupported("ERB asks for the commit, and there is none here", "git init && git commit")
        return (self.facts.commit[:7] if "--short" in words else self.facts.commit) + "\n"


def _call(value: Value, method: str) -> Value:
    text = _text(value)
    match method:
        case ".strip":
            return text.strip()
        case ".chomp":
            return text.removesuffix("\n")
        case _:
            return text


def _string(literal: str) -> str:
    body = literal[1:-1]
    if literal[0] == "'":
        return re.sub(r"\\([\\'])", r"\1", body)
    if re.search(r"(?<!\\)#[{$@]", body):
        raise _Unsupported(f"ERB code cannot be run: `{_short(literal)}` computes a part of its text")
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), body, flags=re.DOTALL)
