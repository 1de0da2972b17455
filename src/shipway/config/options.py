"""`options`: flags of `docker run`, and the restart policy that stands among them; labels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from shipway.config.keys import ListOf, MapOf, OneOf
from shipway.config.kinds import Plain, Schema, wrong_type
from shipway.config.report import Report
from shipway.config.tree import MapNode, Node, Path, ScalarNode, ScalarValue

Options = Mapping[str, ScalarValue | tuple[ScalarValue, ...]]

DEFAULT_RESTART = "unless-stopped"
_RESTART = re.compile(r"no|always|unless-stopped|on-failure(?::\d+)?")
_RESERVED = ("destination", "role", "service")


@dataclass(frozen=True, slots=True)
class OptionsKind:
    """Flags of `docker run`: `key: value` gives `--key "value"`, `true` the bare flag, a list repeats the flag."""

    has_restart: bool = True
    words: str = "a hash"

    def accepts(self, node: Node) -> bool:
        """Return whether `node` is a map."""
        return isinstance(node, MapNode)

    def read(self, node: Node, path: Path, report: Report) -> Options | None:
        """Return the flags; `restart` is checked and stays among them."""
        if not isinstance(node, MapNode):
            wrong_type(self.words, node, path, report)
            return None
        kind = OneOf((Plain(), ListOf(Plain())))
        options = {
            name: kind.read(entry.node, (*path, name), report)
            for name, entry in node.entries.items()
            if not (self.has_restart and name == "restart")
        }
        if self.has_restart and "restart" in node.entries:
            options["restart"] = _read_restart(node.entries["restart"].node, (*path, "restart"), report)
        return {name: value for name, value in options.items() if value is not None}

    def schema(self) -> Schema:
        """Return the JSON Schema of the kind."""
        return MapOf(OneOf((Plain(), ListOf(Plain())))).schema()


def _read_restart(node: Node, path: Path, report: Report) -> str | None:
    if not (isinstance(node, ScalarNode) and isinstance(node.value, str) and node.kind == "string"):
        report.add("type", path, 'should be a string. Use "no" to disable restarts', next='write restart: "no"')
    elif not _RESTART.fullmatch(node.value):
        hint = "unless-stopped is the default"
        report.add("value", path, "should be no, always, unless-stopped, on-failure, or on-failure:N", next=hint)
    else:
        return node.value
    return None


def restart_of(options: Options | None) -> str:
    """Return the restart policy."""
    return str((options or {}).get("restart", DEFAULT_RESTART))


def flags_of(options: Options | None) -> Options:
    """Return the flags without the restart policy."""
    return {name: value for name, value in (options or {}).items() if name != "restart"}


def check_label(name: str) -> str:
    """Return what is wrong with the name of a label, or ""."""
    if name in _RESERVED:
        return "invalid label. destination, role, and service are reserved labels"
    return ""
