"""Sending a program to a project's Python on this machine, and taking its answer: bounded in time and size."""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_NOISE_BYTES = 16_384
_CHUNK_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Answered:
    """What a program wrote: standard output, and the end of standard error."""

    output: bytes
    said: str


def find_interpreters(directory: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the Pythons that the project in `directory` may mean, the likeliest first: virtualenvs, PATH, our own."""
    found = [Path(environ["VIRTUAL_ENV"], "bin", "python")] if environ.get("VIRTUAL_ENV") else []
    found += [Path(place, name, "bin", "python") for place in (directory, *directory.parents[:2]) for name in _VENVS]
    paths = [str(path) for path in found if os.access(path, os.X_OK)]
    named = (shutil.which(name, path=environ.get("PATH")) for name in ("python", "python3"))
    return tuple(dict.fromkeys([*paths, *(name for name in named if name), sys.executable]))


_VENVS = (".venv", "venv", "env")


def find_manage(directory: Path) -> str:
    """Return the path of the project's manage.py below `directory`, relative to it; `manage.py` when there is none."""
    if (directory / "manage.py").is_file():
        return "manage.py"
    return min((str(path.relative_to(directory)) for path in directory.glob("*/manage.py")), default="manage.py")


def run_program(python: str, source: str, directory: Path, *, limit_s: float, limit_bytes: int) -> Answered:
    """Run `source` with `python -` in `directory`, and return what it wrote, cut off after `limit_bytes`.

    After `limit_s` seconds it is ended with everything that it started in its process group. Raises OSError when the
    interpreter cannot be run.
    """
    process = subprocess.Popen(
        (python, "-"),
        cwd=directory,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        try:
            output, said = _exchange(process, source.encode(), time.monotonic() + limit_s, limit_bytes)
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
    return Answered(bytes(output), said.decode("utf-8", "replace"))


def _exchange(
    process: subprocess.Popen[bytes], source: bytes, deadline_s: float, limit_bytes: int
) -> tuple[bytearray, bytearray]:
    output, said = bytearray(), bytearray()
    with selectors.DefaultSelector() as watch:
        _watch(watch, process.stdout, selectors.EVENT_READ)
        _watch(watch, process.stderr, selectors.EVENT_READ)
        _watch(watch, process.stdin, selectors.EVENT_WRITE)
        left = memoryview(source)
        while watch.get_map() and time.monotonic() < deadline_s and len(output) <= limit_bytes:
            for key, _ in watch.select(max(0.0, deadline_s - time.monotonic())):
                if key.fileobj is process.stdin:
                    left = _feed(watch, process.stdin, left)
                    continue
                piece = os.read(key.fd, _CHUNK_BYTES)
                (output if key.fileobj is process.stdout else said).extend(piece)
                if not piece:
                    watch.unregister(key.fileobj)
            del said[:-_NOISE_BYTES]
    return output, said


def _watch(watch: selectors.BaseSelector, pipe: IO[bytes] | None, events: int) -> None:
    assert pipe is not None  # noqa: S101  Popen was given PIPE
    os.set_blocking(pipe.fileno(), False)
    watch.register(pipe, events)


def _feed(watch: selectors.BaseSelector, pipe: IO[bytes], left: memoryview) -> memoryview:
    try:
        left = left[os.write(pipe.fileno(), left[:_CHUNK_BYTES]) :]
    except BlockingIOError:
        return left
    except BrokenPipeError:
        left = left[:0]
    if not left:
        watch.unregister(pipe)
        pipe.close()
    return left
