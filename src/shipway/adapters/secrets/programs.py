"""Starting programs on the operator's machine for the values of secrets: bounded in time and size, ended as a group."""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Errors = Literal["kept", "shown", "left"]
"""Standard error of a program that a person may have to answer: kept only, kept and shown as it comes, or its own."""

MAX_OUTPUT_BYTES = 1_048_576
"""More than any key or vault item; what says more is not a secret."""
_CHUNK_BYTES = 65_536
# The command travels in the environment, which only its owner can read; an argument could be read by every user of
# the machine. The double quotes expand before `eval` reads, so the command itself runs without the variable.
_COMMAND_VARIABLE = "SHIPWAY_SECRET_COMMAND"
SHELL_SCRIPT = f'eval "unset {_COMMAND_VARIABLE}; ${_COMMAND_VARIABLE}"'


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended. `status` is 128 + n for signal n, as in a shell. Output is whole unless `overflowed`."""

    status: int
    stdout: bytes = b""
    stderr: bytes = b""
    timed_out: bool = False
    overflowed: bool = False

    @property
    def ok(self) -> bool:
        """Whether the program exited 0 in time and within bounds."""
        return self.status == 0 and not self.timed_out and not self.overflowed


@dataclass(frozen=True, slots=True)
class Programs:
    """Runs programs in `cwd` with `environ`, each for at most `limit_s` seconds.

    `is_attended`: a person sits at the terminal. Then a program may ask on it: it gets the terminal as standard input
    and has `attended_limit_s` seconds, and when these have passed, only the program itself is ended, since a group of
    its own could not read the terminal. Otherwise its standard input is empty, and its whole group is ended.
    """

    cwd: Path
    environ: Mapping[str, str]
    limit_s: float = 60.0
    attended_limit_s: float = 300.0
    is_attended: bool = field(default_factory=lambda: sys.stdin.isatty() and sys.stderr.isatty())

    def find(self, name: str) -> str | None:
        """Return the path of a program, or None when it is not installed."""
        return shutil.which(name, path=self.environ.get("PATH"))

    def shell(self, command: str) -> Ran:
        """Run `command` by `sh`, without its text in any argument vector. Never raises for what the command does."""
        return self.run(("sh", "-c", SHELL_SCRIPT), {_COMMAND_VARIABLE: command}, errors="shown")

    def run(self, argv: Sequence[str], env: Mapping[str, str] | None = None, *, errors: Errors = "kept") -> Ran:
        """Run `argv` with `env` added to the environment. `errors` matters when somebody attends; else they are kept.

        A program that cannot be started is a result with status 127, as in a shell.
        """
        errors = errors if self.is_attended else "kept"
        try:
            process = subprocess.Popen(
                argv,
                cwd=self.cwd,
                env={**self.environ, **(env or {})},
                stdin=None if self.is_attended else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=None if errors == "left" else subprocess.PIPE,
                start_new_session=not self.is_attended,
            )
        except OSError as error:
            said = "the command is too long" if error.errno == errno.E2BIG else f"{argv[0]}: {error.strerror}"
            return Ran(127, stderr=said.encode())
        with process:
            try:
                ran = self._watch(process, is_shown=errors == "shown")
            except BaseException:
                self._end(process)
                raise
            if ran.timed_out or ran.overflowed:
                self._end(process)
            return ran

    def _watch(self, process: subprocess.Popen[bytes], *, is_shown: bool) -> Ran:
        deadline = time.monotonic() + (self.attended_limit_s if self.is_attended else self.limit_s)
        said = {"stdout": bytearray(), "stderr": bytearray()}
        with selectors.DefaultSelector() as selector:
            for name, stream in (("stdout", process.stdout), ("stderr", process.stderr)):
                if stream is not None:
                    selector.register(stream, selectors.EVENT_READ, name)
            while selector.get_map():
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    return self._cut(said, timed_out=True)
                for key, _ in ready:
                    piece = os.read(key.fd, _CHUNK_BYTES)
                    if not piece:
                        selector.unregister(key.fileobj)
                    said[key.data] += piece
                    if is_shown and key.data == "stderr":
                        _show(piece)
                if any(len(text) > MAX_OUTPUT_BYTES for text in said.values()):
                    return self._cut(said, timed_out=False)
        try:
            code = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return self._cut(said, timed_out=True)
        return Ran(128 - code if code < 0 else code, bytes(said["stdout"]), bytes(said["stderr"]))

    def _cut(self, said: Mapping[str, bytearray], *, timed_out: bool) -> Ran:
        stderr = bytes(said["stderr"][:MAX_OUTPUT_BYTES])
        return Ran(128 + signal.SIGKILL, stderr=stderr, timed_out=timed_out, overflowed=not timed_out)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """End `process`, which has not been waited for, so that its number and its group's are still its own."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if not self.is_attended:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()


def _show(piece: bytes) -> None:
    sys.stderr.write(piece.decode("utf-8", "replace"))
    sys.stderr.flush()
