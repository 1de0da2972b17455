"""The example `harbor` as a service in virtualenvs on a server of the lab, deployed by the command over SSH."""

from __future__ import annotations

import contextlib
import http.client
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

import yaml

from tests.lab.bare_server import Operator
from tests.lab.fixtures import Lab, LabHost
from tests.lab.shell import Answer

NAME = "harbor.example.org"
EXAMPLE = Path(__file__).parents[2] / "examples" / "harbor"
SYSTEM = "/etc/systemd/system/multi-user.target.wants"
BOUNDARY = "a-boundary-that-is-not-in-three-random-megabytes"
TOKEN = "a" * 32  # a CSRF token: the cookie and the form must have the same
UV = 'printf \'#!/bin/sh\\nSSL_CERT_FILE=%s exec /usr/local/lib/uv "$@"\\n\' "$1" >/usr/bin/uv && chmod +x /usr/bin/uv'
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
SLOW = """

@task()
def slow():
    import pathlib
    import time

    pathlib.Path("var/slow-began").touch()
    time.sleep(4)
    pathlib.Path("var/slow-ended").touch()
"""


class Page(NamedTuple):
    """What was answered."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Harbor:
    """`login` deploys to the server of `operator`; the proxy listens on `port`. `root`: the state directory."""

    operator: Operator
    login: str
    port: int
    root: str
    keeper: str = ""

    def make(self) -> None:
        """Put the project into the operator's directory and commit it."""
        shutil.copytree(EXAMPLE, self.directory, ignore=shutil.ignore_patterns("__pycache__", "var", "media"))
        (self.directory / ".kamal" / "secret-key").write_text("a-key-of-this-test-and-of-nobody-else-0123456789")
        self.append("ships/tasks.py", SLOW)
        self.git("init", "-q")
        self.configure()

    @property
    def directory(self) -> Path:
        return self.operator.directory

    @property
    def home(self) -> str:
        return f"{self.root}/harbor"

    def configure(self, **changes: str) -> None:
        """Write the configuration of this login, with another `keeper` where it is given, and commit it."""
        self.keeper = changes.get("keeper", self.keeper)
        path = self.directory / "config" / "deploy.yml"
        config: dict[str, Any] = yaml.safe_load(path.read_text())
        for key in ("transport", "state_directory", "venv"):
            config.pop(key, None)
        for role in config["servers"].values():
            role["hosts"] = [self.operator.host.name]
        config["ssh"] = {"config": str(self.directory.parent / "ssh_config"), "user": self.login}
        config["proxy"] |= {"host": NAME, "run": {"http_port": self.port}}
        config["env"]["clear"]["ALLOWED_HOSTS"] = NAME
        if self.keeper:
            config["venv"] = {"keeper": self.keeper}
        path.write_text(yaml.safe_dump(config, sort_keys=False))
        self.commit()

    def append(self, name: str, text: str) -> None:
        with (self.directory / name).open("a") as file:
            file.write(text)

    def git(self, *words: str) -> None:
        who = ("-c", "user.name=A", "-c", "user.email=a@b.c")
        subprocess.run(("git", *who, *words), cwd=self.directory, check=True, capture_output=True)

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")

    def __call__(self, *words: str) -> Answer:
        return self.operator(*words)

    def deploy(self) -> str:
        """Deploy what is committed; return what serves."""
        answer = self("deploy")
        assert answer.status == 0, answer.err[-4000:]
        return self.serving()

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> Page:
        connection = http.client.HTTPConnection(self.operator.host.address, self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, body or None, {"Host": NAME, **headers})
            answer = connection.getresponse()
            return Page(answer.status, dict(answer.getheaders()), answer.read())

    def serving(self) -> str:
        """Return the release that answers; "" where nobody does."""
        try:
            answer = self.request("GET", "/up")
        except OSError:
            return ""
        return answer.headers.get("X-Release", "") if answer.status == http.client.OK else ""

    def upload(self, photo: bytes) -> bytes:
        """Add a ship with a photo, and return the photo as its page shows it."""
        parts = {"csrfmiddlewaretoken": TOKEN, "name": "Ark", "length_m": "137", "berth": ""}
        field = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name="
        fields = "".join(f'{field}"{name}"\r\n\r\n{value}\r\n' for name, value in parts.items())
        head = f'{field}"photo"; filename="ark.png"\r\n\r\n'
        body = (fields + head).encode() + photo + f"\r\n--{BOUNDARY}--\r\n".encode()
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        made = self.request("POST", "/ships/new/", body, Cookie=f"csrftoken={TOKEN}", **{"Content-Type": kind})
        assert made.status == http.client.FOUND, made.body[:2000]
        page = self.request("GET", made.headers["Location"]).body.decode()
        found = re.search(r'src="(/media/[^"]+)"', page)
        assert found, page
        return self.request("GET", found[1]).body

    def ask(self, script: str, *words: str) -> str:
        """Run a shell script on the server as root and return what it printed."""
        answer = self.operator.host.run("sh", "-c", script, "sh", *words)
        assert answer.status == 0, f"{script}: {answer.out}{answer.err}"
        return answer.out.strip()

    @property
    def is_users(self) -> bool:
        """Whether the login's own manager is meant."""
        return self.login == "plainest"

    def units(self) -> set[tuple[str, str]]:
        """Return the units of Shipway: name, and what they are (`active running`, …)."""
        words = "list-units --all --plain --no-legend 'shipway-*'"
        text = self.ask(as_user(self.login, f"systemctl --user {words}") if self.is_users else f"systemctl {words}")
        rows = [line.split(maxsplit=4) for line in text.splitlines()]
        return {(row[0].removesuffix(".service"), f"{row[2]} {row[3]}") for row in rows}

    def enabled(self) -> set[str]:
        """Return the units that the manager starts by itself."""
        users = "/home/plainest/.config/systemd/user/default.target.wants"
        text = self.ask('ls "$1" | grep ^shipway-', users if self.is_users else SYSTEM)
        return {name.removesuffix(".service") for name in text.split()}

    def all_of(self, release: str) -> set[tuple[str, str]]:
        names = {f"shipway-harbor-{role}-{release}" for role in ("web", "worker", "beat")}
        return {(name, "active running") for name in {*names, "shipway-proxy"}}


def give_uv(lab: Lab, host: LabHost) -> None:
    """Put uv on a server: pip needs ten times as long. The lab's package index may have a certificate of its own."""
    here = Path(sys.executable).with_name("uv")
    assert lab.engine.ask("cp", here, f"{host.facts.container}:/usr/local/lib/uv").status == 0
    assert host.run("sh", "-c", UV, "sh", AUTHORITIES).status == 0


def as_user(login: str, words: str) -> str:
    """Return a shell line that runs `words` as a user with that user's manager."""
    return f"runuser -u {login} -- env XDG_RUNTIME_DIR=/run/user/$(id -u {login}) {words}"


def eventually(is_true: Callable[[], object], limit_s: float = 90.0) -> None:
    deadline = time.monotonic() + limit_s
    while not is_true():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.2)


@dataclass
class Visitors:
    """A few who keep asking over open connections. `failed` has what went wrong."""

    harbor: Harbor
    count: int = 3
    asked: int = 0
    failed: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(self.count)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _run(self) -> None:
        connection = http.client.HTTPConnection(self.harbor.operator.host.address, self.harbor.port, timeout=30)
        while not self._stop.wait(0.03):
            self.asked += 1
            try:
                connection.request("GET", "/", headers={"Host": NAME})
                answer = connection.getresponse()
                answer.read()
                if answer.status != http.client.OK:
                    self.failed.append(f"{time.strftime('%X')} status {answer.status}")
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(f"{time.strftime('%X')} {error!r}")
                connection.close()
        connection.close()
