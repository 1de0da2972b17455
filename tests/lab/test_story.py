"""From `git clone` to a served release on a server with nothing but sshd and root's key, and the server given back.

The same story three times: in containers, and in virtualenvs kept by systemd, behind Caddy and behind nginx. The verbs
and what they report are the same. No file is edited by hand.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.contract.proxy.authority import Authority, authority, issuer, needs_authority
from tests.lab.bare_server import own_servers
from tests.lab.fixtures import Lab, LabHost
from tests.lab.shell import Answer

pytestmark = needs_authority

EXAMPLE = Path(__file__).parents[2] / "examples" / "pier"
SITE = "pier.example.org"
OPERATOR = "10.213.7.1"
STORIES = {
    "docker": (34, ()),
    "caddy": (35, ("--runtime", "venv")),
    "nginx": (36, ("--runtime", "venv", "--proxy", "nginx")),
}
LIMIT_S = 180.0
BUSY = 4.0
"""A machine with so much else to do starts Django and Celery too slowly for the ordinary 30 s."""
NO_NAMES = {"outside.dns_missing"}
"""What is wrong with every site in the lab: no server of names knows it."""
# What the lab's image has and a new server may not: the story begins with sshd and a key.
STRIP = """\
userdel --remove deploy; groupdel docker; rm -f /etc/sudoers.d/deploy
export DEBIAN_FRONTEND=noninteractive SUDO_FORCE_REMOVE=yes
apt-get purge -qq -y --auto-remove python3 python3-minimal sudo git curl rsync >/dev/null && ! command -v python3
"""
PACKAGES = "dpkg-query -W -f '${db:Status-Abbrev} ${Package}\\n' | grep '^ii'"


@dataclass
class Story:
    """One server, and somebody who ships the example to it. `environment` is that of their shell."""

    lab: Lab
    host: LabHost
    place: Path
    words: tuple[str, ...]
    made: Authority | None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def project(self) -> Path:
        return self.place / "pier"

    def begin(self) -> None:
        """Make the repository that is cloned, and an `ssh` that has the lab's configuration for its own."""
        origin = self.place / "origin"
        ignored = shutil.ignore_patterns(
            "__pycache__", "*.sqlite3", "staticfiles", "config", ".kamal", "Dockerfile", ".dockerignore"
        )
        shutil.copytree(EXAMPLE, origin, ignore=ignored)
        if self.made:
            (origin / "authority.pem").write_text(self.made.root)
        self.run("git", "init", "-q", "-b", "main", folder=origin)
        self.commit("The pier", origin)
        programs = self.place / "bin"
        programs.mkdir()
        (programs / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {self.place}/ssh_config "$@"\n')
        (programs / "ssh").chmod(0o755)
        self.environment = {
            **os.environ,
            **self.lab.environment,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }

    def run(self, *words: str, folder: Path | None = None) -> str:
        done = subprocess.run(words, cwd=folder or self.project, check=True, capture_output=True, text=True)
        return done.stdout

    def commit(self, message: str, folder: Path | None = None) -> None:
        self.run("git", "add", "-A", folder=folder)
        self.run("git", "-c", "user.name=Ann", "-c", "user.email=ann@x.org", "commit", "-qm", message, folder=folder)

    def __call__(self, *words: str) -> Answer:
        """Run `shipway` without a terminal."""
        begin = time.monotonic()
        done = subprocess.run(
            (sys.executable, "-P", "-m", "shipway", *words), cwd=self.project, env=self.environment, text=True,
            capture_output=True, stdin=subprocess.DEVNULL, check=False, timeout=600,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        print(f"shipway {' '.join(words)}: {time.monotonic() - begin:.1f} s, exit code {done.returncode}")
        return Answer(done.returncode, done.stdout, done.stderr)

    def report(self, *words: str) -> dict[str, Any]:
        """Run a verb that has to succeed, and return its report."""
        answer = self(*words, "--json")
        assert answer.status == 0, f"{words}: {answer.out}\n{answer.err[-6000:]}"
        found: dict[str, Any] = json.loads(answer.out.splitlines()[-1])["report"]
        return found

    def errors(self) -> set[str]:
        """Return the codes of what `doctor` calls an error."""
        found = json.loads(self("doctor", "--json").out)["findings"]
        print(", ".join(f"{one['level']} {one['code']}" for one in found))
        return {one["code"] for one in found if one["level"] == "error"}

    def init(self) -> None:
        ours = ("--acme-ca", self.made.directory, "--acme-root", "authority.pem") if self.made else ()
        answer = self(
            "init", "--yes", "--server", self.host.name, "--host", SITE, "--python", "3.11", "--accessories",
            "--make-secrets", *self.words, *ours,
        )  # fmt: skip
        assert answer.status == 0, answer.err
        if os.getloadavg()[0] > BUSY:  # the one thing that a user has not to write
            with (self.project / "config/deploy.yml").open("a") as file:
                file.write("\ndeploy_timeout: 180\n")

    def ask(self, method: str, path: str, **form: str) -> tuple[int, str, str]:
        """Ask as a visitor, by HTTPS where there is an authority: status, release, body."""
        with contextlib.closing(self.connection()) as connection:
            headers = {"Host": SITE, "Content-Type": "application/x-www-form-urlencoded"}
            connection.request(method, path, urlencode(form) if form else None, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("X-Release", ""), answer.read().decode()

    def connection(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self.host.address, 443 if self.made else 80, timeout=30)
        connection.connect()
        if self.made:
            context = ssl._create_unverified_context()  # noqa: S323
            connection.sock = context.wrap_socket(connection.sock, server_hostname=SITE)
            assert "Pebble" in issuer(connection.sock.getpeercert(binary_form=True) or b"")
        return connection

    def serving(self) -> str:
        """Return which release answers; a certificate may come a second after the site."""
        limit = time.monotonic() + LIMIT_S
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                status, release, _ = self.ask("GET", "/up")
                if status == http.client.OK or time.monotonic() > limit:
                    return release
            assert time.monotonic() < limit, "the site does not answer"
            time.sleep(0.2)

    def weigh(self) -> str:
        """Leave a parcel, and return the release of the worker that weighed it."""
        status, _, body = self.ask("POST", "/", label="Rope")
        assert status == http.client.CREATED, body
        limit = time.monotonic() + LIMIT_S
        while time.monotonic() < limit:
            found = json.loads(self.ask("GET", f"/parcels/{json.loads(body)['id']}")[2])
            if found["weighed_by"]:
                return str(found["weighed_by"])
            time.sleep(0.2)
        raise AssertionError("nobody weighed the parcel")


@pytest.fixture(params=STORIES)
def story(request: pytest.FixtureRequest, lab: Lab, tmp_path: Path) -> Iterator[Story]:
    number, words = STORIES[request.param]
    with contextlib.ExitStack() as stack:
        (host,) = stack.enter_context(own_servers(lab, tmp_path, (number,), bare=True))
        stripped = host.run("sh", "-c", STRIP, limit_s=120)
        assert stripped.status == 0, stripped.err
        made = None
        if request.param != "nginx":
            made = stack.enter_context(authority(tmp_path, OPERATOR, host.address, (80, 443)))
        found = Story(lab, host, tmp_path, words, made)
        found.begin()
        yield found


def test_a_fresh_server_becomes_a_site_and_is_given_back(story: Story) -> None:
    before = story.host.run("sh", "-c", PACKAGES).out
    begin = time.monotonic()
    story.run("git", "clone", "-q", str(story.place / "origin"), "pier", folder=story.place)
    story.init()
    assert story.errors() <= NO_NAMES
    story.commit("How it is deployed")
    first = story.report("setup")
    print(f"from git clone to a served release: {time.monotonic() - begin:.1f} s, 4 commands")
    assert story.serving() == "r1"
    assert story.weigh() == "r1"
    assert_report(first, "setup", "r1")

    assert story.errors() <= NO_NAMES
    assert story.report("setup")["outcome"] == "nothing"

    (story.project / "note").write_text("another commit\n")
    story.commit("Another")
    assert_report(story.report("deploy"), "deploy", "r2")
    assert story.serving() == "r2"
    assert story.weigh() == "r2"
    assert_report(story.report("rollback"), "rollback", "r1")
    assert story.serving() == "r1"
    assert story.weigh() == "r1"

    refused = story("server", "unbootstrap", "-y")
    assert (refused.status, "unbootstrap.in_use" in refused.err) == (4, True), refused.err
    assert story("server", "unbootstrap").status == 2, "nobody agreed"
    assert story("remove", "-y").status == 0
    assert story.report("server", "unbootstrap", "-y")["outcome"] == "done"
    assert story.host.run("sh", "-c", PACKAGES).out == before
    again = story.report("server", "unbootstrap", "-y")
    assert again["outcome"] == "nothing"


def assert_report(report: dict[str, Any], verb: str, release: str) -> None:
    assert (report["verb"], report["outcome"], report["release"]) == (verb, "done", release)
    assert {(one["role"], one["release"]) for one in report["serving"]} == {
        (role, release) for role in ("web", "worker", "beat")
    }
    assert report["stages"]
    assert report["next"]
