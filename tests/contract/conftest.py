"""Fixtures of the transport suite: links (a transport with one of its hosts) and real servers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from shipway.adapters.framed import FramedTransport
from shipway.adapters.local import local_transport
from shipway.adapters.ssh import ssh_transport
from shipway.adapters.ssh_settings import SshSettings
from shipway.core.action import Command
from shipway.core.errors import ConfigError
from shipway.core.ports import Heard, Output, Request, Result, StopOn
from shipway.core.secret import Text
from tests.absent import absent
from tests.contract.sshd import SSHD, Sshd, run_sshd

T = TypeVar("T")
HOST = "127.0.0.1"
SECRET = 'hunter2\'s "key" + 4711/x\n'


class TestSecrets:
    """Two secrets with values, one without."""

    __test__ = False

    def __init__(self, more: Mapping[str, str] | None = None) -> None:
        self.values = {"KEY": SECRET, "OTHER": "another-value", **(more or {})}

    def reveal(self, name: str) -> str:
        if name not in self.values:
            raise ConfigError("secrets.missing", f"the secret `{name}` had no value")
        return self.values[name]

    def names(self) -> Sequence[str]:
        return (*self.values, "EMPTY")


@dataclass
class Link:
    """A transport and the loop that it lives in."""

    transport: FramedTransport
    runner: asyncio.Runner
    host: str = HOST
    kind: str = "local"

    def wait(self, work: Coroutine[Any, Any, T], limit_s: float = 60) -> T:
        async def bounded() -> T:
            return await asyncio.wait_for(work, limit_s)

        return self.runner.run(bounded())

    def exchange(
        self, *requests: Request, track: str = "main", output: Output | None = None, heard: Heard | None = None
    ) -> tuple[Result, ...]:
        return self.wait(self.transport.exchange(self.host, requests, track=track, output=output, heard=heard))

    def run(self, *argv: str, stdin: Text = (), limit_s: float = 30) -> Result:
        return self.exchange(Request(Command(argv, stdin, limit_s=limit_s), "never"))[0]


def ask(*argv: str, stop_on: StopOn = "failure", stdin: Text = (), limit_s: float = 30) -> Request:
    return Request(Command(argv, stdin, limit_s=limit_s), stop_on)


def need_sshd() -> None:
    if SSHD is None:
        absent("sshd is missing (Debian: openssh-server): nothing over ssh was tested")


def settings_of(server: Sshd, **changes: Any) -> SshSettings:
    values: dict[str, Any] = {
        "user": server.user,
        "port": server.port,
        "config_files": (server.config,),
        "backoff_s": (0.01, 0.01),
    }
    return SshSettings(**values | changes)


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as made:
        yield made


@pytest.fixture(scope="session")
def server() -> Iterator[Sshd]:
    need_sshd()
    with run_sshd() as running:
        yield running


@pytest.fixture(scope="session", params=["local", "ssh"])
def link(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Iterator[Link]:
    """One open connection of each kind, shared by the tests."""
    if request.param == "local":
        transport = local_transport(TestSecrets())
    else:
        transport = ssh_transport(settings_of(request.getfixturevalue("server")), TestSecrets())
    yield Link(transport, runner, kind=request.param)
    runner.run(transport.close())


@pytest.fixture
def connect(runner: asyncio.Runner) -> Iterator[Callable[..., Link]]:
    """Make links of one's own over ssh; they are closed after the test."""
    made: list[Link] = []

    def link(settings: SshSettings, secrets: TestSecrets | None = None) -> Link:
        made.append(Link(ssh_transport(settings, secrets or TestSecrets()), runner, kind="ssh"))
        return made[-1]

    yield link
    for each in made:
        runner.run(each.transport.close())
