"""The example broken in one way after another: each is found, named and turned back, and no visitor's request is lost.

The site speaks HTTPS (with the proxy's own authority), has a login, and visitors all the time.
"""

from __future__ import annotations

import base64
import json
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
import yaml

from shipway.adapters.fetch_script import fetch
from tests.lab.bare_server import own_servers
from tests.lab.fixtures import Lab
from tests.lab.pier import NAME, Pier
from tests.lab.shell import Answer
from tests.live.site import Running

NUMBER = 37
PASSWORD = "a-password-of-the-probe-Xq83"
BREAKS = '''\
"""Ways to be broken, chosen by the environment."""

import os
import time

from django.http import HttpResponse

BROKEN = os.environ.get("BROKEN", "")
STARTED = time.monotonic()


def middleware(get_response):
    def answer(request):
        is_probe = request.headers.get("User-Agent", "").startswith("shipway-verify")
        if BROKEN == "slow" and request.path == "/":
            time.sleep(2)
        if BROKEN == "login" and request.method == "POST" and request.path == "/admin/login/":
            raise RuntimeError("the login is broken")
        if BROKEN == "storm" and not is_probe and request.path == "/" and time.monotonic() % 1 < 0.8:
            return HttpResponse("a storm", status=500)
        response = get_response(request)
        if BROKEN == "static" and request.path == "/":
            response.content = response.content.replace(b"/static/parcels/pier.", b"/static/parcels/lost.")
        return response

    return answer
'''
SETTINGS = """

BROKEN = os.environ.get("BROKEN", "")
MIDDLEWARE = [MIDDLEWARE[0], "pier.broken.middleware", *MIDDLEWARE[1:]]
if BROKEN == "cookie":
    CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = False
if BROKEN == "csrf":
    SECURE_PROXY_SSL_HEADER, SECURE_SSL_REDIRECT = None, False
if BROKEN == "debug":
    DEBUG = True
"""
LOGIN: list[dict[str, Any]] = [
    {"open": "/admin/login/?next=/admin/"},
    {"submit": True, "fields": {"username": "probe"}, "secret": {"password": "PROBE_PASSWORD"}, "path": "/admin/"},
    {"submit": "/admin/logout/", "text": "Logged out"},
]
VERIFY: dict[str, Any] = {
    "retries": 1,
    "cookies": {"paths": ["/admin/login/"]},
    "hsts": True,
    "http": [{"path": "/", "name": "list", "text": "Parcels on the pier", "within_ms": 1500}],
    "flows": [{"name": "login", "steps": LOGIN}],
}


@dataclass
class Guests:
    """People who open the list and the health page, each time on a new connection.

    `lost` has what nobody answered, or the proxy alone; `failed` what the application itself answered with an error.
    """

    pier: Pier
    count: int = 2
    asked: int = 0
    lost: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._visit, daemon=True) for _ in range(self.count)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    def _visit(self) -> None:
        while not self._over.wait(0.02):
            for path in ("/", "/up"):
                found = ask(self.pier, path)
                self.asked += 1
                headers = dict(found.get("headers", ()))
                if found.get("status") == 200:
                    continue
                row = f"{path}: {found.get('status')} {found.get('said', '')}"
                (self.failed if headers.get("X-Release") or headers.get("x-release") else self.lost).append(row)


def ask(pier: Pier, path: str) -> dict[str, Any]:
    asked = {"address": pier.host.address, "port": 443, "tls": True, "name": NAME, "host": NAME, "method": "GET"}
    return fetch({**asked, "path": path, "headers": [("User-Agent", "Guest")], "limit_s": 30.0, "most": 100_000})


def release(pier: Pier) -> str:
    found = ask(pier, "/up")
    assert found.get("status") == 200, found
    return str(json.loads(zlib.decompress(base64.b64decode(found["body"])))["release"])


@pytest.fixture(scope="module")
def pier(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pier]:
    place = tmp_path_factory.mktemp("verified")
    with own_servers(lab, place, (NUMBER,), bare=False) as (host,):
        made = Pier(lab, host, place / "pier", {"PROBE_PASSWORD": PASSWORD}).prepare()
        made.edit("config/deploy.yml", str(lab.ssh_config), str(place / "ssh_config"))
        (made.folder / "pier/broken.py").write_text(BREAKS)
        made.append("pier/settings.py", SETTINGS)
        made.append(".kamal/secrets", "\nPROBE_PASSWORD=$PROBE_PASSWORD\n")
        configure(made, slim)
        made.commit("A site with a login")
        made.ok("setup")
        user = f"from django.contrib.auth.models import User; User.objects.create_superuser('probe', '', '{PASSWORD}')"
        made.ok("manage", "shell", "-c", user)
        yield made


def slim(config: dict[str, Any]) -> None:
    """A web role and PostgreSQL, over HTTPS."""
    config["servers"] = {"web": config["servers"]["web"]}
    del config["accessories"]["redis"], config["env"]["clear"]["REDIS_URL"], config["proxy"]["ssl"]
    config["proxy"]["tls"] = "internal"
    config["env"]["clear"].update(HTTPS="1", BROKEN="")
    config["drain_timeout"] = 3
    config["verify"] = {"flows": []}


def configure(pier: Pier, change: Callable[[dict[str, Any]], object]) -> None:
    path = pier.folder / "config/deploy.yml"
    config = yaml.safe_load(path.read_text())
    change(config)
    path.write_text(yaml.safe_dump(config, sort_keys=False))


@contextmanager
def broken(pier: Pier, how: str, **policy: object) -> Iterator[None]:
    """The next release is broken in this way; afterwards the configuration is whole again."""
    path = pier.folder / "config/deploy.yml"
    whole = path.read_text()

    def change(config: dict[str, Any]) -> None:
        config["env"]["clear"]["BROKEN"] = how
        config["verify"] = VERIFY
        config["release"] = policy

    configure(pier, change)
    try:
        yield
    finally:
        path.write_text(whole)


def error_of(answer: Answer) -> dict[str, Any]:
    """Return the error that a command told with `--json`: the last line of its output."""
    found = [json.loads(line) for line in answer.out.splitlines() if line.startswith("{")]
    return dict(next(row["error"] for row in reversed(found) if "error" in row))


def test_a_good_site_is_verified(pier: Pier) -> None:
    with broken(pier, ""):
        text = pier.ok("verify", "-v")
        assert "flow  login" in text
        found = json.loads(pier.ok("verify", "--json"))
    assert found["ok"]
    assert {one["code"].removeprefix("verify.") for one in found["checks"] if one["state"] == "passed"} >= {
        "pages", "release", "debug", "static", "redirect", "cookies", "hsts", "wrong_host", "http", "flow"
    }, found  # fmt: skip
    assert [one for one in found["checks"] if one["state"] == "failed"] == []


@pytest.mark.parametrize(
    ("how", "code", "said"),
    [
        ("static", "verify.static", "lost."),
        ("cookie", "verify.cookies", "csrftoken"),
        ("csrf", "verify.flow", "CSRF"),
        ("login", "verify.flow", "500"),
        ("slow", "verify.http", "ms are allowed"),
        ("debug", "verify.debug", "debug page"),
    ],
)
def test_what_is_broken_is_named_and_turned_back(pier: Pier, how: str, code: str, said: str) -> None:
    before = release(pier)
    with broken(pier, how), Guests(pier) as guests:
        answer = pier("redeploy", "--json")
    assert answer.status == 10, answer
    error = error_of(answer)
    assert code in (error["code"], *error["said"].split()), error
    assert said in error["what"] + error["said"]
    assert f"{before} serves" in error["now"]
    assert f"{before} was verified" in error["now"]
    assert release(pier) == before
    assert (guests.lost, guests.failed) == ([], []), guests.asked
    assert guests.asked > 20
    assert pier.containers() == [f"pier-web-{before}"]


def test_a_storm_after_the_switch_is_turned_back(pier: Pier) -> None:
    before = release(pier)
    # A storm is not watched to the end: the command has less time than that.
    with broken(pier, "storm", watch="1h"), Guests(pier, 4) as guests:
        answer = pier("redeploy", "--json")
        failed = len(guests.failed)
        assert release(pier) == before
        time.sleep(1)
        assert len(guests.failed) == failed, "nobody meets the storm any more"
    assert answer.status == 10, answer
    assert error_of(answer)["code"] == "verify.watch"
    assert guests.lost == []
    assert guests.failed


def test_good_traffic_is_watched_and_kept(pier: Pier) -> None:
    with broken(pier, "", watch="15s"), Guests(pier) as guests:
        answer = pier("redeploy")
    assert answer.status == 0, answer
    assert "verified" in answer.out
    assert (guests.lost, guests.failed) == ([], [])


def test_a_held_release_waits_for_a_person(pier: Pier) -> None:
    before = release(pier)
    with broken(pier, "cookie", on_failure="hold"):
        answer = pier("redeploy", "--json")
        assert answer.status == 11, answer
        held = release(pier)
        assert held != before
        assert pier.containers() == sorted([f"pier-web-{before}", f"pier-web-{held}"])
        assert "unverified" in error_of(answer)["next"]
        assert pier("resume").status == 11
        back = pier("rollback", "-y")
        assert back.status == 0, back
        assert release(pier) == before
        assert pier("redeploy").status == 11
        assert pier("resume", "--unverified", "a person looked").status == 0
    assert release(pier) not in {before, held}
    assert pier.containers() == [f"pier-web-{release(pier)}"]
    pier.ok("rollback", "-y")


def test_a_killed_verification_is_taken_back_or_goes_on(pier: Pier, tmp_path: Path) -> None:
    before = release(pier)
    with broken(pier, ""):
        configure(pier, lambda config: config["verify"].update(http=[{"path": "/slow?s=9", "timeout": 20}]))
        environment = {**pier.lab.environment, **pier.environment}
        running = Running(pier.folder, ("redeploy", "--json"), environment)
        try:
            running.wait_for("stage.begin", last="Verify")
        finally:
            running.kill()
        assert release(pier) != before
        configure(pier, lambda config: config["verify"].update(http=[]))
        assert pier("rollback", "-y").status == 0
    assert release(pier) == before
    assert pier.containers() == [f"pier-web-{before}"]
