"""A state directory of this machine with everything that runs from it: its proxy, its keeper, its services."""

from __future__ import annotations

import http.client
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from shipway.app.demo.workspace import end_processes, free_port, processes_of

MEMORY_BYTES = 4 << 30
"""Several machines at once, each with some hundred megabytes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a visitor got; `status` 0 for nothing at all."""

    status: int
    release: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """`root` holds the state directory and the projects of all services that share it."""

    root: Path
    port: int

    @property
    def state(self) -> Path:
        return self.root / "s"

    def get(self, host: str, path: str = "/") -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path, headers={"Host": host})
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheader("X-Release") or "", answer.read().decode("utf-8", "replace"))
        except OSError as error:
            return Answer(0, body=str(error))
        finally:
            connection.close()

    def units(self, service: str) -> Counter[tuple[str, str]]:
        """Return how many processes run of each (role, release): those whose parent is not one of them."""
        home, found = self.state / service / "releases", {}
        for pid in processes_of(self.root):
            with suppress(OSError, ValueError, KeyError):
                release = Path(f"/proc/{pid}/cwd").readlink().relative_to(home).parts[0]
                env = dict(pair.split(b"=", 1) for pair in _read(pid, "environ").split(b"\0") if b"=" in pair)
                found[pid] = (_parent(pid), env[b"SHIPWAY_ROLE"].decode(), release)
        return Counter((role, release) for parent, role, release in found.values() if parent not in found)

    @property
    def keeper(self) -> int:
        return int((self.state / "keeper" / "supervisord.pid").read_text())

    @property
    def proxy(self) -> int:
        return int((self.state / "keeper" / "proxy.pid").read_text().split()[0])

    def end(self) -> None:
        end_processes(self.root, limit_s=2.0)
        shutil.rmtree(self.root)


@contextmanager
def new_machine() -> Iterator[Machine]:
    # Not below pytest's own directory: a unix socket's path may have 107 bytes.
    machine = Machine(Path(tempfile.mkdtemp(prefix="swl-", dir=_parent_directory())), free_port())
    try:
        yield machine
    finally:
        machine.end()
        left = processes_of(machine.root)
        assert not left, f"processes were left: {left}"


def wait_until(what: Callable[[], object], limit_s: float = 30.0) -> None:
    """Wait until `what` is true; fails after `limit_s`."""
    deadline = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < deadline, f"waited {limit_s:g} s in vain"
        time.sleep(0.05)


def _parent_directory() -> str:
    """Return where to make a machine: in memory where there is room, since a dozen virtualenvs are made and removed."""
    shm = "/dev/shm"
    if not os.access(shm, os.W_OK):
        return "/tmp"
    disk = os.statvfs(shm)
    return "/tmp" if disk.f_flag & os.ST_NOEXEC or disk.f_bavail * disk.f_frsize < MEMORY_BYTES else shm


def _read(pid: int, name: str) -> bytes:
    return Path(f"/proc/{pid}/{name}").read_bytes()


def _parent(pid: int) -> int:
    return int(_read(pid, "stat").rpartition(b")")[2].split()[1])
