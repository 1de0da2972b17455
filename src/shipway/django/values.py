"""The values of a small abstract interpreter: Python's own plain values, and a few that stand for what is not known."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import PurePosixPath


class Unknown:
    """A value that reading alone does not give. There is one, `UNKNOWN_VALUE`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN_VALUE = Unknown()

PROJECT = PurePosixPath("/project")
"""Where the interpreter believes the repository to be: `__file__` begins with it, and results are shown without it."""


@dataclass(frozen=True, slots=True)
class Ref:
    """Something imported that is not in the tree: `Ref("environ.Env")`."""

    name: str


@dataclass(slots=True)
class Scope:
    """Names in a module, class or function. `file` is that of the text; `lines` where each name was last bound."""

    file: str
    package: str = ""
    names: dict[str, object] = field(default_factory=dict)
    lines: dict[str, tuple[str, int]] = field(default_factory=dict)
    outer: Scope | None = None
    is_stopped: bool = False
    result: object = None
    has_result: bool = False

    def find(self, name: str) -> object:
        """Return what `name` is bound to here or further out; UNKNOWN_VALUE for what is bound nowhere."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return UNKNOWN_VALUE

    def bind(self, name: str, value: object, line: int, file: str = "") -> None:
        """Bind `name` to `value`."""
        self.names[name] = value
        self.lines[name] = (file or self.file, line)


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the project."""

    node: ast.FunctionDef
    scope: Scope


@dataclass(slots=True)
class ClassValue:
    """A class of the project, with the names of its bases already copied in."""

    name: str
    names: dict[str, object]
    lines: dict[str, tuple[str, int]]
    bases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Either:
    """One of several values, depending on something that is not known. At most `MAX_EITHER`."""

    values: tuple[object, ...]


MAX_EITHER = 6


def either(*values: object) -> object:
    """Return one value that stands for all of `values`."""
    flat: list[object] = []
    for value in values:
        for one in value.values if isinstance(value, Either) else (value,):
            if not any(one is other or (type(one) is type(other) and _same(one, other)) for other in flat):
                flat.append(one)
    return flat[0] if len(flat) == 1 else Either(tuple(flat[:MAX_EITHER]))


def _same(one: object, other: object) -> bool:
    return isinstance(one, (str, int, float, bool, type(None), PurePosixPath, Ref)) and one == other


def alternatives(value: object) -> tuple[object, ...]:
    """Return the values that `value` may have, without the unknown one."""
    found = value.values if isinstance(value, Either) else (value,)
    return tuple(one for one in found if not isinstance(one, Unknown))


def truth(value: object) -> bool | None:
    """Return whether `value` counts as true, None when that is not known."""
    if isinstance(value, (Unknown, Ref)):
        return None
    if isinstance(value, Either):
        found = {truth(one) for one in value.values}
        return found.pop() if len(found) == 1 else None
    if isinstance(value, (Function, ClassValue, PurePosixPath)):
        return True
    return bool(value)


def shown(value: object) -> str | None:
    """Return a text or path as people write it, relative to the repository; None for anything else."""
    for one in alternatives(value):
        if isinstance(one, PurePosixPath):
            return str(one.relative_to(PROJECT)) if one.is_relative_to(PROJECT) else str(one)
        if isinstance(one, str):
            return one.removeprefix(f"{PROJECT}/")
    return None
