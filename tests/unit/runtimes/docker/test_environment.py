from __future__ import annotations

import os
from pathlib import Path

import pytest

from shipway.core.secret import SecretRef, encode
from shipway.core.unit import Unit
from shipway.runtimes.docker import DockerSettings
from shipway.runtimes.docker.environment import env_file
from shipway.runtimes.docker.launch_script import is_plain, read_environment, with_environment

SETTINGS = DockerSettings("shop", "registry.example/shop", destination="staging")
ODD = {
    "PLAIN": "x",
    "EMPTY": "",
    "QUOTES": 'it\'s "so" `x` $(y) \\ # ;',
    "LINES": "-----BEGIN\nA=b\n'c'=\"d\"\n-----END\n",
    "SPACES": "  \t x  ",
    "dotted.name-x": "é ü",
    "DOLLAR": "$HOME ${",
}


def written(env: dict[str, str], tmp_path: Path, *, is_secret: bool) -> Path:
    values = tuple((name, (SecretRef(name),) if is_secret else (value,)) for name, value in env.items())
    unit = Unit("shop-staging", "web", "a.example", "r7", "c0ffee", env=values)
    text = env_file(unit, "shop-web-staging-r7", SETTINGS)
    file = tmp_path / "web.env"
    file.write_text("".join(p if isinstance(p, str) else encode(env[p.name], p.encoding) for p in text))
    return file


@pytest.mark.parametrize("is_secret", [True, False])
def test_values_arrive_as_they_are(tmp_path: Path, *, is_secret: bool) -> None:
    found = read_environment(str(written(ODD, tmp_path, is_secret=is_secret)))
    assert {name: found[name] for name in ODD} == ODD
    assert found["KAMAL_CONTAINER_NAME"] == "shop-web-staging-r7"
    assert (found["KAMAL_DESTINATION"], found["KAMAL_HOST"]) == ("staging", "a.example")
    assert {found["KAMAL_VERSION"], found["SHIPWAY_VERSION"]} == {"c0ffee"}
    assert (found["SHIPWAY_SERVICE"], found["SHIPWAY_RELEASE"]) == ("shop-staging", "r7")


def test_the_host_fills_in_clear_values_and_never_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/h'\"$x")
    env = {"A": "at ${HOME}/x, ${NOWHERE:-there}", "HOME": "/app", "B": "${HOME}"}
    found = read_environment(str(written(env, tmp_path, is_secret=False)))
    assert (found["A"], found["HOME"], found["B"]) == ("at /h'\"$x/x, there", "/app", "/h'\"$x")
    assert read_environment(str(written(env, tmp_path, is_secret=True)))["A"] == env["A"]


def test_the_users_own_value_wins(tmp_path: Path) -> None:
    assert read_environment(str(written({"KAMAL_HOST": "mine"}, tmp_path, is_secret=False)))["KAMAL_HOST"] == "mine"


def test_no_value_is_an_argument(tmp_path: Path) -> None:
    file = written(ODD, tmp_path, is_secret=True)
    words, client, number = with_environment(["docker", "run", "--detach", "image", "$$HOME"], str(file))
    with os.fdopen(number, encoding="utf-8") as given:
        lines = given.read().splitlines()
    assert words[:4] == ["docker", "run", "--env-file", f"/dev/fd/{number}"]
    assert words[4:] == ["--env", "LINES", "--env", "SPACES", "--detach", "image", "$HOME"]
    assert client["LINES"] == ODD["LINES"]
    assert "PLAIN=x" in lines
    assert f"QUOTES={ODD['QUOTES']}" in lines
    assert not any(line.startswith(("LINES", "A=b")) for line in lines)


def test_what_docker_cannot_read_from_a_line_is_given_otherwise() -> None:
    assert [is_plain(v) for v in ("x", "é", "a\nb", "a\r", "\udcff", "x" * 70_000)] == [True, True, *[False] * 4]


@pytest.mark.parametrize("env", [(("A B", ("x",)),), (("A=B", ("x",)),), (("", ("x",)),), (("A", ("x\0y",)),)])
def test_what_no_environment_can_hold_is_refused(env: object) -> None:
    unit = Unit("shop", "web", "a", "r1", "v", env=env)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"environment variable|NUL"):
        env_file(unit, "shop-web-r1", SETTINGS)
