"""What the port promises of an exchange that is sent in parts."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from shipway.adapters.framed import INLINE_BYTES, FramedTransport
from shipway.adapters.local import LocalConnector
from shipway.adapters.redact import Redactor
from shipway.adapters.shell.session import Session
from shipway.core.action import Command
from shipway.core.errors import ConnectionLost, Unreachable
from shipway.core.ports import Request


class NoSecrets:
    def reveal(self, name: str) -> str:
        raise KeyError(name)

    def names(self) -> Sequence[str]:
        return ()


class OnlyOnce(LocalConnector):
    """Opens `room` shells; the next one is out of reach."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    async def open(self, host: str, redactor: Redactor, *, lasting: bool) -> Session:
        self.room -= 1
        if self.room < 0:
            raise Unreachable("ssh.refused", "the host refused the connection")
        return await super().open(host, redactor, lasting=lasting)


@pytest.mark.parametrize(("room", "error"), [(0, Unreachable), (1, ConnectionLost)])
def test_unreachable_means_that_nothing_ran(room: int, error: type[Exception]) -> None:
    big = Request(Command(("cat",), stdin=("x" * (INLINE_BYTES + 1),)))

    async def scenario() -> None:
        transport = FramedTransport(OnlyOnce(room), NoSecrets())
        try:
            with pytest.raises(error):
                await transport.exchange("here", [Request(Command(("true",))), big])
        finally:
            await transport.close()

    asyncio.run(scenario())


def test_a_lost_shell_that_still_lives_begins_nothing_more() -> None:
    """Its connection broke and the host did not notice: what it was sent would go on while somebody judges it."""
    script = "while :; do sleep 0.1; done"
    with subprocess.Popen(("sh", "-c", script, "shipway.0123456789abcdef")) as lost:

        async def scenario() -> None:
            transport = FramedTransport(LocalConnector(), NoSecrets())
            transport._lost["here"] = {"0123456789abcdef": str(lost.pid), "f" * 16: str(os.getpid())}
            try:
                await transport.exchange("here", [Request(Command(("true",)))])
            finally:
                await transport.close()

        asyncio.run(scenario())
        assert lost.wait(10) == -signal.SIGKILL


def test_what_a_lost_shell_left_at_work_is_waited_for(tmp_path: Path) -> None:
    """A command outlives the shell in which it was asked; the next exchange finds it ended."""
    slow = Request(Command(("sh", "-c", 'sleep 1.5; : >"$1"', "sh", str(tmp_path / "ended"))))

    async def scenario() -> None:
        transport = FramedTransport(LocalConnector(), NoSecrets())
        try:
            await transport.exchange("here", [Request(Command(("true",)))])
            (session,) = transport._shells.values()
            running = asyncio.create_task(transport.exchange("here", [slow]))
            await asyncio.sleep(0.3)
            os.kill(session.child.pid, signal.SIGKILL)
            with pytest.raises(ConnectionLost):
                await running
            (found,) = await transport.exchange("here", [Request(Command(("test", "-e", str(tmp_path / "ended"))))])
            assert found.ok
        finally:
            await transport.close()

    asyncio.run(scenario())
