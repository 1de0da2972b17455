import asyncio

import pytest

from shipway.app.demo.http import Broken, KeepAlive, Request
from shipway.app.demo.websocket import Closed, EchoClient, echo_service, serve_echo
from tests.unit.app.demo.listen import listening


def with_server(serve, body):
    async def main():
        async with listening(serve) as address:
            return await body(address)

    return asyncio.run(main())


def test_echoes_over_one_connection():
    opened = 0

    async def serve(reader, writer):
        nonlocal opened
        opened += 1
        await serve_echo(reader, writer)

    async def body(address):
        client = EchoClient(address)
        for text in ("a", "", "ä" * 60):
            await client.echo(text)
        client.drop()
        plain = KeepAlive(address)
        answer = await plain.request(Request("/"))
        return answer.status

    assert with_server(serve, body) == 200
    assert opened == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 502 Bad Gateway\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: wrong\r\n\r\n",
    ],
)
def test_a_refused_upgrade_is_told(answer):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)

    async def body(address):
        with pytest.raises(Broken):
            await EchoClient(address).echo("x")

    with_server(serve, body)


def test_a_cut_connection_is_told_and_opened_again():
    writers = []

    async def serve(reader, writer):
        writers.append(writer)
        await serve_echo(reader, writer)

    async def body(address):
        client = EchoClient(address)
        await client.echo("one")
        writers[0].transport.abort()
        with pytest.raises(Broken):
            await client.echo("two")
        await client.echo("three")
        client.drop()

    with_server(serve, body)
    assert len(writers) == 2


def test_a_closing_frame_is_told_from_a_broken_connection():
    async def serve(reader, writer):
        class Closing:
            def __getattr__(self, name):
                return getattr(writer, name)

            def write(self, data):
                writer.write(data if data.startswith(b"HTTP") else b"\x88\x00")

        await serve_echo(reader, Closing())

    async def body(address):
        with pytest.raises(Closed):
            await EchoClient(address).echo("x")

    with_server(serve, body)


def test_a_ping_is_answered_on_the_way():
    pongs = []

    async def serve(reader, writer):
        class Pinging:
            def __getattr__(self, name):
                return getattr(writer, name)

            def write(self, data):
                writer.write(data if data.startswith(b"HTTP") else b"\x89\x02hi" + data)

        class Listening:
            def __getattr__(self, name):
                return getattr(reader, name)

            async def readexactly(self, count):
                data = await reader.readexactly(count)
                if data[:1] == b"\x8a":
                    pongs.append(data)
                    await reader.readexactly(6)
                    return await self.readexactly(count)
                return data

        await serve_echo(Listening(), Pinging())

    async def body(address):
        client = EchoClient(address)
        await client.echo("x")
        await client.echo("y")
        client.drop()

    with_server(serve, body)
    assert pongs == [b"\x8a\x82"]


def test_the_service_ends_with_its_block_though_somebody_is_connected():
    async def main():
        async with echo_service() as address:
            client = EchoClient(address)
            await client.echo("x")
        with pytest.raises(Broken):
            await client.echo("y")

    asyncio.run(main())
