"""A way from a host's loopback to ours: over every transport, through the one connection that there is."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from shipway.core.errors import Refused
from tests.contract.conftest import Link, settings_of
from tests.contract.sshd import Sshd, run_sshd

ASK = """\
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10) as s:
    print(s.makefile().readline(), end="")
"""


@asynccontextmanager
async def greeter(text: str) -> AsyncIterator[int]:
    """A server on our loopback that says `text`; gives its port."""

    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text.encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _through(link: Link, text: str, wanted: int) -> tuple[int, str]:
    from tests.contract.conftest import ask

    async with greeter(text) as port:
        there = await link.transport.tunnel(link.host, port, wanted)
        (result,) = await link.transport.exchange(link.host, [ask("python3", "-c", ASK, str(there))])
        return there, result.text or result.said


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_program_of_the_host_reaches_us(link: Link) -> None:
    wanted = free_port()
    there, said = link.wait(_through(link, "hello from here\n", wanted))
    assert said == "hello from here\n"
    assert there == wanted or link.kind == "local"


def test_a_port_that_is_taken_on_the_host(link: Link) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = int(taken.getsockname()[1])
        there, said = link.wait(_through(link, "by another door\n", wanted))
        assert said == "by another door\n"
        assert there != wanted


def test_it_goes_through_the_connection_that_there_is(server: Sshd, connect: Callable[..., Link]) -> None:
    link = connect(settings_of(server))
    assert link.run("true").ok
    before = len(server.children())
    link.wait(_through(link, "x\n", free_port()))
    assert len(server.children()) == before


def test_a_host_that_allows_none(connect: Callable[..., Link], server: Sshd) -> None:
    del server  # it tells whether there is an sshd
    with run_sshd("AllowTcpForwarding no") as strict:
        link = connect(settings_of(strict))
        with pytest.raises(Refused, match="allows no tunnel") as caught:
            link.wait(_through(link, "x\n", free_port()))
        assert caught.value.code == "ssh.no_tunnel"
        assert "AllowTcpForwarding" in caught.value.next
        assert link.run("true").ok
