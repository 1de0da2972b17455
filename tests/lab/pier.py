"""The example in containers as its README says it: a copy with an address, a registry and a host name written in."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

from tests.lab.fixtures import Lab, LabHost
from tests.lab.shell import Answer

ROOT = Path(__file__).parents[2]
NAME = "pier.example.org"
LIMIT_S = 180.0
"""For what a worker or a proxy does by itself in a second or two, on a machine that has much else to do."""


@dataclass(frozen=True)
class Pier:
    """A project on the operator's machine and the server that it is deployed to. Call it with words of the command."""

    lab: Lab
    host: LabHost
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def prepare(self) -> Self:
        """Copy the example, edit what the README says, commit, and export the four values."""
        ignored = shutil.ignore_patterns("__pycache__", "*.sqlite3", "staticfiles")
        shutil.copytree(ROOT / "examples" / "pier", self.folder, ignore=ignored)
        registry = self.lab.registry
        self.edit("config/deploy.yml", "192.0.2.10", self.host.name)
        self.edit("config/deploy.yml", "registry.example.org", f'"{registry.server}"')
        self.edit("config/deploy.yml", "username: shipper", f"username: {registry.username}")
        # A machine that has much else to do starts Django and Celery slowly, and that is no matter here.
        self.append("config/deploy.yml", f"\nssh:\n  config: {self.lab.ssh_config}\ndeploy_timeout: 120\n")
        self.environment.update(
            PIER_SECRET_KEY="a-key-of-the-lab-and-of-nobody-else-0123456789abcdef",
            PIER_POSTGRES_PASSWORD="postgres-of-the-lab",
            PIER_REGISTRY_PASSWORD=registry.password,
        )
        self.git("init", "-q", "-b", "main")
        self.commit("The pier")
        return self

    def __call__(self, *words: str, limit_s: float = 300) -> Answer:
        """Run `shipway` as an operator does, without a terminal. No answer may hold a secret or a traceback."""
        environment = {
            **self.lab.environment,
            **self.environment,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        done = subprocess.run(
            (sys.executable, "-P", "-m", "shipway", *words), cwd=self.folder, env=environment, text=True,
            capture_output=True, stdin=subprocess.DEVNULL, check=False, timeout=limit_s,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        told = [name for name, value in self.environment.items() if value in done.stdout + done.stderr]
        assert not told, f"{words} told {told}"
        return Answer(done.returncode, done.stdout, done.stderr)

    def ok(self, *words: str) -> str:
        """Run `shipway`, which has to succeed, and return what it answered."""
        answer = self(*words)
        assert answer.status == 0, f"shipway {' '.join(words)}: {answer}"
        return answer.out

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.folder / path).read_text()
        assert old in text, f"{path} has no {old}"
        (self.folder / path).write_text(text.replace(old, new))

    def append(self, path: str, text: str) -> None:
        with (self.folder / path).open("a") as file:
            file.write(text)

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
        return subprocess.run(("git", *who, *words), cwd=self.folder, check=True, capture_output=True, text=True).stdout

    def commit(self, message: str) -> str:
        """Commit everything, and return the version."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD").strip()

    def ask(self, method: str, path: str, **form: str) -> tuple[int, str, str]:
        """Ask the site as a visitor: status, release, body."""
        connection = http.client.HTTPConnection(self.host.address, 80, timeout=30)
        headers = {"Host": NAME, "Content-Type": "application/x-www-form-urlencoded"}
        try:
            connection.request(method, path, urlencode(form) if form else None, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("X-Release", ""), answer.read().decode()
        finally:
            connection.close()

    @property
    def release(self) -> str:
        return self.ask("GET", "/up")[1]

    def is_up(self) -> bool:
        try:
            return self.ask("GET", "/up")[0] == http.client.OK
        except (OSError, http.client.HTTPException):
            return False

    def comes_up(self) -> bool:
        """Return whether the site answers, now or soon."""
        limit = time.monotonic() + LIMIT_S
        while not (up := self.is_up()) and time.monotonic() < limit:
            time.sleep(0.1)
        return up

    def post(self, label: str) -> int:
        """Leave a parcel on the pier, and return its number."""
        status, _, body = self.ask("POST", "/", label=label)
        assert status == http.client.CREATED, body
        return int(json.loads(body)["id"])

    def parcel(self, number: int) -> dict[str, Any]:
        """Return a parcel once the worker has weighed it."""
        limit = time.monotonic() + LIMIT_S
        while True:
            status, _, body = self.ask("GET", f"/parcels/{number}")
            found: dict[str, Any] = json.loads(body) if status == http.client.OK else {}
            if found.get("weighed_by") or time.monotonic() > limit:
                assert found.get("weighed_by"), f"nobody weighed parcel {number}: {status} {body}"
                return found
            time.sleep(0.1)

    def containers(self, *filters: str) -> list[str]:
        """The names of the service's running containers of the server."""
        words = [word for each in filters for word in ("--filter", each)]
        label = f"label=service={NAME.partition('.')[0]}"
        return sorted(self.host.docker("ps", "--filter", label, *words, "--format", "{{.Names}}").out.split())


class Beats:
    """A context manager that has the server's engine tell every start and end of a beat."""

    _WATCH = (
        "docker events --filter label=service=pier --filter label=role=beat --filter event=start --filter event=die"
        " --format '{{.TimeNano}} {{.Action}} {{.Actor.Attributes.name}}' >/run/beats 2>&1 & echo $!"
    )

    def __init__(self, host: LabHost) -> None:
        self._host, self._pid = host, ""
        self.running = 0

    def __enter__(self) -> Self:
        self.running = len(self._host.docker("ps", "-q", "--filter", "label=role=beat").out.split())
        self._pid = self._host.run("sh", "-c", self._WATCH).out.strip()
        return self

    def __exit__(self, *_: object) -> None:
        self._host.run("kill", self._pid)

    def assert_never_two(self) -> int:
        """Fail if two ran at any moment, or if not one runs now; return how many were started."""
        events = [line.split() for line in self._host.run("cat", "/run/beats").out.splitlines()]
        running, started = self.running, 0
        for _, action, name in sorted(events):
            running += 1 if action == "start" else -1
            started += action == "start"
            assert running in {0, 1}, f"{running} beats after {name}: {events}"
        assert running == 1, events
        return started


class Visitors:
    """Some people who each open the list, leave a parcel and open a page that takes long, over and over.

    `failed` has what went wrong, `parcels` the numbers of those that were taken in, `pause_s` the longest time in
    which nobody got an answer.
    """

    def __init__(self, pier: Pier, count: int = 3) -> None:
        self._pier, self._over, self._lock = pier, threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._visit, args=(number,), daemon=True) for number in range(count)]
        self.failed: list[str] = []
        self.parcels: list[int] = []
        self.asked = 0
        self.pause_s = 0.0
        self._last = time.monotonic()

    def __enter__(self) -> Self:
        self._last = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(LIMIT_S)

    def _visit(self, number: int) -> None:
        turns = (("GET", "/", 200), ("POST", "/", 201), ("GET", "/slow?s=0.5", 200), ("GET", "/up", 200))
        connection = http.client.HTTPConnection(self._pier.host.address, 80, timeout=LIMIT_S)
        headers = {"Host": NAME, "Content-Type": "application/x-www-form-urlencoded"}
        while not self._over.wait(0.05):
            method, path, wanted = turns[(self.asked + number) % len(turns)]
            self.asked += 1
            try:
                connection.request(method, path, f"label=of+{number}" if method == "POST" else None, headers)
                answer = connection.getresponse()
                self._note(method, path, answer.status, wanted, answer.read())
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(f"{time.strftime('%X')} {method} {path}: {error!r}")
                connection.close()
        connection.close()

    def _note(self, method: str, path: str, status: int, wanted: int, body: bytes) -> None:
        if status != wanted:
            self.failed.append(f"{time.strftime('%X')} {method} {path}: {status} {body[:200]!r}")
            return
        if method == "POST":
            self.parcels.append(int(json.loads(body)["id"]))
        with self._lock:
            now = time.monotonic()
            self.pause_s, self._last = max(self.pause_s, now - self._last), now

    def assert_content(self) -> None:
        assert self.asked > 0
        assert not self.failed, f"{len(self.failed)} of {self.asked} requests failed: {self.failed[:3]}"
