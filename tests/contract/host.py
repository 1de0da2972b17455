"""A real host for contract tests: this machine, below one temporary directory, by plain subprocesses."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from shipway.core.action import Action, Command, Pipe, lower
from shipway.core.ports import Result
from shipway.core.secret import SecretRef, encode
from shipway.core.step import Step


class Host:
    """Runs actions as a transport would, with `secrets` for the references in inputs."""

    def __init__(self, root: Path, path: str, secrets: Mapping[str, str]) -> None:
        self.root, self.secrets = root, secrets
        self.env = {"PATH": path, "HOME": str(root), "USER": "deploy", "PLANTED": "from the keeper"}

    def run(self, action: Action) -> Result:
        if isinstance(action, Pipe):
            made = subprocess.run(action.source.words(), capture_output=True, check=True)
            return self._command(action.sink, made.stdout)
        command = lower(action)
        text = "".join(
            encode(self.secrets[p.name], p.encoding) if isinstance(p, SecretRef) else p for p in command.stdin
        )
        return self._command(command, text.encode())

    def ok(self, command: Command | None) -> bool:
        return command is not None and self.run(command).ok

    def step(self, step: Step) -> bool:
        """Run a step as the executor does; return whether it did something."""
        if self.ok(step.done):
            return False
        for action in step.do:
            result = self.run(action)
            assert result.ok, f"{step.title}: {result.status}\n{result.said}"
        return True

    def undo(self, step: Step) -> None:
        for action in step.undo:
            result = self.run(action)
            assert result.ok, f"undo of {step.title}: {result.said}"

    def _command(self, command: Command, stdin: bytes) -> Result:
        done = subprocess.run(
            command.words(), input=stdin, capture_output=True, env=self.env, timeout=command.limit_s, check=False
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def processes(self) -> dict[int, str]:
        """Return the live processes whose command line names this host's directory."""
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    if str(self.root) in words and int(entry.name) != os.getpid():
                        found[int(entry.name)] = words
        return found

    def end_everything(self) -> None:
        """End what runs from this host's directory, the keeper first; then remove the directory."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            keepers = [pid for pid, words in self.processes().items() if "supervisord" in words]
            for pid in (*keepers, *self.processes()):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            with contextlib.suppress(AssertionError):
                eventually(lambda: not self.processes(), limit_s=10)
        assert not self.processes()
        shutil.rmtree(self.root)


def eventually(is_true: Callable[[], bool], limit_s: float = 15.0) -> None:
    """Wait until `is_true` holds; fail when it does not within the limit."""
    deadline = time.monotonic() + limit_s
    while not is_true():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.05)


@contextlib.contextmanager
def temporary_host(path: str, secrets: Mapping[str, str]) -> Iterator[Host]:
    """Yield a host; end its processes and remove its files afterwards, whatever happened."""
    host = Host(Path(tempfile.mkdtemp(prefix="shv-", dir="/tmp")), path, secrets)
    try:
        yield host
    finally:
        host.end_everything()
