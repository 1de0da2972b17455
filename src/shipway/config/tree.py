"""The configuration as it was written: a tree whose every part knows its file and line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

ScalarValue: TypeAlias = str | int | float | bool | None
ScalarKind = Literal["string", "integer", "float", "boolean", "null", "date"]
Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file; `line` counts from 1."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A single value. `text` is what was written; `value` is what YAML 1.1 makes of it."""

    mark: Mark
    text: str
    value: ScalarValue
    kind: ScalarKind


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list."""

    mark: Mark
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of a map; `mark` is the place of the key."""

    mark: Mark
    node: Node


@dataclass(frozen=True, slots=True)
class MapNode:
    """A map, in the order in which it was written."""

    mark: Mark
    entries: Mapping[str, Entry]


Node: TypeAlias = ScalarNode | ListNode | MapNode

_KIND_WORDS: Mapping[ScalarKind, str] = {
    "string": "a string",
    "integer": "an integer",
    "float": "a decimal number",
    "boolean": "a boolean",
    "null": "empty",
    "date": "a date",
}


def kind_words(node: Node) -> str:
    """Return what `node` is, for a message: `a list`, `a boolean`, `empty`."""
    match node:
        case ListNode():
            return "a list"
        case MapNode():
            return "a map"
        case ScalarNode(kind=kind):
            return _KIND_WORDS[kind]


def is_null(node: Node) -> bool:
    """Return whether nothing was written."""
    return isinstance(node, ScalarNode) and node.kind == "null"


def node_at(root: Node, path: Path) -> Node | None:
    """Return what stands at `path`, a path of keys, or None."""
    node = root
    for step in path:
        if not isinstance(node, MapNode) or str(step) not in node.entries:
            return None
        node = node.entries[str(step)].node
    return node


def locate(root: Node, path: Path) -> Mark:
    """Return the place of the deepest part of `path` that exists under `root`."""
    mark, node = root.mark, root
    for step in path:
        match node:
            case MapNode(entries=entries) if str(step) in entries:
                entry = entries[str(step)]
                mark, node = entry.mark, entry.node
            case ListNode(items=items) if isinstance(step, int) and step < len(items):
                node = items[step]
                mark = node.mark
            case _:
                break
    return mark


def merge(base: Node, over: Node) -> Node:
    """Return `base` with `over` laid on it, as Kamal does: maps merge by key, everything else is replaced.

    Pairs that were merged once are not merged again, so that shared anchors cost no exponential time.
    """
    seen: dict[tuple[int, int], Node] = {}

    def combine(below: Node, above: Node) -> Node:
        if not (isinstance(below, MapNode) and isinstance(above, MapNode)):
            return above
        pair = (id(below), id(above))
        if pair not in seen:
            entries = dict(below.entries)
            for key, entry in above.entries.items():
                old = entries.get(key)
                entries[key] = entry if old is None else Entry(entry.mark, combine(old.node, entry.node))
            seen[pair] = MapNode(above.mark, entries)
        return seen[pair]

    return combine(base, over)
