"""As much of HTTP/1.1 as the docker engine speaks to a registry: bounded, one request after the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

MAX_HEAD_BYTES = 32_768
_PIECE = 1 << 18
_TLS_HELLO = 0x16  # RFC 8446, 5.1: the type of a handshake record


class BadRequest(Exception):
    """What came is no request that is understood here."""


@dataclass(frozen=True, slots=True)
class Request:
    """The head of a request. `path` has no query; header names are in small letters."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def is_last(self) -> bool:
        """Whether the connection is to be closed after the answer."""
        return self.headers.get("connection", "").lower() == "close"


async def read_head(reader: asyncio.StreamReader) -> Request | None:
    """Return the next request, None at the end of the connection. Raises BadRequest."""
    begin = await reader.read(1)
    if not begin:
        return None
    if begin[0] == _TLS_HELLO:
        raise BadRequest
    try:
        head = begin + await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise BadRequest from None
    if len(head) > MAX_HEAD_BYTES:
        raise BadRequest
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):  # noqa: PLR2004  RFC 9112, 3
        raise BadRequest
    target = urlsplit(words[1])
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
    }
    query = {name: values[-1] for name, values in parse_qs(target.query).items()}
    return Request(words[0], target.path, query, headers)


async def read_body(reader: asyncio.StreamReader, request: Request) -> AsyncIterator[bytes]:
    """Yield the body in pieces. Raises BadRequest where it is cut or malformed."""
    try:
        if request.headers.get("transfer-encoding", "").lower() == "chunked":
            async for piece in _chunks(reader):
                yield piece
            return
        left = int(request.headers.get("content-length", "0"))
        while left > 0:
            piece = await reader.read(min(left, _PIECE))
            if not piece:
                raise BadRequest
            left -= len(piece)
            yield piece
    except (ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise BadRequest from None


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while True:
        left = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
        if left == 0:
            while await reader.readuntil(b"\r\n") != b"\r\n":  # trailers
                pass
            return
        while left > 0:
            piece = await reader.read(min(left, _PIECE))
            if not piece:
                raise BadRequest
            left -= len(piece)
            yield piece
        await reader.readexactly(2)


def head_of(status: int, reason: str, headers: Mapping[str, str], length: int) -> bytes:
    """Return the head of an answer with a body of `length` bytes."""
    lines = [
        f"HTTP/1.1 {status} {reason}",
        f"Content-Length: {length}",
        "Docker-Distribution-Api-Version: registry/2.0",
    ]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
