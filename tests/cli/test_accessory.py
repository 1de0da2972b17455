"""The verbs about accessories and servers, with this machine as the host and a stand-in for Docker."""

import json
import os
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Project

ACCESSORIES = """\
accessories:
  db:
    image: postgres:16
    host: here
    env: {secret: [SECRET_KEY]}
    directories: [data:/var/lib/postgresql/data]
  cache: {image: redis:7, host: here}
"""
DOCKER = Path(__file__).parent / "fake_docker.py"


@pytest.fixture
def shop(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    home, fake = tmp_path / "home", tmp_path / "fake"
    for place in (home, fake, tmp_path / "bin"):
        place.mkdir()
    docker = tmp_path / "bin" / "docker"
    docker.write_text(f"#!{sys.executable} -IS\n{DOCKER.read_text()}")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{docker.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("FAKE", str(fake))
    config = project.directory / "config/deploy.yml"
    config.write_text(config.read_text() + ACCESSORIES)
    return project


def states(shop: Project) -> dict[str, str]:
    return {row["name"]: row["state"] for row in shop("accessory", "details", "--json").json}


def test_the_life_of_an_accessory(shop: Project, tmp_path: Path) -> None:
    assert states(shop) == {"db": "missing", "cache": "missing"}
    booted = shop("accessory", "boot", "all", "--json")
    assert booted.code == 0, booted.out
    assert json.loads(booted.out.splitlines()[-1])["report"]["verb"] == "accessory boot"
    assert states(shop) == {"db": "running", "cache": "running"}
    assert (tmp_path / "home/shop-db/data").is_dir()
    assert "nothing to do" in shop("accessory", "boot", "all").out
    assert shop("accessory", "stop", "db", "-y").code == 0
    assert states(shop)["db"] == "exited"
    assert shop("accessory", "start", "db").code == 0
    config = shop.directory / "config/deploy.yml"
    config.write_text(config.read_text().replace("postgres:16", "postgres:17"))
    assert "it runs the image postgres:16, not postgres:17" in shop("accessory", "details", "db").out
    assert shop("accessory", "reboot", "db", "-y").code == 0
    assert not (tmp_path / "fake/shop-db-before.container").exists()
    assert "accessory.drift" not in shop("accessory", "details").out
    (tmp_path / "home/shop-db/data/rows").write_text("data")
    assert shop("accessory", "remove", "db", "-y").code == 0
    assert states(shop)["db"] == "missing"
    assert not (tmp_path / "home/shop-db").exists()
    assert states(shop)["cache"] == "running"


def test_no_secret_is_an_argument(shop: Project, tmp_path: Path) -> None:
    shop("accessory", "boot", "db")
    assert "s3cr3t" not in (tmp_path / "fake/asked").read_text()


def test_data_is_not_deleted_where_nobody_can_be_asked(shop: Project) -> None:
    answer = shop("accessory", "remove", "db")
    assert answer.code == 2
    assert "usage.needs_yes" in answer.err
    assert shop("remove").code == 2


def test_an_unknown_name_is_answered_with_the_known_ones(shop: Project) -> None:
    answer = shop("accessory", "boot", "bd")
    assert answer.code == 2
    assert "db, cache" in answer.err


def test_logs_come_from_the_container(shop: Project) -> None:
    shop("accessory", "boot", "cache")
    assert shop("accessory", "logs", "cache").out == "here | one line of a log\n"
    assert shop("accessory", "logs", "cache", "--json").json == {
        "host": "here",
        "accessory": "cache",
        "line": "one line of a log",
    }


def test_a_command_on_the_servers(shop: Project) -> None:
    answer = shop("server", "exec", "echo one; exit 3")
    assert (answer.code, answer.out) == (3, "here:\none\n")
    assert shop("server", "exec", "--raw", "printf", "%s", "a b").out == "a b"


def test_a_machine_that_has_everything_gets_nothing(shop: Project) -> None:
    answer = shop("server", "bootstrap")
    assert answer.code == 0, answer.err
    assert "nothing to do: bootstrap" in answer.out


def test_a_service_is_removed_with_its_accessories(shop: Project, tmp_path: Path) -> None:
    shop("accessory", "boot", "all")
    answer = shop("remove", "-y")
    assert answer.code == 0, answer.err
    assert states(shop) == {"db": "missing", "cache": "missing"}
    assert (shop.state / "shop/ledger.jsonl").is_file()
