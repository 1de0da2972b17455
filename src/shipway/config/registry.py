"""`registry`: where images are kept."""

from __future__ import annotations

from dataclasses import dataclass

from shipway.config.keys import Section, key
from shipway.config.kinds import Schema, Text
from shipway.config.report import Report
from shipway.config.tree import ListNode, Node, Path, ScalarNode, node_at
from shipway.core.secret import SecretRef

_CREDENTIAL = "should be a string or an array with one string (for secret lookup)"


@dataclass(frozen=True, slots=True)
class Inline:
    """A value that stands in the file itself, at `path`; it is never shown."""

    value: str
    path: str

    def __repr__(self) -> str:
        return "Inline(…)"

    @property
    def ref(self) -> SecretRef:
        """The value as a secret: its place in the file is its name, which no secret of a secrets file can have."""
        return SecretRef(self.path)


Credential = Inline | SecretRef


@dataclass(frozen=True, slots=True)
class CredentialKind:
    """A value, or a list with the name of one secret."""

    words: str = "a string or an array with one string (for secret lookup)"

    def accepts(self, node: Node) -> bool:
        """Return whether `node` is a text or a list of one text."""
        if isinstance(node, ListNode):
            return len(node.items) == 1 and self._is_text(node.items[0])
        return self._is_text(node)

    @staticmethod
    def _is_text(node: Node) -> bool:
        return isinstance(node, ScalarNode) and node.kind == "string" and node.value != ""

    def read(self, node: Node, path: Path, report: Report) -> Credential | None:  # noqa: ARG002  the protocol
        """Return the value, or a reference to its secret; `check_registry` tells what is wrong with anything else."""
        match node:
            case ListNode(items=(ScalarNode(value=str(name)),)) if self.accepts(node):
                return SecretRef(name)
            case ScalarNode(value=str(text)) if self.accepts(node):
                return Inline(text, "/".join(str(part) for part in path))
            case _:
                return None

    def schema(self) -> Schema:
        """Return the JSON Schema of the kind."""
        return {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "maxItems": 1}]}


@dataclass(frozen=True, slots=True)
class RegistryKind:
    """The section, or the word `none`."""

    section: Section
    words: str = "a hash or `none`"

    def accepts(self, node: Node) -> bool:
        """Return whether `node` is a map or the word."""
        return self.section.accepts(node) or _is_none(node)

    def read(self, node: Node, path: Path, report: Report) -> Registry | None:
        """Return the registry."""
        if _is_none(node):
            return Registry(is_none=True)
        found: Registry | None = self.section.read(node, path, report)
        return found

    def schema(self) -> Schema:
        """Return the JSON Schema of the kind."""
        return {"anyOf": [self.section.schema(), {"const": "none"}]}


def _is_none(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.kind == "string" and node.value == "none"


_NEXT = "name a secret: `password: [KAMAL_REGISTRY_PASSWORD]`, with its value in .kamal/secrets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """The registry of the application's image, or of an accessory's.

    `is_none`: `registry: none` was written. There is no registry: hosts get the image through their SSH connections.
    """

    server: str | None = key(
        Text(), "The registry's address. One that begins with `localhost:` needs no login.", default="Docker Hub"
    )
    username: Credential | None = key(CredentialKind(), "The user, or a list with the name of a secret.")
    password: Credential | None = key(CredentialKind(), "A list with the name of the secret; or the password itself.")
    is_none: bool = False

    @property
    def is_local(self) -> bool:
        """Whether the registry is on the operator's machine: hosts reach it through their SSH connection."""
        return (self.server or "").startswith("localhost:")

    def secrets(self) -> tuple[str, ...]:
        """Return the names of the secrets that a login needs."""
        return tuple(part.name for part in (self.username, self.password) if isinstance(part, SecretRef))

    @property
    def password_ref(self) -> SecretRef | None:
        """The password, which is a secret wherever it stands: no plan may hold its value."""
        return self.password.ref if isinstance(self.password, Inline) else self.password

    def username_shown(self) -> str | None:
        """Return the user's name as it may be shown: the name of the secret where it is one."""
        match self.username:
            case SecretRef(name=name):
                return f"[secret {name}]"
            case Inline(value=value):
                return value
            case None:
                return None


def check_registry(registry: Registry, path: Path, report: Report) -> None:
    """Report what is wrong with the credentials of a registry that needs a login."""
    if registry.is_local or registry.is_none:
        return
    for name in ("username", "password"):
        if getattr(registry, name) is not None:
            continue
        node = node_at(report.root, (*path, name))
        if node is None or (isinstance(node, ScalarNode) and node.value in (None, "")):
            report.add("required", (*path, name), "is required", next=_NEXT)
        else:
            report.add("type", (*path, name), _CREDENTIAL, next=_NEXT)
