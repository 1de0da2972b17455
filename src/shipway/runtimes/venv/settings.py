"""What the venv runtime must know of a project, decided by the caller from the configuration and the git tree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

LockKind = Literal["uv", "requirements", "pylock", "none"]
"""How a project pins its packages: `uv.lock`, `requirements.txt`, `pylock.toml` (PEP 751), or nothing to install."""


@dataclass(frozen=True, slots=True)
class VenvSettings:
    """A Django project, as far as running it from a virtualenv goes.

    `settings_module` may be "" (then `manage.py` decides). One of `wsgi` and `asgi` is the import path of the
    application (`shop.wsgi` or `shop.wsgi:application`); `asgi` wins. `manage`, `lock_file`, `static_root`,
    `media_root` and `shared` are paths relative to the project's directory; `static_root` and `media_root` may be
    "" (nothing to collect, no uploads). `lock_digest` changes whenever the content of the lock does. `shared` are
    files and directories (these end in `/`) that outlive releases. `python` is the host's interpreter.
    `static_check` is a program that is run after static files were collected, in the same process ("": none).
    `max_requests` is after how many requests a web process is replaced, against slow leaks (0: never). `needs_caddy` is
    off where nginx takes the traffic.
    """

    settings_module: str = ""
    wsgi: str = ""
    asgi: str = ""
    manage: str = "manage.py"
    python: str = "python3"
    lock: LockKind = "none"
    lock_file: str = ""
    lock_digest: str = ""
    static_root: str = ""
    collect_static: bool = True
    static_check: str = ""
    media_root: str = ""
    shared: tuple[str, ...] = ()
    web_processes: int = 2
    web_threads: int = 4
    max_requests: int = 10_000
    needs_caddy: bool = True

    def __post_init__(self) -> None:
        if self.lock != "none" and not (self.lock_file and self.lock_digest):
            raise ValueError(f"a `{self.lock}` lock needs its file and its digest")
        for path in (self.manage, self.lock_file, self.static_root, self.media_root, *self.shared):
            _refuse_outside(path)
        if min(self.web_processes, self.web_threads) < 1 or self.max_requests < 0:
            raise ValueError("web processes and threads are 1 or more, `max_requests` is 0 or more")


def _refuse_outside(path: str) -> None:
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or not path.isprintable() or path.strip("/") == ".":
        raise ValueError(f"`{path}` is not a path inside the project")
