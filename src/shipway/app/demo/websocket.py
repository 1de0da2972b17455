"""A long-lived connection of another service: a WebSocket that echoes, and the visitor that holds it (RFC 6455).

Only what the demo needs of the protocol: text frames of up to 125 bytes.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from shipway.app.demo.http import Address, Broken, parse_head

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_TEXT = 0x81
_CLOSE = 0x88
_PING = 0x89
_PONG = 0x8A
_MASKED = 0x80
_MASK = b"\x01\x02\x03\x04"  # a client has to mask (5.3); against proxies' caches, so any mask does here
_KEY = base64.b64encode(b"shipway demo key").decode()
_MAX_FRAME_BYTES = 125


class Closed(Broken):
    """The other side ended the connection in order, with a close frame (7.1.2): one opens another and goes on."""


def _accept(key: str) -> str:
    digest = hashlib.sha1(key.encode("latin-1") + _GUID, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def _masked(data: bytes) -> bytes:
    return bytes(byte ^ _MASK[index % 4] for index, byte in enumerate(data))


def _require(is_so: bool, otherwise: str) -> None:  # noqa: FBT001  an assertion
    if not is_so:
        raise Broken(otherwise)


async def _read_frame(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Return the next text; a ping is answered on the way (5.5.2)."""
    while True:
        first, second = await reader.readexactly(2)
        size = second & ~_MASKED
        if first == _CLOSE:
            raise Closed("the other service closed the connection")
        if first not in (_TEXT, _PING) or size > _MAX_FRAME_BYTES:
            raise Broken("the other service sent something else")
        mask = await reader.readexactly(4) if second & _MASKED else b""
        data = await reader.readexactly(size)
        if first == _TEXT:
            return _masked(data) if mask else data
        writer.write(bytes((_PONG, _MASKED | size)) + _MASK + _masked(data))


async def serve_echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one connection of the echo service: plain requests with 200, an upgrade with echoes until it ends."""
    with suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, Broken):
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if key := headers.get("sec-websocket-key"):
            answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            writer.write(f"{answer}Sec-WebSocket-Accept: {_accept(key)}\r\n\r\n".encode("latin-1"))
            while True:
                data = await _read_frame(reader, writer)
                writer.write(bytes((_TEXT, len(data))) + data)
                await writer.drain()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")
        await writer.drain()


@asynccontextmanager
async def echo_service() -> AsyncIterator[Address]:
    """Run the echo service on a free port of this machine and yield its address; on leaving, cut who is connected."""
    open_ones: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ones[asyncio.current_task()] = writer
        await serve_echo(reader, writer)
        writer.close()
        del open_ones[asyncio.current_task()]

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Address("127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for writer in open_ones.values():
            writer.transport.abort()
        await asyncio.gather(*(task for task in open_ones if task))


class EchoClient:
    """One WebSocket. `echo` opens it where it is not open."""

    def __init__(self, address: Address, path: str = "/") -> None:
        self._address, self._path = address, path
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def echo(self, text: str, limit_s: float = 5.0) -> None:
        """Send `text` and wait for its echo; raises Broken, after which the connection is closed."""
        try:
            async with asyncio.timeout(limit_s):
                reader, writer = self._streams = self._streams or await self._open()
                data = text.encode()
                writer.write(bytes((_TEXT, _MASKED | len(data))) + _MASK + _masked(data))
                await writer.drain()
                _require(await _read_frame(reader, writer) == data, "the echo differs")
        except Broken:
            self.drop()
            raise
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError) as error:
            self.drop()
            raise Broken(f"the connection broke: {type(error).__name__}") from error

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(self._address.host, self._address.port)
        lines = (
            f"GET {self._path} HTTP/1.1",
            f"Host: {self._address.authority}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {_KEY}",
            "Sec-WebSocket-Version: 13",
        )
        try:
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
            status, headers = parse_head(await reader.readuntil(b"\r\n\r\n"))
            is_open = status == 101 and headers.get("sec-websocket-accept") == _accept(_KEY)  # noqa: PLR2004
            _require(is_open, f"no WebSocket: status {status}")
        except BaseException:
            writer.transport.abort()
            raise
        return reader, writer

    def drop(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].transport.abort()
        self._streams = None
