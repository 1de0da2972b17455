"""The files of a project as pure code sees them: a list of paths, their texts, their syntax trees; read once each."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Protocol

from shipway.django.python_source import parse_python

MAX_TOTAL_CHARS = 96_000_000
"""All texts of one inspection together; a project of 5,000 Python files has about 30 million characters."""
MAX_PYTHON_CHARS = 600_000
"""A Python file beyond this was written by a program and says nothing about a deployment."""
MAX_PARSED_CHARS = 20_000_000
"""All Python files that are parsed in one inspection together: about 20 s of work at the very worst."""


class Tree(Protocol):
    """A read-only directory. Whoever gives it keeps links from leading out of it and bounds what is read."""

    @property
    def paths(self) -> Sequence[str]:
        """All files, relative to the directory, with `/` between the parts."""
        ...

    def read(self, path: str) -> str:
        """Return the text of a file; "" for one that is not there, not text, or too big."""
        ...


class TextTree:
    """A tree held in memory: path → text."""

    def __init__(self, files: dict[str, str]) -> None:
        self._files = files

    @property
    def paths(self) -> Sequence[str]:
        """All paths, sorted."""
        return sorted(self._files)

    def read(self, path: str) -> str:
        """Return the text of a file; "" when there is none."""
        return self._files.get(path, "")


class Sources:
    """A tree with memory: each file is read and parsed once, and all of them together stay below a bound."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.paths: tuple[str, ...] = tuple(tree.paths)
        self._known = frozenset(self.paths)
        self._texts: dict[str, str] = {}
        self._modules: dict[str, ast.Module | None] = {}
        self._left = MAX_TOTAL_CHARS
        self._left_to_parse = MAX_PARSED_CHARS
        self._by_name: dict[str, list[str]] = {}
        for path in self.paths:
            self._by_name.setdefault(path.rpartition("/")[2], []).append(path)

    def has(self, path: str) -> bool:
        """Tell whether `path` is a file of the tree."""
        return path in self._known

    def text(self, path: str) -> str:
        """Return the text of `path`; "" for what cannot be read."""
        if path not in self._texts:
            text = self._tree.read(path) if path in self._known and self._left > 0 else ""
            self._left -= len(text)
            self._texts[path] = text
        return self._texts[path]

    def module(self, path: str) -> ast.Module | None:
        """Return the syntax tree of a Python file, as far as it can be parsed; None when it cannot be read at all."""
        if path not in self._modules:
            text = self.text(path)
            is_small = 0 < len(text) <= min(MAX_PYTHON_CHARS, self._left_to_parse)
            self._left_to_parse -= len(text) if is_small else 0
            self._modules[path] = parse_python(text) if is_small else None
        return self._modules[path]

    def named(self, *names: str) -> list[str]:
        """Return the paths whose last part is one of `names`, the shallowest first."""
        found = [path for name in names for path in self._by_name.get(name, ())]
        return sorted(found, key=lambda path: (path.count("/"), path))

    def below(self, directory: str, suffix: str) -> list[str]:
        """Return the paths below `directory` ("." for all) that end with `suffix`."""
        start = "" if directory in ("", ".") else f"{directory}/"
        return [path for path in self.paths if path.startswith(start) and path.endswith(suffix)]

    def first(self, *paths: str) -> str:
        """Return the first of `paths` that exists; "" when none does."""
        return next((path for path in paths if path in self._known), "")


def parent(path: str) -> str:
    """Return the directory of `path`, "." for the root of the tree."""
    return str(PurePosixPath(path).parent)


def join(directory: str, path: str) -> str:
    """Return `path` seen from `directory`, without `.` and `..` parts; what leaves the tree becomes "" ."""
    parts: list[str] = []
    for part in (*directory.split("/"), *path.split("/")):
        if part == "..":
            if not parts:
                return ""
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def line_of(text: str, offset: int) -> int:
    """Return the number of the line (from 1) that holds the character at `offset`."""
    return text.count("\n", 0, max(offset, 0)) + 1


def upwards(directory: str) -> Iterable[str]:
    """Give `directory` and each directory above it, down to "." for the root of the tree."""
    place = PurePosixPath(directory)
    yield str(place)
    yield from (str(above) for above in place.parents)
