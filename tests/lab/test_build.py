"""Images on real engines: built, checked, pushed with a password, brought to a server through its SSH connection."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.docker_site import BASE, copy_app
from tests.lab.fixtures import Lab, LabHost
from tests.lab.shell import Answer

TOKEN = "t0ken-that-is-planted"
DEPLOY_YML = """\
service: {service}
image: lab/{service}
servers:
  worker: {{hosts: [{host}], cmd: sleep infinity, proxy: false}}
primary_role: worker
readiness_delay: 1
drain_timeout: 1
registry: {registry}
ssh: {{config: {ssh_config}}}
builder: {{arch: amd64, secrets: [TOKEN]{builder}}}
"""
DOCKERFILE = f"""\
{BASE}WORKDIR /app
RUN useradd app && head -c 2000000 /dev/urandom >/layer
RUN --mount=type=secret,id=TOKEN test "$(wc -c </run/secrets/TOKEN)" = 21
COPY . .
USER app
"""
COMMIT = ("git", "-c", "user.name=Ann", "-c", "user.email=ann@example.org", "commit", "-qm", "x")


@dataclass
class Site:
    """A project with an image of its own in the lab."""

    lab: Lab
    host: LabHost
    directory: Path
    service: str
    cache: Path

    def write(self, path: str, text: str) -> None:
        place = self.directory / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def commit(self) -> str:
        for words in (("git", "add", "-A"), COMMIT):
            subprocess.run(words, cwd=self.directory, check=True, capture_output=True)
        head = subprocess.run(("git", "rev-parse", "HEAD"), cwd=self.directory, check=True, capture_output=True)
        return head.stdout.decode().strip()

    def configure(self, registry: str, password: str = "", builder: str = "") -> None:
        values = {"service": self.service, "host": self.host.name, "ssh_config": self.lab.ssh_config}
        text = DEPLOY_YML.format(registry=registry, builder=builder, **values)
        self.write("config/deploy.yml", text)
        self.write(".kamal/secrets", f"TOKEN={TOKEN}\nREGISTRY_PASSWORD={password or self.lab.registry.password}\n")
        (self.directory / ".kamal" / "secrets").chmod(0o600)

    def private(self, server: str = "") -> str:
        found = self.lab.registry
        return f'{{server: "{server or found.server}", username: {found.username}, password: [REGISTRY_PASSWORD]}}'

    def __call__(self, *words: str, limit_s: float = 240) -> Answer:
        environment = {
            **self.lab.environment,
            "XDG_CACHE_HOME": str(self.cache),
            "PYTHONPATH": str(Path(__file__).parents[2] / "src"),
            "PYTHONWARNINGS": "error",
        }
        command = (sys.executable, "-m", "shipway", *words)
        done = subprocess.run(
            command, cwd=self.directory, env=environment, capture_output=True, text=True, timeout=limit_s, check=False
        )
        assert TOKEN not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return Answer(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def site(lab: Lab, tmp_path: Path) -> Iterator[Site]:
    host = lab.hosts[-1]
    service = f"build{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:8]}"
    made = Site(lab, host, tmp_path / "project", service, tmp_path / "cache")
    made.write(".dockerignore", ".git\n.kamal\n")
    made.write(".gitignore", ".kamal\n")
    copy_app(made.directory, service)
    made.write("Dockerfile", DOCKERFILE)
    made.configure("none")
    subprocess.run(("git", "init", "-q"), cwd=made.directory, check=True)
    made.commit()
    yield made
    containers = host.docker("ps", "-aq", "--filter", f"label=service={service}").out.split()
    if containers:
        host.docker("rm", "-fv", *containers)
    for docker in (host.docker, lab.docker):
        images = docker("images", "-q", "--filter", f"label=service={service}").out.split()
        if images:
            docker("rmi", "-f", *dict.fromkeys(images))
    host.run("rm", "-rf", f"/var/lib/shipway/{service}")


def travelled_bytes(answer: Answer) -> float:
    found = re.search(r"([\d.]+) MB in \d+ layers", answer.err)
    assert found, answer.err
    return float(found[1]) * 1e6


def test_without_a_registry_only_the_changed_layer_travels(site: Site) -> None:
    first = site("deploy")
    assert first.status == 0, first.err
    assert travelled_bytes(first) > 1_900_000
    site.write("changed.txt", "one file\n")
    version = site.commit()
    second = site("deploy")
    assert second.status == 0, second.err
    assert travelled_bytes(second) < 100_000
    images = site.host.docker("images", "--format", "{{.Repository}}:{{.Tag}}").out.splitlines()
    assert f"lab/{site.service}:{version}" in images
    assert not any(site.service in image and image.startswith("localhost:") for image in images)
    inside = site.host.docker("exec", f"{site.service}-worker-r2", "cat", "/app/changed.txt")
    assert inside.out == "one file\n"
    again = site("redeploy")
    assert again.status == 0, again.err
    assert site.host.docker("exec", f"{site.service}-worker-r3", "cat", "/app/changed.txt").out == "one file\n"


def test_kamals_local_registry_without_any_service(site: Site) -> None:
    site.configure("{server: 'localhost:5555'}")
    answer = site("build", "deliver", "--json")
    assert answer.status == 0, answer.err
    built = json.loads(answer.out.splitlines()[-1])["build"]
    assert built["hosts"] == [site.host.name]
    assert site.host.docker("image", "inspect", built["image"]).status == 0
    assert built["image"].startswith("localhost:5555/lab/")


def test_a_private_registry(site: Site) -> None:
    site.configure(site.private())
    answer = site("build", "deliver")
    assert answer.status == 0, answer.err
    assert "built and pushed and pulled by" in answer.out
    plan = site("plan", "deploy", "-v")
    assert plan.status == 0, plan.err
    assert "docker login" in plan.out
    assert site.lab.registry.password not in plan.out + plan.err


def test_a_wrong_password_names_registry_and_user(site: Site) -> None:
    site.configure(site.private(), "certainly-wrong-1")
    answer = site("deploy")
    assert answer.status == 5
    assert f"{site.lab.registry.server} refused the login of {site.lab.registry.username}" in answer.err
    assert "certainly-wrong-1" not in answer.out + answer.err


def test_a_registry_that_is_down(site: Site) -> None:
    server = site.lab.registry.server.rpartition(":")[0] + ":5999"
    site.configure(site.private(server))
    answer = site("deploy")
    assert answer.status == 5
    assert f"error[registry.unreachable]: {server} did not answer" in answer.err


def test_a_build_that_fails_in_the_middle(site: Site) -> None:
    site.write("Dockerfile", "FROM python:3.11-slim\n\nRUN echo going on && \\\n    ls /not/there\nCOPY . .\n")
    site.commit()
    answer = site("deploy")
    assert answer.status == 4
    assert "error[build.failed]" in answer.err
    assert "Dockerfile:3" in answer.err
    assert "/not/there" in answer.err


def test_no_dockerfile(site: Site) -> None:
    (site.directory / "Dockerfile").unlink()
    site.commit()
    answer = site("deploy")
    assert answer.status == 3
    assert "error[build.no_dockerfile]: Missing Dockerfile" in answer.err


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f"ENV API_KEY={TOKEN}", "image.secret_in_env"),
        (f"LABEL note={TOKEN}", "image.secret_in_label"),
        (f"RUN test {TOKEN}", "image.secret_in_history"),
        ("COPY private /opt/.env", "image.secret_in_file"),
    ],
)
def test_a_planted_secret_goes_nowhere(site: Site, line: str, code: str) -> None:
    site.write("private", f"A={TOKEN}\n")
    site.write("Dockerfile", f"FROM python:3.11-slim\nWORKDIR /app\n{line}\nUSER nobody\n")
    site.commit()
    answer = site("deploy")
    assert answer.status == 4, answer.err
    assert "error[image.has_secrets]" in answer.err
    assert code in answer.err
    assert "value of TOKEN" in answer.err


def test_what_should_not_be_in_an_image_is_said(site: Site) -> None:
    (site.directory / ".dockerignore").unlink()
    site.write(".env", "A=1\n")
    site.write("key.pem", "-----BEGIN PRIVATE KEY-----\n")
    site.write("Dockerfile", "FROM python:3.11-slim\nWORKDIR /app\nCOPY . .\n")
    site.commit()
    answer = site("build", "push")
    assert answer.status == 0, answer.err
    for code in ("image.env_file", "image.git_directory", "image.private_key", "image.runs_as_root"):
        assert code in answer.err


def test_ctrl_c_ends_the_build_and_what_it_started(site: Site) -> None:
    site.write("Dockerfile", "FROM python:3.11-slim\nRUN echo begun && sleep 300\n")
    site.commit()
    environment = {**site.lab.environment, "XDG_CACHE_HOME": str(site.cache)}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2] / "src")
    process = subprocess.Popen(
        (sys.executable, "-m", "shipway", "build", "push", "-v"),
        cwd=site.directory, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if b"begun" in line and b"RUN" not in line:
            break
    os.kill(process.pid, 2)
    process.communicate(timeout=30)
    assert process.returncode == 130
    left = subprocess.run(("pgrep", "-f", f"docker.*build.*{site.service}"), capture_output=True, check=False)
    assert left.stdout == b""
