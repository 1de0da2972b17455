"""`servers`: roles, their hosts and what is particular to each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from shipway.config.container_logs import Logging
from shipway.config.env import EnvKind, EnvSection
from shipway.config.keys import ListOf, MapOf, OneOf, Section, key
from shipway.config.kinds import Boolean, Integer, Plain, Schema, Text, wrong_type
from shipway.config.options import Options, OptionsKind, check_label
from shipway.config.proxy import PROXY_TREE
from shipway.config.report import Report
from shipway.config.tree import ListNode, MapNode, Node, Path, ScalarNode, ScalarValue, kind_words
from shipway.core.unit import Kind as RoleKind

_SIGNAL = re.compile(r"(?:SIG)?[A-Z][A-Z0-9]{1,9}")
_BEAT = re.compile(r"\bcelery\b.*(?:\bbeat\b|\s-\w*B\b|\s--beat\b)", re.DOTALL)
_SCHEDULERS = frozenset({"beat", "scheduler", "clock"})
_ROLE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Host:
    """A host of a role, with its tags, and where it stands in the file."""

    name: str
    tags: tuple[str, ...] = ()
    path: Path = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class HostKind:
    """A host: its name or address, or one `host: tag` or `host: [tag, tag]`."""

    words: str = "a string or a hash"

    def accepts(self, node: Node) -> bool:
        """Return whether `node` is a single value or a map."""
        return isinstance(node, MapNode) or Text().accepts(node)

    def read(self, node: Node, path: Path, report: Report) -> Host | None:
        """Return the host; a number is refused, since Kamal would drop it without a word."""
        if isinstance(node, MapNode):
            if len(node.entries) != 1:
                report.add("value", path, "multiple hosts found", next="begin each host with `- ` on its own line")
                return None
            ((name, entry),) = node.entries.items()
            if not _is_host(name, path, report):
                return None
            return Host(name, self._tags(entry.node, (*path, name), report), (*path, name))
        if isinstance(node, ScalarNode) and node.kind in ("integer", "float", "boolean"):
            what = f"should be a string or a hash (`{node.text}` is {kind_words(node)}, and would be ignored)"
            report.add("type", path, what, next=f'write "{node.text}" if that is the name of a host')
            return None
        if not (isinstance(node, ScalarNode) and isinstance(node.value, str) and node.kind == "string"):
            wrong_type(self.words, node, path, report)
            return None
        return Host(node.value, path=path) if _is_host(node.value, path, report) else None

    @staticmethod
    def _tags(node: Node, path: Path, report: Report) -> tuple[str, ...]:
        if isinstance(node, ListNode):
            return ListOf(Text()).read(node, path, report) or ()
        if not Text().accepts(node):
            wrong_type("a string or an array", node, path, report)
            return ()
        tag = Text().read(node, path, report)
        return (tag,) if tag is not None else ()

    def schema(self) -> Schema:
        """Return the JSON Schema of the kind."""
        tags = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
        tagged = {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": tags}
        return {"anyOf": [{"type": "string"}, tagged]}


def _is_host(name: str, path: Path, report: Report) -> bool:
    if name.startswith("-") or not name or any(letter.isspace() or ord(letter) < ord(" ") for letter in name):
        report.add("value", path, f"`{name}` is no host name", next="write a name or an address, without spaces")
        return False
    return True


def _check_signal(text: str) -> str:
    return "" if _SIGNAL.fullmatch(text) else "should be the name of a signal such as TERM or QUIT"


def _check_role(name: str) -> str:
    return "" if _ROLE_NAME.fullmatch(name) else "a role's name has letters, digits, `_`, `-` and `.` only"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSection:
    """One role as it was written."""

    hosts: tuple[Host, ...] = key(
        ListOf(HostKind()), "The hosts of the role, each with its tags if it has any.", value=()
    )
    cmd: str | None = key(Text(), "The command that the role runs.", default="that of the image")
    stop_timeout: int | None = key(
        Integer(least=0, unit="s"),
        "Seconds that the old process may take to end.",
        default="`stop_timeout` of the root; without one 600 for a worker of Celery, RQ, Dramatiq, Huey or"
        " django-tasks-db",
    )
    options: Options | None = key(OptionsKind(), "Flags of `docker run`; `restart` is the restart policy.")
    logging: Logging | None = key(Section(Logging), "Laid over `logging` of the root.")
    proxy: Node | bool | None = key(
        OneOf((Boolean(), PROXY_TREE), said="a hash"),
        "Whether the role takes public traffic; a map is laid over `proxy` of the root.",
        default="true for the primary role, else false",
    )
    labels: Mapping[str, ScalarValue] | None = key(
        MapOf(Plain(), check=check_label), "Labels of the containers, over those of the root."
    )
    env: EnvSection | None = key(EnvKind(), "Environment of the role, over that of the root.")
    asset_path: str | None = key(Text(), "As at the root, for this role.")
    kind: RoleKind | None = key(
        Text(choices=("web", "worker", "scheduler")),
        "What the role is (Shipway's key): a scheduler never runs twice, a worker finishes its task before it ends.",
        default="web where the proxy sends traffic; scheduler for `celery beat` or a role named beat, scheduler or "
        "clock; else worker",
    )
    stop_signal: str | None = key(
        Text(check=_check_signal),
        "The signal that asks the process to end (Shipway's key).",
        default="TERM; INT for Huey",
    )


ROLE = Section(RoleSection)


@dataclass(frozen=True, slots=True)
class RoleKindOf:
    """A role: a list of hosts, or a map."""

    words: str = "an array or a hash"

    def accepts(self, node: Node) -> bool:
        """Return whether `node` is a list or a map."""
        return isinstance(node, ListNode | MapNode)

    def read(self, node: Node, path: Path, report: Report) -> RoleSection | None:
        """Return the role."""
        if isinstance(node, ListNode):
            return RoleSection(hosts=ListOf(HostKind()).read(node, path, report) or ())
        if not isinstance(node, MapNode):
            wrong_type(self.words, node, path, report)
            return None
        role = ROLE.read(node, path, report)
        return role if isinstance(role, RoleSection) else None

    def schema(self) -> Schema:
        """Return the JSON Schema of the kind."""
        return {"anyOf": [ListOf(HostKind()).schema(), ROLE.schema()]}


@dataclass(frozen=True, slots=True)
class Servers:
    """The roles as they were written. `is_list`: only hosts were given, all of one role `web`."""

    roles: Mapping[str, RoleSection] = field(default_factory=dict)
    is_list: bool = False


@dataclass(frozen=True, slots=True)
class ServersKind:
    """A list of hosts, or a map of roles."""

    words: str = "an array or a hash"

    def accepts(self, node: Node) -> bool:
        """Return whether `node` is a list or a map."""
        return isinstance(node, ListNode | MapNode)

    def read(self, node: Node, path: Path, report: Report) -> Servers | None:
        """Return the roles."""
        if isinstance(node, ListNode):
            hosts = ListOf(HostKind()).read(node, path, report) or ()
            return Servers({"web": RoleSection(hosts=hosts)}, is_list=True)
        if not isinstance(node, MapNode):
            wrong_type(self.words, node, path, report)
            return None
        roles = MapOf(RoleKindOf(), check=_check_role).read(node, path, report) or {}
        return Servers(dict(sorted(roles.items())))

    def schema(self) -> Schema:
        """Return the JSON Schema of the kind."""
        return {"anyOf": [ListOf(HostKind()).schema(), MapOf(RoleKindOf()).schema()]}


def kind_of(name: str, section: RoleSection, *, is_proxied: bool) -> RoleKind:
    """Return what a role is where it does not say so itself."""
    if section.kind is not None:
        return section.kind
    if is_proxied:
        return "web"
    is_scheduler = name in _SCHEDULERS or _BEAT.search(section.cmd or "")
    return "scheduler" if is_scheduler else "worker"
