"""What the docker client says of itself, recorded; and which builder follows from it."""

import json

import pytest

from shipway.core.ports import Result
from shipway.runtimes.docker.images.tools import BuildTools, read_tools

VERSION = {
    "Client": {"Version": "20.10.24+dfsg1", "Os": "linux"},
    "Server": {"Version": "20.10.24+dfsg1", "Os": "linux"},
}
BUILDX = b"github.com/docker/buildx 0.13.1+ds1 0.13.1+ds1-3\n"


def answer(value: object, status: int = 0, stderr: bytes = b"") -> Result:
    return Result(status, json.dumps(value).encode() + b"\n", stderr)


def test_an_engine_with_buildx() -> None:
    tools = read_tools({"version": answer(VERSION), "buildx": Result(0, BUILDX)})
    assert (tools.client, tools.server, tools.buildx) == ("20.10.24+dfsg1", "20.10.24+dfsg1", "0.13.1+ds1")
    assert tools.way == "buildx"
    assert "buildx 0.13.1" in tools.sentence


@pytest.mark.parametrize(
    ("client", "server", "way"),
    [
        ("20.10.24+dfsg1", "20.10.24+dfsg1", "buildkit"),
        ("19.03.15", "20.10.24", "buildkit"),
        ("28.2.2", "28.2.2", "classic"),  # such a client needs the plugin for BuildKit
        ("20.10.24", "17.12.1-ce", "classic"),
        ("17.12.1-ce", "20.10.24", "classic"),
        ("", "20.10.24", "classic"),
    ],
)
def test_without_buildx_the_versions_decide(client: str, server: str, way: str) -> None:
    assert BuildTools(client, server).way == way
    assert "buildx is not installed" in BuildTools(client, server).sentence


def test_an_engine_that_is_away_and_a_program_that_is_not_there() -> None:
    away = answer({"Client": VERSION["Client"], "Server": None}, 1, b"Cannot connect to the Docker daemon at unix:///x")
    tools = read_tools({"version": away, "buildx": Result(1, b"", b"docker: 'buildx' is not a docker command.")})
    assert (tools.client, tools.server, tools.buildx) == ("20.10.24+dfsg1", "", "")
    assert "Cannot connect" in tools.said
    assert read_tools({"version": Result(127)}) == BuildTools()


@pytest.mark.parametrize("text", [b"", b"[]", b"null", b'"x"', b"{", b'{"Server": 3, "Client": [1]}', b"\xff"])
def test_what_is_malformed_is_not_there(text: bytes) -> None:
    assert read_tools({"version": Result(0, text), "buildx": Result(0, text)}).server == ""
