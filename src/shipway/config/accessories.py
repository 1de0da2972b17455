"""`accessories`: PostgreSQL, Redis and the like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from shipway.config.env import EnvKind, EnvSection
from shipway.config.keys import ListOf, MapOf, OneOf, Section, key, unknown_keys
from shipway.config.kinds import Boolean as BooleanKind
from shipway.config.kinds import Plain, Schema, Text, wrong_type
from shipway.config.options import Options, OptionsKind, check_label
from shipway.config.proxy import PROXY_TREE
from shipway.config.registry import Registry, check_registry
from shipway.config.report import Report
from shipway.config.scalars import is_octal
from shipway.config.tree import MapNode, Node, Path, ScalarNode, ScalarValue, node_at

PLACES = ("host", "hosts", "role", "roles", "tag", "tags")
_MODE = re.compile(r"[0-7]{3,4}|[ugoa]*[-+=][rwxXst]*(?:,[ugoa]*[-+=][rwxXst]*)*")
_PARTS = ("local", "remote", "mode", "owner", "options")


@dataclass(frozen=True, slots=True)
class Mount:
    """A file or directory of the operator or the host that an accessory sees at `remote`."""

    local: str
    remote: str
    mode: str | None = None
    owner: str | None = None
    options: str | None = None


@dataclass(frozen=True, slots=True)
class MountKind:
    """`local:remote[:options]`, or a map of local, remote, mode, owner, options."""

    words: str = "a string or a hash"

    def accepts(self, node: Node) -> bool:
        """Return whether `node` is a single value or a map."""
        return isinstance(node, MapNode) or Text().accepts(node)

    def read(self, node: Node, path: Path, report: Report) -> Mount | None:
        """Return the mount; one without a target is reported (Kamal crashes)."""
        if isinstance(node, MapNode):
            return self._read_map(node, path, report)
        if not (isinstance(node, ScalarNode) and Text().accepts(node)):
            wrong_type(self.words, node, path, report)
            return None
        local, _, rest = node.text.partition(":")
        remote, _, options = rest.partition(":")
        return _mount({"local": local, "remote": remote, "options": options or None}, path, report)

    @staticmethod
    def _read_map(node: MapNode, path: Path, report: Report) -> Mount | None:
        unknown = [name for name in node.entries if name not in _PARTS]
        if unknown:
            unknown_keys(unknown, _PARTS, path, report)
        parts: dict[str, str | None] = {}
        for name in _PARTS:
            if name not in node.entries:
                continue
            value = node.entries[name].node
            if name == "mode" and isinstance(value, ScalarNode) and value.kind == "integer" and is_octal(value.text):
                what = f"`{value.text}` without quotes is the number {value.value} in YAML 1.1"
                report.add("value", (*path, name), what, next=f'write "{value.text}"')
            parts[name] = Text().read(value, (*path, name), report)
        return _mount(parts, path, report)

    def schema(self) -> Schema:
        """Return the JSON Schema of the kind."""
        parts = {name: {"type": "string"} for name in _PARTS}
        table = {"type": "object", "properties": parts, "required": ["local", "remote"], "additionalProperties": False}
        return {"anyOf": [{"type": "string"}, table]}


def _mount(parts: Mapping[str, str | None], path: Path, report: Report) -> Mount | None:
    local, remote, mode = parts.get("local"), parts.get("remote"), parts.get("mode")
    if not local or not remote:
        report.add("required", path, "names no path on both sides", next="write `local/path:/path/in/container`")
        return None
    if mode is not None and not _MODE.fullmatch(mode):
        report.add("value", (*path, "mode"), f"`{mode}` is no file mode", next='write "0640"')
        return None
    return Mount(local, remote, mode, parts.get("owner"), parts.get("options"))


@dataclass(frozen=True, slots=True)
class _ProxyOrOff:
    """A proxy section, or `false`."""

    words: str = "a hash"

    def accepts(self, node: Node) -> bool:
        return OneOf((BooleanKind(), PROXY_TREE)).accepts(node)

    def read(self, node: Node, path: Path, report: Report) -> Node | bool | None:
        if isinstance(node, ScalarNode) and node.value is False:
            return False
        tree: Node | None = PROXY_TREE.read(node, path, report)
        return tree

    def schema(self) -> Schema:
        return {"anyOf": [PROXY_TREE.schema(), {"const": False}]}


def _is_filled(node: Node | None) -> bool:
    return isinstance(node, MapNode) and bool(node.entries)


def _check_accessory(accessory: AccessorySection, path: Path, report: Report) -> None:
    given = [name for name in PLACES if getattr(accessory, name) is not None]
    written = [name for name in PLACES if node_at(report.root, (*path, name)) is not None]
    if len(written or given) != 1:
        what = "specify one of `host`, `hosts`, `role`, `roles`, `tag` or `tags`"
        report.add("required", path, what, next="keep one of them" if written else "add `role: web` or `host: …`")
    if accessory.registry is not None and _is_filled(node_at(report.root, (*path, "registry"))):
        check_registry(accessory.registry, (*path, "registry"), report)
    if accessory.port and ":" not in accessory.port:
        what = f"`{accessory.port}` is published on all interfaces of the host, for anybody who reaches it"
        bound = f'"127.0.0.1:{accessory.port}:{accessory.port}"'
        report.warn("open_port", (*path, "port"), what, next=f"write {bound}; containers reach it without any port")
    if not accessory.image and (accessory.image == "" or node_at(report.root, (*path, "image")) is None):
        report.add("required", path, "has no image", next="add `image: postgres:17`")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessorySection:
    """One accessory as it was written."""

    service: str | None = key(Text(), "The name of the container.", default="`<service>-<name>`")
    image: str | None = key(Text(), "The image, with its tag.")
    registry: Registry | None = key(Section(Registry), "The registry of the image.", default="Docker Hub")
    host: str | None = key(Text(strict=True), "The host it runs on.")
    hosts: tuple[str, ...] | None = key(ListOf(Text(strict=True)), "The hosts it runs on.")
    role: str | None = key(Text(), "Run it on the hosts of this role.")
    roles: tuple[str, ...] | None = key(ListOf(Text()), "Run it on the hosts of these roles.")
    tag: str | None = key(Text(), "Run it on the hosts with this tag.")
    tags: tuple[str, ...] | None = key(ListOf(Text()), "Run it on the hosts with one of these tags.")
    cmd: str | None = key(Text(), "The command.", default="that of the image")
    port: str | None = key(Text(), "A port to publish: `5432`, `127.0.0.1:5432:5432`.", default="none")
    labels: Mapping[str, ScalarValue] | None = key(MapOf(Plain(), check=check_label), "Labels of the container.")
    options: Options | None = key(OptionsKind(), "Flags of `docker run`; `restart` is the restart policy.")
    env: EnvSection | None = key(EnvKind(), "Environment of the accessory.")
    files: tuple[Mount, ...] = key(
        ListOf(MountKind()),
        "Files sent to the host and mounted: `local:remote[:options]`, or a map with mode and owner.",
        value=(),
    )
    directories: tuple[Mount, ...] = key(
        ListOf(MountKind()), "Directories of the host, made there and mounted, in the same forms.", value=()
    )
    volumes: tuple[str, ...] = key(ListOf(Text()), "Volumes: `name-or-path:/path`.", value=())
    network: str | None = key(Text(), "The Docker network.", default="kamal")
    proxy: Node | bool | None = key(_ProxyOrOff(), "A proxy section, where it takes public traffic.", default="off")


ACCESSORY = Section(AccessorySection, check=_check_accessory)
