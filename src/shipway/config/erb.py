"""The subset of ERB that deploy.yml files need, rendered without running anything.

Between `<%=` and `%>` may stand: `ENV["X"]`, `ENV.fetch("X")`, `ENV.fetch("X", default)`, `ENV.fetch("X") { default }`,
string and number literals, `nil`, `true`, `false`, `Kamal::Utils.docker_arch`, `a == b`, `a != b`, `a || b`,
`a ? b : c`, parentheses, `.strip`, `.chomp`, `.to_s`, and `git rev-parse HEAD` or `git rev-parse --short HEAD` in
backticks or `%x( )`. `<%# comment %>`, `<%%`, `<%-` and `-%>` (ERB's trim mode `-`) work. Anything else is an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from shipway.config.erb_expression import ErbFacts, Unsupported, evaluate, shortened, text_of
from shipway.config.report import finding
from shipway.config.tree import Mark
from shipway.core.errors import Finding


@dataclass(frozen=True, slots=True)
class Rendered:
    """The text after ERB, and for each of its lines the line of the source (from 1) that it came from."""

    text: str
    lines: tuple[int, ...]
    findings: tuple[Finding, ...] = ()


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
    """The rendered text, and for each of its lines the line of the source. `is_fresh`: the last line is empty yet."""

    parts: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=lambda: [1])
    source_line: int = 1
    is_fresh: bool = True

    def literal(self, text: str) -> None:
        """Add text of the source itself."""
        for _ in range(text.count("\n")):
            self.source_line += 1
            self.lines.append(self.source_line)
        self._add(text)

    def value(self, text: str) -> None:
        """Add text that a tag gave."""
        self.lines.extend([self.source_line] * text.count("\n"))
        self._add(text)

    def _add(self, text: str) -> None:
        if text:
            self.parts.append(text)
            self.is_fresh = text.endswith("\n")

    def skip(self, source: str) -> None:
        """Pass over a tag of the source."""
        self.source_line += source.count("\n")
        if self.is_fresh:
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
        except Unsupported as error:
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
            raise Unsupported("an ERB tag was opened with `<%` and never closed", "close it with `%>`")
        case "=":
            return text_of(evaluate(tag.code, facts))
        case "#":
            return ""
        case _:
            pass
    if all(line.strip().startswith("#") for line in tag.code.splitlines()):
        return ""
    raise Unsupported(f"ERB code cannot be run: `{shortened(tag.code)}`")
