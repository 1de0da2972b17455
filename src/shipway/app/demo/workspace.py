"""A temporary directory for the demo that leaves nothing behind: no file, no process, however the demo ends."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from shipway.app.demo.project import Place, Project, unpack

_PARENT_LIMIT = 40
"""Characters of a parent directory that still leave room for the path of a unix socket (107 bytes, unix(7))."""


@dataclass(slots=True)
class Workspace:
    """The demo's directory. Set `keep` to leave it, and what runs from it, as it is."""

    path: Path
    project: Project
    keep: bool = False


@asynccontextmanager
async def workspace() -> AsyncIterator[Workspace]:
    """Make the directory with the example project in it; on leaving, end what runs from it and remove it.

    Inside, this process and what it starts find the programs that Shipway brings for the demo.
    """
    parent = tempfile.gettempdir()
    path = Path(tempfile.mkdtemp(prefix="shipway-demo-", dir=parent if len(parent) <= _PARENT_LIMIT else "/tmp"))  # noqa: S108
    place = Place(str(path / "host"), free_port())
    _keep_packages(path / "host")
    opened: Workspace | None = None
    outer = os.environ.get("PATH", os.defpath)
    # The programs of the extra `demo` (supervisor, Caddy, uv) stand beside this Python, on nobody's path.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{outer}"
    try:
        opened = Workspace(path, await asyncio.to_thread(unpack, path / "harbor", place))
        yield opened
    finally:
        os.environ["PATH"] = outer
        if opened is None or not opened.keep:
            # Without await: a second Ctrl-C is not to cut the cleaning short.
            end_processes(path)
            shutil.rmtree(path, ignore_errors=True)


def package_cache() -> Path:
    """Return where packages are kept from one demo to the next (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shipway"


def _keep_packages(host: Path) -> None:
    """Let what the demo's host downloads stand in the user's cache, where it outlives the demo."""
    host.mkdir()
    with suppress(OSError):  # without it the demo only downloads again
        package_cache().mkdir(parents=True, exist_ok=True)
        (host / "cache").symlink_to(package_cache())


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that is free at this moment."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def processes_of(path: Path) -> tuple[int, ...]:
    """Return the processes of this user that run from `path`: their directory or an argument of theirs is below it.

    Those with a terminal are left out: a person's shell or pager is none of ours, and what a demo starts to stay has no
    terminal. Only where there is /proc; elsewhere none is found.
    """
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile, or belongs to somebody else
            is_ours = entry.stat().st_uid == os.getuid() and int(entry.name) != os.getpid()
            if is_ours and _runs_from(entry, path):
                found.append(int(entry.name))
    return tuple(found)


def _runs_from(process: Path, path: Path) -> bool:
    # The fields after the name, which may hold anything but ends at the last bracket: state ppid pgrp session tty_nr
    # (proc_pid_stat(5)).
    fields = (process / "stat").read_bytes().rpartition(b")")[2].split()
    if fields[0] == b"Z" or fields[4] != b"0":
        return False
    if (process / "cwd").readlink().is_relative_to(path):
        return True
    below = os.fsencode(path) + b"/"
    return any(below in word for word in (process / "cmdline").read_bytes().split(b"\0"))


def end_processes(path: Path, limit_s: float = 5.0) -> tuple[int, ...]:
    """End what runs from `path`, softly at first; return what had to be ended."""
    ended: dict[int, None] = {}
    for number, share in ((signal.SIGTERM, 1.0), (signal.SIGKILL, 0.5)):
        deadline = time.monotonic() + limit_s * share
        signalled: set[int] = set()
        while (alive := processes_of(path)) and time.monotonic() < deadline:
            for pid in set(alive) - signalled:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            signalled |= set(alive)
            ended |= dict.fromkeys(alive)
            time.sleep(0.05)
    return tuple(ended)
