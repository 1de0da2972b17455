"""What the files of a Django project tell without running them: manage.py, settings, entry point, and the lock file."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

LockKind = Literal["uv", "requirements", "pylock", "none"]

# django-admin startproject writes this call into manage.py, wsgi.py and asgi.py (Django 5.2, conf/project_template).
_SETTINGS = re.compile(r"""setdefault\(\s*["']DJANGO_SETTINGS_MODULE["']\s*,\s*["']([\w.]+)["']""")
_LOCKS: tuple[tuple[str, LockKind], ...] = (
    ("uv.lock", "uv"),
    ("pylock.toml", "pylock"),
    ("requirements.txt", "requirements"),
)


@dataclass(frozen=True, slots=True)
class Project:
    """A Django project as its files show it; "" for what was not found. Paths are relative to the project."""

    manage: str = ""
    settings_module: str = ""
    wsgi: str = ""
    asgi: str = ""
    lock: LockKind = "none"
    lock_file: str = ""


def read_project(paths: Sequence[str], read: Callable[[str], str]) -> Project:
    """Return what `paths` (all files of the project, relative to it) tell; `read` gives the text of one of them."""
    manage = _shallowest(paths, "manage.py")
    found = _SETTINGS.search(read(manage)) if manage else None
    settings = found[1] if found else ""
    lock_file, lock = next(((name, kind) for name, kind in _LOCKS if name in paths), ("", "none"))
    return Project(
        manage=manage,
        settings_module=settings,
        wsgi=_entry(paths, manage, settings, "wsgi"),
        asgi=_entry(paths, manage, settings, "asgi"),
        lock=lock,
        lock_file=lock_file,
    )


def _shallowest(paths: Sequence[str], name: str) -> str:
    found = [path for path in paths if PurePosixPath(path).name == name]
    return min(found, key=lambda path: (path.count("/"), path), default="")


def _entry(paths: Sequence[str], manage: str, settings: str, kind: str) -> str:
    """Return the import path of `wsgi.py` or `asgi.py`: the one beside the settings, or else the only one there is."""
    home = str(PurePosixPath(manage).parent) if "/" in manage else ""
    inside = [path[len(home) :].lstrip("/") for path in paths if path.startswith(f"{home}/" if home else "")]
    modules = [path[: -len(".py")].replace("/", ".") for path in inside if PurePosixPath(path).name == f"{kind}.py"]
    package = settings
    while package:
        package = package.rpartition(".")[0]
        if f"{package}.{kind}" in modules:
            return f"{package}.{kind}"
    return modules[0] if len(modules) == 1 else ""
