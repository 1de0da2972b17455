"""Running programs with a time limit, saying what is going on, and failing with something to do next."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

T = TypeVar("T")
_STARTED = time.monotonic()
_SHOWN_LINES = 15


class LabError(Exception):
    """What went wrong in one sentence, and what to do next."""

    def __init__(self, what: str, next: str) -> None:
        super().__init__(what)
        self.next = next


class Answer(NamedTuple):
    """What a program answered."""

    status: int
    out: str
    err: str


def say(text: str) -> None:
    """A line of progress, with the seconds since the start."""
    print(f"{time.monotonic() - _STARTED:6.1f} s  {text}", file=sys.stderr, flush=True)


def ask(
    argv: Sequence[str | Path],
    *,
    limit_s: float = 60,
    stdin: bytes | str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Answer:
    """Run a program and return what it answered, whatever its status. Status 124 when it took longer than `limit_s`."""
    words = [str(word) for word in argv]
    data = stdin.encode() if isinstance(stdin, str) else stdin
    env = {**os.environ, **environment} if environment else None
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            timeout=limit_s,
            check=False,
            env=env,
            **({"stdin": subprocess.DEVNULL} if data is None else {"input": data}),
        )
    except subprocess.TimeoutExpired as late:
        return Answer(124, _text(late.stdout), _text(late.stderr) + f"\nno end after {limit_s:.0f} s")
    except FileNotFoundError:
        return Answer(127, "", f"{words[0]}: not found")
    return Answer(done.returncode, _text(done.stdout), _text(done.stderr))


def run(
    argv: Sequence[str | Path],
    what: str,
    *,
    limit_s: float = 60,
    stdin: bytes | str | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a program that has to succeed and return its output.

    Raises:
        LabError: it failed; `what` says in the past tense what did not happen.
    """
    answer = ask(argv, limit_s=limit_s, stdin=stdin, environment=environment)
    if answer.status != 0:
        tail = "\n".join((answer.out + "\n" + answer.err).strip().splitlines()[-_SHOWN_LINES:])
        shown = " ".join(str(word) for word in argv)[:300]
        raise LabError(f"{what} (status {answer.status}):\n{tail}", f"run it by hand: {shown}")
    return answer.out


def wait_for(what: str, is_true: Callable[[], bool], *, limit_s: float, next: str, pause_s: float = 0.1) -> None:
    """Ask until it is true.

    Raises:
        LabError: it was not after `limit_s`.
    """
    end = time.monotonic() + limit_s
    while not is_true():
        if time.monotonic() > end:
            raise LabError(f"{what} did not happen within {limit_s:.0f} s", next)
        time.sleep(pause_s)


def at_once(works: Sequence[Callable[[], T]], most: int) -> list[T]:
    """Do several things side by side, at most so many at a time, and return their results in order.

    What fails first is raised at once: Ctrl-C does not wait for programs that still run.
    """
    pool = ThreadPoolExecutor(most)
    try:
        results = [future.result() for future in [pool.submit(work) for work in works]]
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
    return results


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file in one step, so that an interruption leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.write_text(text)
    draft.chmod(mode)
    draft.replace(path)


def remove_tree(path: Path) -> None:
    """Remove a directory, whatever its size; `rm` is quicker than Python at it."""
    with contextlib.suppress(FileNotFoundError):
        path.lstat()
        run(("rm", "-rf", "--one-file-system", path), f"`{path}` could not be removed", limit_s=120)


def _text(data: bytes | str | None) -> str:
    return data if isinstance(data, str) else (data or b"").decode(errors="replace")
