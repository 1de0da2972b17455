"""YAML text in, a tree of positions out. Reads the events of libyaml, the parser that Kamal's Ruby uses as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import yaml

from shipway.config.report import finding
from shipway.config.scalars import read_scalar
from shipway.config.tree import Entry, ListNode, MapNode, Mark, Node, Path, ScalarNode
from shipway.core.errors import Finding

# Deeper nesting than this is no configuration; the readers of the tree are recursive.
_MAX_DEPTH = 40
_TAG = "tag:yaml.org,2002:"
_KNOWN_TAGS = frozenset({"!", *(_TAG + name for name in ("str", "int", "float", "bool", "null", "map", "seq"))})
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Malformed(Exception):
    """The text is no YAML that can be a configuration. `next` says what to do."""

    def __init__(self, mark: Mark, what: str, next_: str = "") -> None:
        super().__init__(what)
        self.mark, self.what, self.next = mark, what, next_


@dataclass(slots=True)
class _Frame:
    """A map or a list that is still open. For a map `key` is the key whose value comes next."""

    mark: Mark
    is_map: bool
    anchor: str | None
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    own: dict[str, Mark] = field(default_factory=dict)
    key: ScalarNode | None = None

    def step(self) -> str | int:
        return len(self.items) if not self.is_map else self.key.text if self.key else ""


@dataclass(slots=True)
class _Builder:
    file: str
    lines: Sequence[int]
    frames: list[_Frame] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    root: Node | None = None
    documents: int = 0

    def mark(self, line: int) -> Mark:
        """Return the place of rendered `line` (from 0) in the source."""
        return Mark(self.file, self.lines[min(line, len(self.lines) - 1)] if self.lines else 1)

    def path(self) -> Path:
        return tuple(frame.step() for frame in self.frames)

    def feed(self, event: yaml.Event) -> None:
        mark = self.mark(event.start_mark.line if event.start_mark else 0)
        match event:
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    raise _Malformed(mark, "a second document (`---`) would be ignored", "keep one document in a file")
            case yaml.ScalarEvent():
                self.check_tag(event.tag, mark)
                self.add(_scalar(event, mark), event.anchor)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self.check_tag(event.tag, mark)
                self.open(_Frame(mark, isinstance(event, yaml.MappingStartEvent), event.anchor))
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                frame = self.frames.pop()
                node = MapNode(frame.mark, frame.entries) if frame.is_map else ListNode(frame.mark, tuple(frame.items))
                self.add(node, frame.anchor)
            case yaml.AliasEvent():
                self.add(self.alias(event.anchor or "", mark), None)
            case _:
                pass

    def check_tag(self, tag: str | None, mark: Mark) -> None:
        if tag is not None and tag not in _KNOWN_TAGS:
            raise _Malformed(mark, f"the YAML tag `{tag}` is not supported", "write the value without a tag")

    def open(self, frame: _Frame) -> None:
        if len(self.frames) >= _MAX_DEPTH:
            raise _Malformed(frame.mark, f"the file is nested deeper than {_MAX_DEPTH} levels")
        if self.frames and self.frames[-1].is_map and self.frames[-1].key is None:
            raise _Malformed(frame.mark, "a key was a list or a map", "write a single word before the colon")
        self.frames.append(frame)

    def alias(self, name: str, mark: Mark) -> Node:
        node = self.anchors.get(name)
        if node is None:
            hint = "define it with `&` above its use; anchors of another file are not visible"
            raise _Malformed(mark, f"the alias `*{name}` has no anchor in this file", hint)
        return node

    def add(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self.anchors[anchor] = node
        if not self.frames:
            self.root = node
            return
        frame = self.frames[-1]
        if not frame.is_map:
            frame.items.append(node)
        elif frame.key is None:
            if not isinstance(node, ScalarNode):
                raise _Malformed(node.mark, "a key was a list or a map", "write a single word before the colon")
            frame.key = node
        else:
            self.put(frame, frame.key, node)
            frame.key = None

    def put(self, frame: _Frame, key: ScalarNode, node: Node) -> None:
        if key.text == "<<" and _is_mergeable(node):
            for source in reversed(node.items if isinstance(node, ListNode) else (node,)):
                if isinstance(source, MapNode):
                    frame.entries.update(source.entries)
            return
        if key.text in frame.own:
            first = frame.own[key.text].line
            what = f"`{key.text}` stood twice (first on line {first}): only the last would count"
            self.findings.append(
                finding("duplicate_key", key.mark, self.path(), what, next_=f"remove one `{key.text}`")
            )
        frame.own[key.text] = key.mark
        frame.entries[key.text] = Entry(key.mark, node)


def _is_mergeable(node: Node) -> bool:
    return isinstance(node, MapNode) or (
        isinstance(node, ListNode) and all(isinstance(item, MapNode) for item in node.items)
    )


def _scalar(event: yaml.ScalarEvent, mark: Mark) -> ScalarNode:
    is_text = not event.implicit[0] and event.tag in (None, "!", _TAG + "str")
    if is_text:
        return ScalarNode(mark, event.value, event.value, "string")
    value, kind = read_scalar(event.value)
    return ScalarNode(mark, event.value, value, kind)


def parse_yaml(text: str, file: str, lines: Sequence[int]) -> tuple[MapNode | None, list[Finding]]:
    """Return the tree of `text` (None when there is none) and what is wrong with it.

    `lines` gives the line of `file` from which each line of `text` came (they differ after ERB).
    """
    builder = _Builder(file, lines)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.feed(event)
        return _root(builder), builder.findings
    except _Malformed as error:
        problem = finding("syntax", error.mark, (), error.what, next_=error.next)
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark or error.context_mark
        words = " ".join(filter(None, (error.problem, error.context)))
        mark = builder.mark(at.line if at else 0)
        problem = finding("syntax", mark, (), f"the file is no valid YAML: {words}", next_=_hint(words))
    except (yaml.YAMLError, UnicodeError) as error:
        what = f"the file is no valid YAML: {getattr(error, 'reason', 'it has unreadable characters')}"
        problem = finding("syntax", Mark(file, 1), (), what, next_="save it as UTF-8 text")
    return None, [*builder.findings, problem]


def _root(builder: _Builder) -> MapNode:
    root = builder.root
    if isinstance(root, MapNode):
        # At the root Kamal takes `:service:` (a Ruby symbol) for `service:`.
        return MapNode(root.mark, {key.removeprefix(":") or key: entry for key, entry in root.entries.items()})
    if root is None or (isinstance(root, ScalarNode) and root.kind == "null"):
        raise _Malformed(Mark(builder.file, 1), "the file was empty", "write at least one `key: value`, or remove it")
    raise _Malformed(root.mark, "should be a hash: the file holds no `key: value` lines", "begin with `service: name`")


def _hint(words: str) -> str:
    if "cannot start any token" in words:
        return "indent with spaces, and quote a value that begins with a special character"
    if "mapping values" in words or "expected ':'" in words or "expected <block end>" in words:
        return "check the indentation of this line, and quote a value that contains `: `"
    return "check this line and the one above it"
