"""A site on two servers of its own that faults are made on, deployed with the command that a user types, over SSH.

Both servers have a web role behind their proxy, the second has a worker too. The project, the SSH configuration and
the home directory are the operator's own; a second operator is a copy of them.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from tests.lab.bare_server import own_servers
from tests.lab.docker_site import copy_app
from tests.lab.fixtures import Lab, LabHost
from tests.live.site import Ran, Running
from tests.live.visitor import Visitor

SERVICE = "shipwayfaults"
NUMBERS = (30, 31)
NAME = "shop.example"
HOME = f"/var/lib/shipway/{SERVICE}"
TOKEN = "a-token-Kq83fz-of-the-faults"
CONFIG = """\
service: {service}
image: test/{service}
registry: {{server: "{server}", username: {user}, password: [REGISTRY_PASSWORD]}}
builder: {{arch: amd64}}
ssh: {{config: {ssh_config}, user: root}}
servers:
  web: {{hosts: [{one}, {two}], cmd: python app.py serve 8000}}
  worker: {{hosts: [{two}], cmd: python app.py work, proxy: false}}
proxy: {{host: {name}, app_port: 8000, ssl: false, healthcheck: {{path: /up, interval: 1, timeout: 2}}}}
env: {{clear: {{GREETING: hello}}, secret: [TOKEN]}}
readiness_delay: 1
deploy_timeout: 6
drain_timeout: 3
release: {{migrations: manual}}
"""


@dataclass(frozen=True)
class FaultSite:
    """`directory` is the project on the operator's side, `home` his home, `ssh_config` what reaches the servers."""

    lab: Lab
    hosts: Sequence[LabHost]
    directory: Path
    home: Path
    ssh_config: Path

    @property
    def env(self) -> dict[str, str]:
        """What the operator's process gets besides the environment of the tests."""
        shop = {"HOME": str(self.home), "XDG_CACHE_HOME": str(self.home / ".cache")}
        return {**self.lab.facts.environment, **shop}

    @contextlib.contextmanager
    def start(self, *words: str) -> Iterator[Running]:
        """Start `shipway`; whatever is left of it at the end of the block is killed."""
        running = Running(self.directory, words, self.env)
        try:
            yield running
        finally:
            running.kill()

    def __call__(self, *words: str) -> Ran:
        with self.start(*words) as running:
            ran = running.wait()
        assert "Traceback" not in ran.err, ran.text
        assert TOKEN not in ran.text
        return ran

    def deploy(self) -> Ran:
        return self("deploy", "--json")

    def redeploy(self) -> Ran:
        """A release without a build: what stands in the configuration is what is new."""
        return self("redeploy", "--json")

    def write(self, path: str, text: str) -> None:
        (self.directory / path).parent.mkdir(parents=True, exist_ok=True)
        (self.directory / path).write_text(text)

    def configure(self, change: Callable[[dict[str, Any]], object]) -> None:
        path = self.directory / "config" / "deploy.yml"
        config = yaml.safe_load(path.read_text())
        change(config)
        path.write_text(yaml.safe_dump(config, sort_keys=False))

    def commit(self) -> str:
        """Commit everything; return the version."""
        self._git("add", "--all")
        self._git("-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-qm", "Change", "--allow-empty")
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *words: str) -> str:
        done = subprocess.run(("git", *words), cwd=self.directory, check=True, capture_output=True, text=True)
        return done.stdout

    def clone(self, directory: Path) -> FaultSite:
        """Return the same service with a project, SSH configuration and home of its own, to be changed freely."""
        shutil.copytree(self.directory, directory / "project", symlinks=True)
        shutil.copytree(self.home, directory / "home")
        made = replace(self, directory=directory / "project", home=directory / "home")
        made.route({})
        made.configure(lambda config: config["ssh"].update(config=str(made.home / "ssh_config")))
        return made

    def route(self, ways: dict[str, str]) -> None:
        """Give the SSH client options of its own for some hosts, as lines of its configuration."""
        own = "".join(f"Host {host}\n{lines}\n" for host, lines in ways.items())
        (self.home / "ssh_config").write_text(f"{own}Host *\n  Include {self.ssh_config}\n")

    @contextlib.contextmanager
    def visited(self) -> Iterator[None]:
        """Visitors of both servers lose no request while the block runs."""
        with contextlib.ExitStack() as stack:
            visitors = [stack.enter_context(Visitor(NAME, 80, address=host.address, path="/up")) for host in self.hosts]
            yield
        for visitor in visitors:
            visitor.assert_content()

    def serving(self) -> str:
        """Return the release that serves; it does so everywhere and nothing is left beside it."""
        release = self.answered_by(self.hosts[0])
        self.assert_serves(release)
        return release

    def answered_by(self, host: LabHost) -> str:
        connection = http.client.HTTPConnection(host.address, 80, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", "/up", headers={"Host": NAME})
            answer = connection.getresponse()
            assert answer.status == http.client.OK, (host.name, answer.status)
            return answer.getheader("X-Release") or ""

    def running(self) -> set[tuple[str, str]]:
        """Return the containers that run, as (host, what follows the service's name)."""
        words = ("ps", "--filter", f"label=service={SERVICE}", "--format", "{{.Names}}")
        found = {(host.name, name) for host in self.hosts for name in host.docker(*words).out.split()}
        return {(host, name.removeprefix(f"{SERVICE}-")) for host, name in found}

    def assert_serves(self, release: str) -> None:
        """Exactly `release` runs on both servers, answers visitors, nobody holds the lock, and `status` tells so."""
        one, two = self.hosts
        assert [self.answered_by(host) for host in self.hosts] == [release, release]
        expected = {(one.name, f"web-{release}"), (two.name, f"web-{release}"), (two.name, f"worker-{release}")}
        assert self.running() == expected
        for host in self.hosts:
            assert host.run("test", "-e", f"{HOME}/lock/held").status == 1, f"{host.name} is locked"
        status = json.loads(self("status", "--json").out)
        assert status["release"] == release, status

    def failed_is_gone(self, release: str) -> None:
        """Nothing is left of a release that was taken back: neither a container nor a directory."""
        for host in self.hosts:
            names = host.docker("ps", "-a", "--filter", f"label=service={SERVICE}", "--format", "{{.Names}}").out
            assert not [name for name in names.split() if name.endswith(f"-{release}")], names
            assert release not in host.run("ls", f"{HOME}/releases").out.split()


@contextlib.contextmanager
def fault_site(lab: Lab, place: Path) -> Iterator[FaultSite]:
    """The site, deployed; the servers go afterwards."""
    with own_servers(lab, place, NUMBERS, bare=False) as hosts:
        site = FaultSite(lab, hosts, place / "project", place / "home", place / "ssh_config")
        _lay_out(site)
        try:
            ran = site.deploy()
            assert ran.code == 0, ran.text
            yield site
        finally:
            forget_images(lab, SERVICE)


def _lay_out(site: FaultSite) -> None:
    site.directory.mkdir()
    (site.home / ".ssh").mkdir(parents=True, mode=0o700)
    site.route({})
    copy_app(site.directory, SERVICE)
    site.write(".dockerignore", ".kamal\n.git\n")
    site.write(".gitignore", ".kamal/secrets\n")
    site.write(".kamal/secrets", f"REGISTRY_PASSWORD={site.lab.registry.password}\nTOKEN={TOKEN}\n")
    (site.directory / ".kamal" / "secrets").chmod(0o600)
    facts = site.lab.registry
    names = {"one": site.hosts[0].name, "two": site.hosts[1].name, "name": NAME, "service": SERVICE}
    values = {"server": facts.server, "user": facts.username, "ssh_config": str(site.home / "ssh_config")}
    site.write("config/deploy.yml", CONFIG.format(**names, **values))
    subprocess.run(("git", "init", "-q"), cwd=site.directory, check=True, env={**os.environ, "HOME": str(site.home)})
    site.commit()


def forget_images(lab: Lab, service: str) -> None:
    """Remove what was built for a service from the operator's engine."""
    words = ("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"*/test/{service}")
    if built := lab.docker(*words).out.split():
        lab.docker("image", "rm", *built)
