from __future__ import annotations

import subprocess

import pytest

from shipway.core.secret import SecretRef, Text, encode
from shipway.core.unit import Unit
from shipway.runtimes.venv.environment import env_file, unit_file
from shipway.runtimes.venv.settings import VenvSettings

HOSTILE = ["", " ", "a b", "'", '"', "$HOME", "`id`", "a\nb", "\\", "é→", "-n", "*", "%(x)s", "; #", "x" * 10_000]


def unit(*env: tuple[str, Text]) -> Unit:
    return Unit(service="shop", role="web", host="h", release="r1", version="abc", env=env)


def loaded(text: Text, secrets: dict[str, str]) -> dict[str, str]:
    """Return what a POSIX shell makes of the file."""
    body = "".join(encode(secrets[p.name], p.encoding) if isinstance(p, SecretRef) else p for p in text)
    script = f"set -a\n{body}\nexec /usr/bin/env -0"
    done = subprocess.run(["sh"], input=script.encode(), capture_output=True, check=True, env={"PATH": "/usr/bin:/bin"})
    assert done.stderr == b""
    pairs = (tuple(line.split("=", 1)) for line in done.stdout.decode().split("\0") if line)
    return dict(pairs)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_arrives_as_it_is(value: str) -> None:
    text = env_file(unit(("CLEAR", (value,)), ("SECRET", ("a", SecretRef("S"), value))), VenvSettings(), "/v", "")
    got = loaded(text, {"S": value})
    assert got["CLEAR"] == value
    assert got["SECRET"] == f"a{value}{value}"


def test_a_secret_is_a_reference_written_for_the_shell() -> None:
    text = env_file(unit(("SECRET", (SecretRef("S", "raw"),))), VenvSettings(), "/v", "")
    assert SecretRef("S", "shell") in text


def test_ours_cannot_be_changed_and_defaults_can() -> None:
    settings = VenvSettings(settings_module="shop.settings")
    env = (("DJANGO_SETTINGS_MODULE", ("mine",)), ("PATH", ("/mine",)), ("GUNICORN_CMD_ARGS", ("--reload",)))
    got = loaded(env_file(unit(*env), settings, "/the venv", "/run/a b.sock"), {})
    assert got["DJANGO_SETTINGS_MODULE"] == "mine"
    assert got["PATH"] == "/the venv/bin:/mine"
    assert got["GUNICORN_CMD_ARGS"] == "--reload --bind 'unix:/run/a b.sock'"
    assert got["SHIPWAY_SOCKET"] == "/run/a b.sock"
    assert got["SHIPWAY_VERSION"] == "abc"
    assert got["PYTHONUNBUFFERED"] == "1"


def test_a_unit_without_a_socket_is_told_of_none() -> None:
    assert not {"SHIPWAY_SOCKET", "GUNICORN_CMD_ARGS", "PORT"} & set(
        loaded(env_file(unit(), VenvSettings(), "/v", ""), {})
    )


@pytest.mark.parametrize("name", ["", "1A", "A B", "A=B", "A\n", "é", "$(id)", "SHIPWAY_ROLE", "_shipway_cmd"])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"environment|Shipway"):
        env_file(unit((name, ("x",))), VenvSettings(), "/v", "")


def test_a_nul_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        env_file(unit(("A", ("x\0y",))), VenvSettings(), "/v", "")


@pytest.mark.parametrize("value", HOSTILE)
def test_the_units_own_values_arrive_as_they_are(value: str) -> None:
    assert loaded(unit_file({"cmd": value}), {})["_shipway_cmd"] == value
