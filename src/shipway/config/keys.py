"""The kinds of values that keys have. One declaration of a key serves the reader, the JSON Schema and the reference.

The rules and the words of the messages are Kamal's (`should be a string`), so that what is known about its messages
stays true; what to do next is ours. A section is a frozen dataclass whose fields are made with `key`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from shipway.config.report import Report
from shipway.config.scalars import is_octal, is_sexagesimal
from shipway.config.tree import ListNode, MapNode, Node, Path, ScalarNode, ScalarValue, kind_words, locate

Schema: TypeAlias = dict[str, Any]

_HINTS: Mapping[str, str] = {
    "a string": "write one value, in quotes if it looks like something else",
    "an integer": "write a whole number without quotes",
    "a boolean": "write true or false",
    "a hash": "write `key: value` lines below it",
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


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list; wrong items are reported and left out."""

    item: Kind
    words: str = "an array"

    def accepts(self, node: Node) -> bool:
        """Return whether `node` is a list."""
        return isinstance(node, ListNode)

    def read(self, node: Node, path: Path, report: Report) -> tuple[Any, ...] | None:
        """Return the items."""
        if not isinstance(node, ListNode):
            wrong_type(self.words, node, path, report)
            return None
        values = (self.item.read(item, (*path, index), report) for index, item in enumerate(node.items))
        return tuple(value for value in values if value is not None)

    def schema(self) -> Schema:
        """Return the JSON Schema of the kind."""
        return {"type": "array", "items": self.item.schema()}


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map with free keys; `check` looks at each key and returns what is wrong with it, or ""."""

    item: Kind
    check: Callable[[str], str] | None = None
    words: str = "a hash"

    def accepts(self, node: Node) -> bool:
        """Return whether `node` is a map."""
        return isinstance(node, MapNode)

    def read(self, node: Node, path: Path, report: Report) -> Mapping[str, Any] | None:
        """Return the values by key."""
        if not isinstance(node, MapNode):
            wrong_type(self.words, node, path, report)
            return None
        values = {}
        for name, entry in node.entries.items():
            if self.check is not None and (problem := self.check(name)):
                report.add("value", (*path, name), problem)
            value = self.item.read(entry.node, (*path, name), report)
            if value is not None:
                values[name] = value
        return values

    def schema(self) -> Schema:
        """Return the JSON Schema of the kind."""
        return {"type": "object", "additionalProperties": self.item.schema()}


@dataclass(frozen=True, slots=True)
class OneOf:
    """Any of several kinds, told apart by their shape; `said` are the words of Kamal's message where they differ."""

    kinds: tuple[Kind, ...]
    said: str = ""

    @property
    def words(self) -> str:
        """The words of all kinds, as Kamal joins them."""
        return self.said or " or ".join(dict.fromkeys(kind.words for kind in self.kinds))

    def accepts(self, node: Node) -> bool:
        """Return whether one of the kinds does."""
        return any(kind.accepts(node) for kind in self.kinds)

    def read(self, node: Node, path: Path, report: Report) -> Any:
        """Return what the first kind of the right shape reads."""
        for kind in self.kinds:
            if kind.accepts(node):
                return kind.read(node, path, report)
        wrong_type(self.words, node, path, report)
        return None

    def schema(self) -> Schema:
        """Return the JSON Schema of the kind."""
        return {"anyOf": [kind.schema() for kind in self.kinds]}


@dataclass(frozen=True, slots=True)
class Section:
    """A map with known keys: the fields of the dataclass `model`. `check` looks at the whole after reading.

    `free` are beginnings of keys that are passed over (`x-` at the root).
    """

    model: type[Any]
    check: Callable[[Any, Path, Report], None] | None = None
    free: str = ""
    words: str = "a hash"

    def accepts(self, node: Node) -> bool:
        """Return whether `node` is a map."""
        return isinstance(node, MapNode)

    def read(self, node: Node, path: Path, report: Report) -> Any:
        """Return an instance of the model; keys that are wrong have their default."""
        if not isinstance(node, MapNode):
            wrong_type(self.words, node, path, report)
            return None
        keys = keys_of(self.model)
        unknown = [name for name in node.entries if name not in keys and not (self.free and name.startswith(self.free))]
        if unknown:
            unknown_keys(unknown, keys, path, report)
        values = {}
        for name, entry in node.entries.items():
            if name in keys and (value := keys[name].kind.read(entry.node, (*path, name), report)) is not None:
                values[name] = value
        section = self.model(**values)
        if self.check is not None:
            self.check(section, path, report)
        return section

    def schema(self) -> Schema:
        """Return the JSON Schema of the kind."""
        properties = {
            name: {**info.kind.schema(), "description": info.doc} for name, info in keys_of(self.model).items()
        }
        schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        return schema | ({"patternProperties": {f"^{re.escape(self.free)}": {}}} if self.free else {})


@dataclass(frozen=True, slots=True)
class Subtree:
    """A part that is checked as `kind` and kept as a tree, to be merged with another and read again."""

    kind: Kind

    @property
    def words(self) -> str:
        """The words of the kind."""
        return self.kind.words

    def accepts(self, node: Node) -> bool:
        """Return whether the kind does."""
        return self.kind.accepts(node)

    def read(self, node: Node, path: Path, report: Report) -> Node | None:
        """Return the tree itself, or None where it is not of the kind."""
        return None if self.kind.read(node, path, report) is None else node

    def schema(self) -> Schema:
        """Return the JSON Schema of the kind."""
        return self.kind.schema()


@dataclass(frozen=True, slots=True)
class Key:
    """What is known about one key."""

    kind: Kind
    doc: str
    default: str


def key(kind: Kind, doc: str, *, default: str = "", value: Any = None) -> Any:
    """Return the field of a section: `doc` for its reader, `default` told there, `value` used where it is not set."""
    metadata = {"key": Key(kind, doc, default)}
    if value == {}:
        return dataclasses.field(default_factory=dict, metadata=metadata)
    return dataclasses.field(default=value, metadata=metadata)


def keys_of(model: type[Any]) -> Mapping[str, Key]:
    """Return the keys of a section in the order of their declaration."""
    return {found.name: found.metadata["key"] for found in dataclasses.fields(model) if "key" in found.metadata}


def unknown_keys(unknown: list[str], known: Iterable[str], path: Path, report: Report) -> None:
    """Report keys that do not exist, with the nearest that do; the place is that of the first."""
    names = tuple(known)
    words = "unknown key" if len(unknown) == 1 else "unknown keys"
    hints = [suggestion(name, names, names_it=len(unknown) > 1) for name in unknown]
    mark = locate(report.root, (*path, unknown[0]))
    report.add("unknown_key", path, f"{words}: {', '.join(unknown)}", next="; ".join(hints), mark=mark)


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
