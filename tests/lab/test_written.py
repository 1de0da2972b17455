"""A written script with containers: built here, sent whole, started, and taken back; on the operator's own engine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.docker_site import APP
from tests.lab.fixtures import Lab

SERVICE = "shipwaywritten"
SECRET = 'it\'s "$HOME" of a `test`'
CONFIG = """\
service: {service}
image: test/{service}
transport: local
registry: none
builder: {{arch: amd64}}
state_directory: {state}
primary_role: work
servers: {{work: {{hosts: [localhost], cmd: "{cmd}", proxy: false}}}}
env: {{clear: {{WANTED: "yes"}}, secret: [TOKEN]}}
readiness_delay: 1
django: {{manage: manage.py}}
"""


@dataclass
class Written:
    lab: Lab
    root: Path

    @property
    def project(self) -> Path:
        return self.root / "project"

    def run(self, *argv: str, **env: str) -> subprocess.CompletedProcess[str]:
        given = {**self.lab.environment, **env}
        return subprocess.run(
            argv, cwd=self.project, env=given, capture_output=True, text=True, timeout=300, check=False
        )

    def commit(self, cmd: str) -> None:
        text = CONFIG.format(service=SERVICE, state=self.root / "state", cmd=cmd)
        (self.project / "config" / "deploy.yml").write_text(text)
        self.run("git", "add", ".")
        self.run("git", "-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-qm", cmd)

    def script(self) -> subprocess.CompletedProcess[str]:
        """Write the script, and run it without Shipway."""
        path = os.pathsep.join(filter(None, sys.path))
        made = self.run(sys.executable, "-P", "-m", "shipway", "script", PYTHONPATH=path)
        assert made.returncode == 0, made.stderr
        assert SECRET not in made.stdout
        place = self.root / "release.sh"
        place.write_text(made.stdout)
        return self.run("sh", str(place), TOKEN=SECRET)

    def running(self) -> list[str]:
        return self.lab.docker("ps", "--filter", f"label=service={SERVICE}", "--format", "{{.Names}}").out.split()

    def clean(self) -> None:
        found = self.lab.docker("ps", "-aq", "--filter", f"label=service={SERVICE}").out.split()
        if found:
            self.lab.docker("rm", "-f", *found)
        images = self.lab.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"test/{SERVICE}").out.split()
        if images:
            self.lab.docker("image", "rm", *images)


@pytest.fixture
def written(lab: Lab, tmp_path: Path) -> Iterator[Written]:
    made = Written(lab, tmp_path)
    for name in ("config", ".kamal"):
        (made.project / name).mkdir(parents=True)
    shutil.copy(APP / "app.py", made.project)
    text = (APP / "Dockerfile").read_text().replace("shipwaytest", SERVICE).replace("app.py", "*.py")
    files = {
        "Dockerfile": text,
        "manage.py": "print('nothing to migrate')\n",
        ".dockerignore": ".kamal\n.git\n",
        ".kamal/secrets": "TOKEN=another-one\n",
    }
    for name, content in files.items():
        (made.project / name).write_text(content)
    made.run("git", "init", "-q")
    made.clean()
    yield made
    made.clean()


def test_a_script_with_containers(written: Written) -> None:
    written.commit("python app.py need WANTED")
    first = written.script()
    assert first.returncode == 0, first.stderr
    assert written.running() == [f"{SERVICE}-work-r1"]
    printed = written.lab.docker("exec", f"{SERVICE}-work-r1", "printenv", "TOKEN")
    assert printed.out.rstrip("\n") == SECRET

    written.commit("python app.py need NOTHING_OF_THAT_NAME")
    second = written.script()
    assert second.returncode == 10, second.stderr
    assert "r1 serves" in second.stderr
    assert SECRET not in first.stderr + second.stderr
    assert written.running() == [f"{SERVICE}-work-r1"]
