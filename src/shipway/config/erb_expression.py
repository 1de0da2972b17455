"""The expressions that ERB may hold: a small language of its own, which looks like the Ruby that it stands for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn, TypeAlias

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


class Unsupported(Exception):
    """The code is outside the subset, or asks for something that is not there."""

    def __init__(self, what: str, next_: str = _SUBSET) -> None:
        super().__init__(what)
        self.what, self.next = what, next_


def shortened(code: str) -> str:
    """Return code as it fits into a message."""
    line = " ".join(code.split())
    return line if len(line) <= 60 else line[:57] + "..."  # noqa: PLR2004  what fits on a line of a message


def text_of(value: Value) -> str:
    """Return a value as it is written into the file."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def evaluate(code: str, facts: ErbFacts) -> Value:
    """Return the value of an expression; raises Unsupported for anything outside the subset."""
    if len(code) > _MAX_CODE:
        raise Unsupported("an ERB expression was too long")
    parser = _Parser(code, facts, _tokens(code))
    value = parser.ternary()
    parser.end()
    return value


def _tokens(code: str) -> list[tuple[str, str]]:
    tokens, position = [], 0
    while position < len(code):
        match = _TOKEN.match(code, position)
        if match is None:
            raise Unsupported(f"ERB code cannot be run: `{shortened(code)}`")
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
        raise Unsupported(f"ERB code cannot be run: `{shortened(self.code)}`")

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
                pass
        return self.fail()

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
            raise Unsupported(what, f'set {name}, or give a default: ENV.fetch("{name}", "...")')
        return self.facts.environment[name] if is_set else default

    def command(self, text: str) -> str:
        body = text[1:-1] if text.startswith("`") else text[3:-1]
        words = body.split()
        if words not in (["git", "rev-parse", "HEAD"], ["git", "rev-parse", "--short", "HEAD"]):
            hint = "only `git rev-parse [--short] HEAD` is known; put the value into an environment variable"
            raise Unsupported(f"the command in ERB is not run: `{shortened(body)}`", hint)
        if self.live and not self.facts.commit:
            raise Unsupported("ERB asks for the commit, and there is none here", "git init && git commit")
        return (self.facts.commit[:7] if "--short" in words else self.facts.commit) + "\n"


def _call(value: Value, method: str) -> Value:
    text = text_of(value)
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
        raise Unsupported(f"ERB code cannot be run: `{shortened(literal)}` computes a part of its text")
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), body, flags=re.DOTALL)
