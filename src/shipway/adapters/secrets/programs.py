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

    `is_attended`: a person sits at the terminal. Then a program may ask on it: it gets the terminal as standard input,
    what it says on standard error is shown while it runs, and it has `attended_limit_s` seconds. Otherwise its
    standard input is empty.
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
        return self.run(("sh", "-c", SHELL_SCRIPT), {_COMMAND_VARIABLE: command})

    def run(self, argv: Sequence[str], env: Mapping[str, str] | None = None, *, asks: bool = False) -> Ran:
        """Run `argv` with `env` added to the environment; `asks` leaves standard error to the program if attended.

        A program that cannot be started is a result with status 127, as in a shell.
        """
        try:
            process = subprocess.Popen(
                argv,
                cwd=self.cwd,
                env={**self.environ, **(env or {})},
                stdin=None if self.is_attended else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=None if asks and self.is_attended else subprocess.PIPE,
                start_new_session=not self.is_attended,
            )
        except OSError as error:
            said = "the command is too long" if error.errno == errno.E2BIG else f"{argv[0]}: {error.strerror}"
            return Ran(127, stderr=said.encode())
        with process:
            try:
                return self._watch(process)
            finally:
                self._end(process)

    def _watch(self, process: subprocess.Popen[bytes]) -> Ran:
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
                    self._show(key.data, piece)
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

    def _show(self, stream: str, piece: bytes) -> None:
        if stream == "stderr" and self.is_attended:
            sys.stderr.write(piece.decode("utf-8", "replace"))
            sys.stderr.flush()

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """End what is left of `process`: with a group of its own, everything it started too."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if not self.is_attended:
                os.killpg(process.pid, signal.SIGKILL)
            elif process.poll() is None:
                process.kill()
