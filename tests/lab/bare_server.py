"""A server of a test's own that has no Docker yet, and the command `shipway` with it as the only host."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.lab import servers
from tests.lab.facts import HostFacts
from tests.lab.fixtures import Lab, LabHost
from tests.lab.keys import USERS
from tests.lab.servers import Server
from tests.lab.shell import Answer, at_once, write

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
def own_servers(lab: Lab, place: Path, numbers: Sequence[int], *, bare: bool) -> Iterator[list[LabHost]]:
    """New servers that only the caller knows, which go afterwards, and `ssh_config` in `place` that reaches them."""
    made = [Server(number, bare=bare, made_from="") for number in numbers]
    try:
        at_once([partial(servers.create, lab.engine, each) for each in made], len(made))
        at_once([partial(servers.wait, lab.engine, each.container) for each in made], len(made))
        facts = [HostFacts(each.name, each.address, 22, USERS[0], USERS, each.container, bare) for each in made]
        hosts = [LabHost(each, lab.engine) for each in facts]
        known, text = "", ""
        for host in hosts:
            key = host.run("cat", "/lab/host_key.pub").out.split()
            known += f"{host.name},{host.address} {key[0]} {key[1]}\n"
            text += _CLIENT.format(
                name=host.name, address=host.address, key=lab.facts.key, known_hosts=place / "known_hosts"
            )
        write(place / "known_hosts", known)
        write(place / "ssh_config", text)
        yield hosts
    finally:
        servers.remove(lab.engine, made)


@contextlib.contextmanager
def bare_server(lab: Lab, place: Path, number: int = NUMBER, *, is_bare: bool = True) -> Iterator[Operator]:
    """A new server without Docker (if bare), which goes afterwards, and a directory for a project that reaches it."""
    with own_servers(lab, place, (number,), bare=is_bare) as (host,):
        assert host.run("sh", "-c", _PLAIN).status == 0
        yield Operator(host, place, {**os.environ, **lab.environment})
