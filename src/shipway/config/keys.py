"""Keys, and the kinds that hold other kinds.

One declaration of a key serves the reader, the JSON Schema and the reference. The rules and the words of the messages
are Kamal's (`should be a string`), so that what is known about its messages stays true; what to do next is ours. A
section is a frozen dataclass whose fields are made with `key`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shipway.config.kinds import Kind, Schema, suggestion, wrong_type
from shipway.config.report import Report
from shipway.config.tree import ListNode, MapNode, Node, Path, locate


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


def unknown_keys(unknown: list[str], known: Iterable[str], path: Path, report: Report, *, hint: str = "") -> None:
    """Report keys that do not exist, with `hint` or the nearest that do; the place is that of the first."""
    names = tuple(known)
    words = "unknown key" if len(unknown) == 1 else "unknown keys"
    hints = [suggestion(name, names, names_it=len(unknown) > 1) for name in unknown]
    mark = locate(report.root, (*path, unknown[0]))
    report.add("unknown_key", path, f"{words}: {', '.join(unknown)}", next=hint or "; ".join(hints), mark=mark)
