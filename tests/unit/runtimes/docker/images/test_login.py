"""Logins, and what the docker client says when they fail (recorded with 20.10 and 28)."""

# ruff: noqa: E501  commands and messages stand in one piece, as they are read and recorded

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from shipway.config.registry import Inline, Registry
from shipway.core.secret import SecretRef
from shipway.runtimes.docker.images.login import AUTH_SCRIPT, login_step, needs_login, trouble_of
from tests.unit.runtimes.docker.images.specs import HUB, LOCAL

SAID = [
    ("refused", "Error response from daemon: login attempt to https://r.example:5000/v2/ failed with status: 401 Unauthorized"),
    ("refused", 'Error response from daemon: Get "https://registry-1.docker.io/v2/": unauthorized: incorrect username or password'),
    ("refused", "denied: requested access to the resource is denied"),
    ("refused", "no basic auth credentials"),
    ("unreachable", 'Error response from daemon: Get "https://r.example:5999/v2/": dial tcp 10.0.0.5:5999: connect: connection refused'),
    ("unreachable", 'Error response from daemon: Get "https://r.example/v2/": dial tcp: lookup r.example on 10.0.0.53:53: no such host'),
    ("unreachable", "net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)"),
    ("certificate", 'Error response from daemon: Get "https://r.example/v2/": x509: certificate signed by unknown authority'),
    ("certificate", 'Get "https://r.example/v2/": http: server gave HTTP response to HTTPS client'),
    ("other", "something else"),
]  # fmt: skip


@pytest.mark.parametrize(("trouble", "said"), SAID)
def test_the_cause_is_read_from_what_was_said(trouble: str, said: str) -> None:
    assert trouble_of(said) == trouble


def test_the_password_travels_by_standard_input() -> None:
    step = login_step(
        Registry(server="r.example", username=Inline("ann", "registry/username"), password=SecretRef("PASSWORD"))
    )
    assert step.argv == ("docker", "login", "--username", "ann", "--password-stdin", "r.example")
    assert step.stdin == (SecretRef("PASSWORD"),)
    assert login_step(HUB).argv[-1] == "--password-stdin"


def test_a_name_that_is_a_secret_comes_by_standard_input_too() -> None:
    step = login_step(
        Registry(server="r.example", username=SecretRef("NAME"), password=Inline("a-password", "registry/password"))
    )
    assert step.stdin == (SecretRef("NAME"), "\n", SecretRef("registry/password"))
    assert (step.argv[0], step.argv[-1]) == ("python3", "r.example")
    assert "a-password" not in step.shell()
    assert step.title == "log in to r.example as [secret NAME]"


def test_who_needs_a_login() -> None:
    assert needs_login(HUB)
    assert not needs_login(LOCAL)
    assert not needs_login(Registry(is_none=True))


def test_what_is_written_for_a_secret_name(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"credsStore": "desktop", "auths": {"other": {"auth": "x"}}, "proxies": {}}))
    environment = {"DOCKER_CONFIG": str(tmp_path), "PATH": "/usr/bin:/bin"}
    for script in (AUTH_SCRIPT, AUTH_SCRIPT):
        command = (sys.executable, "-I", "-c", script, "r.example")
        subprocess.run(command, input=b"ann\npass:w\nord", env=environment, check=True)
    assert json.loads(path.read_text()) == {
        "credsStore": "desktop",
        "auths": {"other": {"auth": "x"}, "r.example": {"auth": base64.b64encode(b"ann:pass:w\nord").decode()}},
        "credHelpers": {"r.example": ""},
        "proxies": {},
    }
    assert path.stat().st_mode & 0o777 == 0o600
