"""What inspection says of a project: a value, how sure it is, and where it was read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

Confidence = Literal["high", "medium", "low", "none"]
"""high: the project says so. medium: a rule that holds nearly always. low: a hint. none: not known."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was read; `line` counts from 1, 0 means the file as a whole."""

    file: str
    line: int = 0
    why: str = ""

    def __str__(self) -> str:
        """Return `file:line`."""
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known, or not (`value` None and confidence "none"); `conflicts` are what speaks against it."""

    value: object = None
    confidence: Confidence = "none"
    evidence: tuple[Place, ...] = ()
    conflicts: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """Tell whether there is an answer; "none is used" is one, with a value that says so."""
        return self.confidence != "none"

    @property
    def text(self) -> str:
        """The value where it is a text, else ""."""
        return self.value if isinstance(self.value, str) else ""


UNKNOWN = Fact()


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable that the project reads.

    `required`: without it the project does not start, or answers nothing, in production. `default` is the text of a
    literal default, None where there is none or it is computed; it may be a password, so it is not shown.
    """

    name: str
    required: bool
    file: str
    line: int
    default: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Inspection:
    """All facts by name, and the environment variables."""

    facts: dict[str, Fact] = field(default_factory=dict)
    variables: tuple[Variable, ...] = ()


def cleaned(fact: Fact) -> Fact:
    """Return `fact` with texts that can be written as UTF-8: a literal of a stranger may hold half a surrogate pair."""
    places = tuple(replace(place, why=_writable(place.why)) for place in fact.evidence)
    return replace(fact, value=_clean(fact.value), evidence=places, conflicts=tuple(map(_writable, fact.conflicts)))


def _clean(value: object) -> object:
    if isinstance(value, str):
        return _writable(value)
    if isinstance(value, list):
        return [_clean(one) for one in value]
    return {_writable(str(key)): _clean(one) for key, one in value.items()} if isinstance(value, dict) else value


def _writable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
