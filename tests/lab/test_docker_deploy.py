"""The command itself: containers on two servers, a release that fails on one of them, and the way back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.docker_site import copy_app
from tests.lab.fixtures import Lab, LabHost

SERVICE = "shipwayfleet"
# The worker needs a variable that only hosts with the tag have: on a host without it, it ends at once.
CONFIG = """\
service: {service}
image: test/{service}
registry: {{server: "{server}", username: {user}, password: [REGISTRY_PASSWORD]}}
builder: {{arch: amd64}}
ssh: {{config: {ssh_config}, user: root}}
primary_role: work
servers:
  work: {{hosts: [{one}: [ready], {two}: [{tag}]], cmd: python app.py need WANTED, proxy: false}}
  other: {{hosts: [{one}], cmd: python app.py work}}
env: {{clear: {{}}, secret: [TOKEN], tags: {{ready: {{WANTED: "yes"}}, bare: {{OTHER: "x"}}}}}}
readiness_delay: 1
release: {{migrations: manual}}
"""


@dataclass
class Fleet:
    lab: Lab
    project: Path

    @property
    def hosts(self) -> tuple[LabHost, LabHost]:
        return self.lab.host(1), self.lab.host(2)

    def commit(self, tag: str, text: str) -> None:
        one, two = self.hosts
        facts = self.lab.registry
        values = {"service": SERVICE, "server": facts.server, "user": facts.username, "ssh_config": self.lab.ssh_config}
        (self.project / "config" / "deploy.yml").write_text(
            CONFIG.format(**values, one=one.name, two=two.name, tag=tag)
        )
        (self.project / "note.txt").write_text(text)
        self.git("add", ".")
        self.git("-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-qm", text)

    def git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self.project, check=True, capture_output=True)

    def shipway(self, *words: str) -> subprocess.CompletedProcess[str]:
        env = {**self.lab.environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        argv = [sys.executable, "-P", "-m", "shipway", *words]
        return subprocess.run(argv, cwd=self.project, env=env, capture_output=True, text=True, timeout=300, check=False)

    def running(self) -> set[tuple[str, str]]:
        found = set()
        for host in self.hosts:
            words = ("ps", "--filter", f"label=service={SERVICE}", "--format", "{{.Names}}")
            found |= {(host.name, name) for name in host.docker(*words).out.split()}
        return found

    def all_of(self, release: str) -> set[tuple[str, str]]:
        one, two = (host.name for host in self.hosts)
        name = f"{SERVICE}-work-{release}"
        return {(one, name), (two, name), (one, f"{SERVICE}-other-{release}")}

    def clean(self) -> None:
        script = (
            'docker ps -aq --filter "label=service=$1" | xargs -r docker rm -f; '
            'docker image ls -q --filter "label=service=$1" | sort -u | xargs -r docker image rm -f; '
            'rm -rf "/var/lib/shipway/$1"'
        )
        for host in self.hosts:
            host.run("sh", "-c", script, "sh", SERVICE)
        built = self.lab.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"*/test/{SERVICE}").out.split()
        if built:
            self.lab.docker("image", "rm", *built)


@pytest.fixture
def fleet(lab: Lab, tmp_path: Path) -> Iterator[Fleet]:
    made = Fleet(lab, tmp_path)
    for name in ("config", ".kamal"):
        (tmp_path / name).mkdir()
    copy_app(tmp_path, SERVICE)
    (tmp_path / ".dockerignore").write_text(".kamal\n.git\n")
    (tmp_path / ".gitignore").write_text(".kamal/secrets\n")
    secrets = tmp_path / ".kamal" / "secrets"
    secrets.touch(0o600)
    secrets.write_text(f"REGISTRY_PASSWORD={lab.registry.password}\nTOKEN=a-token-of-this-test\n")
    made.git("init", "-q")
    made.clean()
    yield made
    made.clean()


def test_when_one_host_fails_every_host_goes_back(fleet: Fleet) -> None:
    fleet.commit("ready", "first")
    first = fleet.shipway("deploy")
    assert first.returncode == 0, first.stderr
    assert fleet.running() == fleet.all_of("r1")

    fleet.commit("bare", "second")
    failed = fleet.shipway("deploy")
    assert failed.returncode == 10, failed.stderr
    assert "the environment variable WANTED is missing" in failed.stderr
    assert "KeyError: 'WANTED'" in failed.stderr, "no second command is needed to see the log"
    assert "exit code 1" in failed.stderr
    assert "r1 serves" in failed.stderr
    assert "a-token-of-this-test" not in failed.stderr
    assert fleet.running() == fleet.all_of("r1")
    for host in fleet.hosts:
        assert host.run("ls", f"/var/lib/shipway/{SERVICE}/releases").out.split() == ["r1"]
        assert f"{SERVICE}-work-r2" not in host.docker("ps", "-a", "--format", "{{.Names}}").out.split()

    fleet.commit("ready", "third")
    third = fleet.shipway("deploy")
    assert third.returncode == 0, third.stderr
    assert fleet.running() == fleet.all_of("r3")

    back = fleet.shipway("rollback")
    assert back.returncode == 0, back.stderr
    assert fleet.running() == fleet.all_of("r1")
    status = json.loads(fleet.shipway("status", "--json").stdout)
    assert status["release"] == "r1"
