"""What a value may be: the protocol of all kinds, and the kinds of single values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from shipway.config.report import Report
from shipway.config.scalars import is_octal, is_sexagesimal
from shipway.config.tree import Node, Path, ScalarNode, ScalarValue, kind_words

Schema: TypeAlias = dict[str, Any]

_HINTS: Mapping[str, str] = {
    "a string": "write one value, in quotes if it looks like something else",
    "an integer": "write a whole number without quotes",
    "a boolean": "write true or false",
    "a hash": "write `key: value` lines below it",
    "a time": "write seconds, or 90s, 5m, 1h",
    "an array": "write a list, one `- item` per line",
}


class Kind(Protocol):
    """What a key may hold."""

    @property
    def words(self) -> str:
        """The words of Kamal's message: `a string`."""
        ...

    def accepts(self, node: Node) -> bool:
        """Return whether `node` has the right shape at the top."""
        ...

    def read(self, node: Node, path: Path, report: Report) -> Any:
        """Return the value of `node`, or None after reporting what is wrong with it."""
        ...

    def schema(self) -> Schema:
        """Return the JSON Schema of the kind."""
        ...


def wrong_type(words: str, node: Node, path: Path, report: Report) -> None:
    """Report that `node` should be `words`."""
    hint = " or ".join(_HINTS[word] for word in words.split(" or ") if word in _HINTS)
    report.add("type", path, f"should be {words} (it is {kind_words(node)})", next=hint)


def _is_scalar(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.kind not in ("null", "date")


def _text_of(node: ScalarNode) -> str:
    match node.value:
        case bool():
            return "true" if node.value else "false"
        case float():
            return node.text
        case _:
            return str(node.value)


@dataclass(frozen=True, slots=True)
class Text:
    """A string; numbers and booleans are taken as text, as Kamal does.

    `strict` refuses them where Kamal accepts them and then fails or loses them. `check` returns what is wrong with a
    text, or "". `choices` are the only texts allowed.
    """

    check: Callable[[str], str] | None = None
    choices: tuple[str, ...] = ()
    strict: bool = False
    words: str = "a string"

    def accepts(self, node: Node) -> bool:
        """Return whether `node` is a single value."""
        return _is_scalar(node)

    def read(self, node: Node, path: Path, report: Report) -> str | None:
        """Return the text of `node`."""
        if not isinstance(node, ScalarNode) or not self.accepts(node):
            wrong_type(self.words, node, path, report)
            return None
        text = _text_of(node)
        if node.kind == "integer" and (is_sexagesimal(node.text) or (self.strict and is_octal(node.text))):
            misread(node, path, report)
        elif self.strict and node.kind != "string":
            wrong_type(self.words, node, path, report)
        elif self.choices and text not in self.choices:
            report.add("value", path, f"should be {_alternatives(self.choices)}", next=suggestion(text, self.choices))
        elif self.check is not None and (problem := self.check(text)):
            report.add("value", path, problem)
        else:
            return text
        return None

    def schema(self) -> Schema:
        """Return the JSON Schema of the kind."""
        if self.choices:
            return {"enum": list(self.choices)}
        return {"type": "string"} if self.strict else {"type": ["string", "number", "boolean"]}


def misread(node: ScalarNode, path: Path, report: Report) -> None:
    """Report a number that YAML 1.1 reads in another base than its author meant."""
    what = f"`{node.text}` without quotes is the number {node.value} in YAML 1.1"
    report.add("value", path, what, next=f'write "{node.text}"')


@dataclass(frozen=True, slots=True)
class Plain:
    """A single value kept as it is: text, number or boolean (environment variables, labels)."""

    words: str = "a string"

    def accepts(self, node: Node) -> bool:
        """Return whether `node` is a single value."""
        return _is_scalar(node)

    def read(self, node: Node, path: Path, report: Report) -> ScalarValue:
        """Return the value of `node`."""
        if not isinstance(node, ScalarNode) or not self.accepts(node):
            wrong_type(self.words, node, path, report)
            return None
        if node.kind in ("integer", "float") and str(node.value) != node.text:
            report.warn(
                "value", path, f"`{node.text}` is read as {node.value}", next=f'write "{node.text}" if not meant'
            )
        return node.value

    def schema(self) -> Schema:
        """Return the JSON Schema of the kind."""
        return {"type": ["string", "number", "boolean"]}


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number, at least `least`. `unit` is told in the reference."""

    least: int | None = None
    most: int | None = None
    unit: str = ""
    words: str = "an integer"

    def accepts(self, node: Node) -> bool:
        """Return whether `node` is a whole number."""
        return isinstance(node, ScalarNode) and node.kind == "integer"

    def read(self, node: Node, path: Path, report: Report) -> int | None:
        """Return the number."""
        if not (isinstance(node, ScalarNode) and isinstance(node.value, int) and self.accepts(node)):
            wrong_type(self.words, node, path, report)
            return None
        if is_sexagesimal(node.text):
            misread(node, path, report)
            return None
        if self.least is not None and node.value < self.least:
            report.add("value", path, f"should be at least {self.least}")
            return None
        if self.most is not None and node.value > self.most:
            report.add("value", path, f"should be at most {self.most}")
            return None
        return node.value

    def schema(self) -> Schema:
        """Return the JSON Schema of the kind."""
        limits = {"minimum": self.least, "maximum": self.most}
        return {"type": "integer"} | {name: limit for name, limit in limits.items() if limit is not None}


_DURATION = re.compile(r"(\d{1,6})(s|m|h)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Duration:
    """A time: seconds as a number, or `90s`, `5m`, `1h`. Read as seconds."""

    words: str = "a time"

    def accepts(self, node: Node) -> bool:
        """Return whether `node` is a single value."""
        return _is_scalar(node)

    def read(self, node: Node, path: Path, report: Report) -> int | None:
        """Return the seconds."""
        found = _DURATION.fullmatch(node.text) if isinstance(node, ScalarNode) else None
        if found is None:
            wrong_type(self.words, node, path, report)
            return None
        return int(found[1]) * _SECONDS[found[2] or "s"]

    def schema(self) -> Schema:
        """Return the JSON Schema of the kind."""
        return {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[0-9]{1,6}[smh]?$"}]}


@dataclass(frozen=True, slots=True)
class Boolean:
    """True or false (also yes, no, on, off: YAML 1.1)."""

    words: str = "a boolean"

    def accepts(self, node: Node) -> bool:
        """Return whether `node` is a boolean."""
        return isinstance(node, ScalarNode) and node.kind == "boolean"

    def read(self, node: Node, path: Path, report: Report) -> bool | None:
        """Return the boolean."""
        if isinstance(node, ScalarNode) and isinstance(node.value, bool):
            return node.value
        wrong_type(self.words, node, path, report)
        return None

    def schema(self) -> Schema:
        """Return the JSON Schema of the kind."""
        return {"type": "boolean"}


def suggestion(name: str, names: Iterable[str], *, names_it: bool = False) -> str:
    """Return a question with the nearest of `names`, or all of them where none is near."""
    import difflib

    candidates = sorted(names)
    near = difflib.get_close_matches(name, candidates, n=1)
    before = f"`{name}`: " if names_it else ""
    if near:
        return f"{before}did you mean `{near[0]}`?"
    return f"{before}known here: {', '.join(candidates)}" if candidates else f"{before}remove it"


def _alternatives(choices: tuple[str, ...]) -> str:
    return choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])} or {choices[-1]}"
