"""A directory of this machine as a read-only tree: bounded, and with no way out of it through links."""

from __future__ import annotations

import os
import stat
from pathlib import Path

MAX_FILES = 120_000
MAX_DEPTH = 40
MAX_FILE_BYTES = 6_000_000
"""The longest lock files have about two megabytes; a file beyond this reads as empty."""
_SKIPPED = frozenset(
    (".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", "venv", ".tox", ".nox", ".mypy_cache",
     ".ruff_cache", ".pytest_cache", "site-packages", "bower_components", ".eggs", ".idea", ".cache", ".terraform")
)  # fmt: skip


class DirectoryTree:
    """The files below a directory. A link to a file counts when it stays inside; one to a directory never does."""

    def __init__(self, directory: Path) -> None:
        self._root = directory.resolve()
        self._paths: list[str] | None = None

    @property
    def paths(self) -> list[str]:
        """All files, relative to the directory, sorted; at most `MAX_FILES`, found breadth first."""
        if self._paths is None:
            self._paths = sorted(self._walk())
        return self._paths

    def read(self, path: str) -> str:
        """Return the text of a file: UTF-8, or Latin-1 where it is not; "" for what is no small regular file inside."""
        place = self._place(path)
        if place is None:
            return ""
        try:
            # Neither a pipe nor a device may keep us waiting: it is opened without blocking, looked at, and left.
            handle = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except (OSError, ValueError):
            return ""
        with os.fdopen(handle, "rb") as stream:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_FILE_BYTES:
                return ""
            body = stream.read(MAX_FILE_BYTES)
        return _decode(body)

    def _place(self, path: str) -> Path | None:
        """Return the real place of a path, with every link on the way resolved; None when that is not inside."""
        try:
            place = (self._root / path).resolve()
        except (OSError, RuntimeError, ValueError):
            return None
        return place if place.is_relative_to(self._root) else None

    def _walk(self) -> list[str]:
        found: list[str] = []
        waiting = [("", 0)]
        while waiting and len(found) < MAX_FILES:
            directory, depth = waiting.pop(0)
            for name, is_directory in self._entries(directory):
                path = f"{directory}/{name}" if directory else name
                if not is_directory:
                    found.append(path)
                elif depth < MAX_DEPTH and name not in _SKIPPED:
                    waiting.append((path, depth + 1))
        return found[:MAX_FILES]

    def _entries(self, directory: str) -> list[tuple[str, bool]]:
        found: list[tuple[str, bool]] = []
        try:
            with os.scandir(self._root / directory) as entries:
                for entry in entries:
                    if entry.is_symlink():
                        if self._is_inside(Path(entry.path)):
                            found.append((entry.name, False))
                    elif entry.is_dir(follow_symlinks=False):
                        found.append((entry.name, True))
                    elif entry.is_file(follow_symlinks=False):
                        found.append((entry.name, False))
        except OSError:
            return found
        return [(name, is_directory) for name, is_directory in found if name.isprintable()]

    def _is_inside(self, link: Path) -> bool:
        try:
            place = link.resolve(strict=True)
            return place.is_file() and place.is_relative_to(self._root)
        except (OSError, RuntimeError):
            return False


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "" if b"\0" in body else body.decode("latin-1")
