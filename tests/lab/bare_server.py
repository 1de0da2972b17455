"""A server of a test's own that has no Docker yet, and the command `shipway` with it as the only host."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.lab import servers
from tests.lab.facts import HostFacts
from tests.lab.fixtures import Lab, LabHost
from tests.lab.keys import USERS
from tests.lab.servers import Server
from tests.lab.shell import Answer, write

NUMBER = 20
_CLIENT = """\
Host {name}
  HostName {address}
  IdentityFile {key}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile {known_hosts}
  GlobalKnownHostsFile none
  StrictHostKeyChecking yes
"""
# A login that may use sudo and is in no group of Docker's.
_PLAIN = """\
useradd -m -s /bin/bash plain && echo "plain ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/plain && mkdir ~plain/.ssh \
  && cp /lab/authorized_keys ~plain/.ssh/ && chown -R plain ~plain/.ssh && chmod -R go= ~plain/.ssh
"""


@dataclass(frozen=True)
class Operator:
    """A project on this machine. Call it with words of the command line."""

    host: LabHost
    directory: Path
    environment: dict[str, str]

    def __call__(self, *words: str, limit_s: float = 600) -> Answer:
        argv = (sys.executable, "-m", "shipway", *words)
        done = subprocess.run(
            argv, cwd=self.directory, env=self.environment, capture_output=True, text=True, timeout=limit_s, check=False
        )
        return Answer(done.returncode, done.stdout, done.stderr)


@contextlib.contextmanager
def bare_server(lab: Lab, place: Path, number: int = NUMBER, *, is_bare: bool = True) -> Iterator[Operator]:
    """A new server, which goes afterwards, and a directory for a project that reaches it."""
    server = Server(number, bare=is_bare, made_from="a-test")
    facts = HostFacts(server.name, server.address, 22, USERS[0], USERS, server.container, bare=is_bare)
    servers.create(lab.engine, server)
    try:
        servers.wait(lab.engine, server.container)
        host = LabHost(facts, lab.engine)
        assert host.run("sh", "-c", _PLAIN).status == 0
        key = host.run("cat", "/lab/host_key.pub").out.split()
        write(place / "known_hosts", f"{server.name},{server.address} {key[0]} {key[1]}\n")
        known = place / "known_hosts"
        text = _CLIENT.format(name=server.name, address=server.address, key=lab.facts.key, known_hosts=known)
        write(place / "ssh_config", text)
        yield Operator(host, place, {**os.environ, **lab.environment})
    finally:
        servers.remove(lab.engine, [server])
