"""`env`: environment variables, clear and secret, and variables for hosts with a tag."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shipway.config.keys import ListOf, MapOf, unknown_keys
from shipway.config.kinds import Kind, Plain, Schema, Text, wrong_type
from shipway.config.report import Report
from shipway.config.tree import MapNode, Node, Path, ScalarValue

_SPECIAL = ("clear", "secret", "tags")


@dataclass(frozen=True, slots=True)
class Env:
    """Environment variables. `secret` items are `NAME` or `NAME:SECRET` (name in the process : name of the secret)."""

    clear: Mapping[str, ScalarValue] = field(default_factory=dict)
    secret: tuple[str, ...] = ()

    def texts(self) -> Mapping[str, str]:
        """Return the clear variables as the process sees them: `true` for a boolean, `""` for an empty text."""
        return {name: env_text(value) for name, value in self.clear.items()}

    def secrets(self) -> Mapping[str, str]:
        """Return the name of the secret behind each secret variable; the last item of a name wins."""
        pairs = (item.partition(":") for item in self.secret)
        return {name: secret or name for name, _, secret in pairs}


@dataclass(frozen=True, slots=True)
class EnvSection(Env):
    """`env` as it was written: at the root it may also have tags."""

    tags: Mapping[str, Env] = field(default_factory=dict)


def env_text(value: ScalarValue) -> str:
    """Return a value as an environment variable holds it."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def merge_envs(envs: Iterable[Env]) -> Env:
    """Return `envs` laid over each other: clear values of later ones win, secrets are united in order."""
    clear: dict[str, ScalarValue] = {}
    secret: dict[str, None] = {}
    for env in envs:
        clear.update(env.clear)
        secret.update(dict.fromkeys(env.secret))
    return Env(clear, tuple(secret))


@dataclass(frozen=True, slots=True)
class EnvKind:
    """Either variables alone (all clear), or `clear`, `secret` and (at the root) `tags`."""

    has_tags: bool = False
    words: str = "a hash"

    def accepts(self, node: Node) -> bool:
        """Return whether `node` is a map."""
        return isinstance(node, MapNode)

    def read(self, node: Node, path: Path, report: Report) -> EnvSection | None:
        """Return the variables; wrong ones are reported and left out."""
        if not isinstance(node, MapNode):
            wrong_type(self.words, node, path, report)
            return None
        if not any(name in _SPECIAL for name in node.entries):
            return EnvSection(clear=MapOf(Plain()).read(node, path, report) or {})
        strangers = [name for name in node.entries if name not in _SPECIAL]
        if strangers:
            hint = f"beside {', '.join(_SPECIAL)}, variables belong under `clear:`"
            unknown_keys(strangers, _SPECIAL, path, report, hint=hint)
        clear, secret = (node.entries.get(name) for name in ("clear", "secret"))
        return EnvSection(
            clear=(MapOf(Plain()).read(clear.node, (*path, "clear"), report) or {}) if clear else {},
            secret=(ListOf(Text()).read(secret.node, (*path, "secret"), report) or ()) if secret else (),
            tags=self._tags(node, path, report),
        )

    def _tags(self, node: MapNode, path: Path, report: Report) -> Mapping[str, Env]:
        if "tags" not in node.entries:
            return {}
        if not self.has_tags:
            report.add(
                "value", path, "tags are only allowed in the root env", next="move `tags:` to `env:` at the root"
            )
            return {}
        return MapOf(EnvKind()).read(node.entries["tags"].node, (*path, "tags"), report) or {}

    def schema(self) -> Schema:
        """Return the JSON Schema of the kind."""
        flat = MapOf(Plain()).schema()
        parts: dict[str, Kind] = {"clear": MapOf(Plain()), "secret": ListOf(Text())}
        properties = {name: kind.schema() for name, kind in parts.items()}
        if self.has_tags:
            properties["tags"] = MapOf(EnvKind()).schema()
        nested = {"type": "object", "properties": properties, "additionalProperties": False}
        return {"anyOf": [nested, flat]}
