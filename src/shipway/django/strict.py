"""Taking values out of a document that somebody else wrote: the right type, or an error that names the place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar, cast

from shipway.django.report import Json

T = TypeVar("T")


class Malformed(ValueError):
    """A document is not what it should be; the message names the place."""


class Node:
    """A mapping in a document, and the path to it. Every method raises Malformed for a value of another type."""

    __slots__ = ("_body", "path")

    def __init__(self, body: object, path: str) -> None:
        if not isinstance(body, dict):
            raise Malformed(f"{path or 'the document'} is no mapping")
        self._body: Mapping[str, object] = body
        self.path = path

    def __contains__(self, name: str) -> bool:
        return name in self._body

    def raw(self, name: str) -> object:
        """Return the value under `name` as it is, None when there is none."""
        return self._body.get(name)

    def text(self, name: str, default: str = "") -> str:
        """Return the string under `name`."""
        return self._of(name, str, default)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return the boolean under `name`."""
        return self._of(name, bool, default)

    def number(self, name: str, default: int = 0) -> int:
        """Return the integer under `name`."""
        value = self._body.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise Malformed(f"{self.path}.{name} is no integer")
        return value

    def _of(self, name: str, kind: type[T], default: T) -> T:
        value = self._body.get(name, default)
        if not isinstance(value, kind):
            raise Malformed(f"{self.path}.{name} is no {kind.__name__}")
        return value

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        """Return the string under `name`, which must be one of `allowed`."""
        value = self.text(name, default)
        if value not in allowed:
            raise Malformed(f"{self.path}.{name} is none of {', '.join(allowed)}")
        return value

    def node(self, name: str) -> Node:
        """Return the mapping under `name`; an absent one is empty."""
        return Node(self._body.get(name, {}), f"{self.path}.{name}")

    def entries(self) -> list[tuple[str, Json]]:
        """Return all entries of this mapping; a document that was JSON holds JSON."""
        return list(cast("Mapping[str, Json]", self._body).items())

    def items(self, name: str) -> list[tuple[str, object]]:
        """Return the entries of the mapping under `name`; its keys are strings."""
        return list(self.node(name)._body.items())  # noqa: SLF001  another instance of this class

    def each(self, name: str, make: Callable[[object, str], T]) -> tuple[T, ...]:
        """Return what `make` makes of each entry of the list under `name`, given the entry and its path."""
        value = self._body.get(name, [])
        if not isinstance(value, list):
            raise Malformed(f"{self.path}.{name} is no list")
        return tuple(make(part, f"{self.path}.{name}[{i}]") for i, part in enumerate(value))

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the list of strings under `name`."""
        return self.each(name, as_text)

    def mapping(self, name: str) -> dict[str, str]:
        """Return the mapping of strings under `name`."""
        return {key: as_text(value, f"{self.path}.{name}.{key}") for key, value in self.items(name)}


def as_text(value: object, path: str) -> str:
    """Return `value` when it is a string."""
    if not isinstance(value, str):
        raise Malformed(f"{path} is no string")
    return value


def as_texts(value: object, path: str) -> tuple[str, ...]:
    """Return `value` when it is a list of strings."""
    if not isinstance(value, list):
        raise Malformed(f"{path} is no list")
    return tuple(as_text(part, path) for part in value)


def as_pair(value: object, path: str) -> tuple[str, str]:
    """Return `value` when it is a list of two strings."""
    texts = as_texts(value, path)
    if len(texts) != 2:  # noqa: PLR2004  a pair
        raise Malformed(f"{path} is no pair")
    return texts[0], texts[1]
