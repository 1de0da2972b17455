"""What tests on real servers ask of the lab: `lab.host(1).run(…)`, `.docker(…)`, `.wipe()`, `lab.relay(…)`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab import life
from tests.lab.engine import Engine, unusable
from tests.lab.facts import Facts, HostFacts, RegistryFacts
from tests.lab.places import Places, places
from tests.lab.relay import Relay, run_relay
from tests.lab.shell import Answer, LabError, ask

FEWEST_SERVERS = 2
# Everything that a deployment made, and nothing of the server's own. `$@` are the images that every server has.
_WIPE = """\
exec 2>&1
if command -v docker >/dev/null; then
  all=$(docker ps -aq) && { [ -z "$all" ] || docker rm -fv $all; } || exit 1
  docker network prune -f && docker volume prune -f || exit 1
fi
for unit in $(ls /etc/systemd/system | grep -E '^shipway-.*(service|timer)$'); do
  systemctl disable --quiet --now "$unit"; rm -f "/etc/systemd/system/$unit"
done
rm -rf /var/lib/shipway /root/.shipway /home/deploy/.shipway /root/.kamal /home/deploy/.kamal /root/.docker \
  /home/deploy/.docker /root/.config/shipway /home/deploy/.config/shipway
# Directories of accessories, with their data, stand in the home of the login.
find /root /home/deploy -mindepth 1 -maxdepth 1 -type d ! -name '.*' -exec rm -rf {} +
"""


@dataclass(frozen=True)
class LabHost:
    """A server, by the side door: `docker exec` as root, whatever state its sshd is in."""

    facts: HostFacts
    engine: Engine = field(repr=False)

    @property
    def name(self) -> str:
        return self.facts.name

    @property
    def address(self) -> str:
        return self.facts.address

    def run(self, *argv: str, stdin: str | bytes | None = None, limit_s: float = 60) -> Answer:
        """A command on the server as root: `status, out, err`. Status 124 when it took longer than `limit_s`."""
        return self.engine.ask("exec", "-i", self.facts.container, *argv, stdin=stdin or b"", limit_s=limit_s)

    def docker(self, *words: str, stdin: str | bytes | None = None, limit_s: float = 60) -> Answer:
        """The same with the server's own engine."""
        return self.run("docker", *words, stdin=stdin, limit_s=limit_s)

    def wipe(self) -> None:
        """Remove every container, network and volume and what deployments wrote; images stay.

        Raises:
            LabError: something would not go.
        """
        answer = self.run("sh", "-c", _WIPE)
        if answer.status != 0:
            raise LabError(f"`{self.name}` was not wiped: {answer.out.strip()[-500:]}", "bin/lab reset")


@dataclass(frozen=True)
class Lab:
    """The lab that runs."""

    facts: Facts
    engine: Engine = field(repr=False)

    @property
    def hosts(self) -> tuple[LabHost, ...]:
        return tuple(LabHost(each, self.engine) for each in self.facts.hosts)

    @property
    def registry(self) -> RegistryFacts:
        return self.facts.registry

    @property
    def ssh_config(self) -> str:
        return self.facts.ssh_config

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment of an operator's process: this one's, and what the lab adds."""
        return {**os.environ, **self.facts.environment}

    def host(self, number: int) -> LabHost:
        """The server `lab<number>`, counted from 1."""
        return self.hosts[number - 1]

    def docker(self, *words: str | Path, stdin: str | bytes | None = None, limit_s: float = 60) -> Answer:
        """The operator's engine, with the operator's configuration."""
        client = ("docker", *words)
        return ask(client, stdin=stdin, limit_s=limit_s, environment=self.facts.environment)

    def ssh(self, host: LabHost, *argv: str, user: str = "root", limit_s: float = 30) -> Answer:
        """A command by ssh, as `ssh -F` does it with what the lab wrote."""
        return ask(("ssh", "-F", self.ssh_config, "-l", user, host.name, *argv), limit_s=limit_s)

    @contextlib.contextmanager
    def relay(self, latency_ms: float, host: LabHost | None = None) -> Iterator[Relay]:
        """The way to a server's sshd (the first one's if none is named) made longer; counts connections."""
        target = (host or self.host(1)).facts
        with run_relay(target.address, target.port, latency_ms) as relay:
            yield relay


def missing() -> str | None:
    """Why no test can run on servers here, in one line, if so."""
    reason = unusable()
    return None if reason is None else f"{reason[0]} ({reason[1]})"


def open_lab(where: Places | None = None) -> Lab:
    """The lab that runs; one of two servers is started if none does, and stays until `bin/lab down`."""
    where = where or places()
    with life.alone(where):
        facts = life.current(where)
        if facts is None or len(facts.hosts) < FEWEST_SERVERS:
            facts = life.up(where, FEWEST_SERVERS)
    return Lab(facts, Engine(where))
