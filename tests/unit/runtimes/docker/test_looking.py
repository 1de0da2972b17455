"""What people ask of containers: a command inside, the log, what is listed."""

from __future__ import annotations

import pytest

from shipway.core.layout import Layout
from shipway.core.logs import LogsAsked
from shipway.core.unit import Unit
from shipway.runtimes.docker import Docker, DockerSettings

UNIT = Unit("shop", "web", "h1", "r3", "c0ffee")


def docker(destination: str = "") -> Docker:
    settings = DockerSettings(service="shop", repository="reg.example.org/shop", destination=destination)
    return Docker(Layout("/var/lib/shipway", "shop"), "h1", settings)


def test_a_command_in_the_container_of_the_unit() -> None:
    argv = docker("eu").inside(UNIT, ("python", "-c", "print('$HOME')")).argv
    assert argv[3:] == ("sh", "shop-web-eu-r3", "python", "-c", "print('$HOME')")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (LogsAsked(), "--tail 100 shop-web-r3"),
        (
            LogsAsked(5, follows=True, since="10m", has_times=True),
            "--tail 5 --since 10m --timestamps --follow shop-web-r3",
        ),
        (LogsAsked(container="0a1b2c"), "--tail 100 0a1b2c"),
    ],
)
def test_the_log(asked: LogsAsked, words: str) -> None:
    assert " ".join(docker().log_command(UNIT, asked).argv[4:]) == words


@pytest.mark.parametrize("asked", [LogsAsked(since="--follow"), LogsAsked(container="-x"), LogsAsked(container="a b")])
def test_no_word_of_a_person_is_a_flag(asked: LogsAsked) -> None:
    with pytest.raises(ValueError, match=r"."):
        docker().log_command(UNIT, asked)


def test_listings_are_of_the_service_and_destination() -> None:
    found = docker("eu").listings()
    assert "label=service=shop" in found["containers"].argv
    assert "label=destination=eu" in found["containers"].argv
    assert found["images"].argv[-1] == "reg.example.org/shop"
