"""A small HTTP/1.1 client that tells exactly what became of each request.

Libraries retry, pool and reconnect behind their caller's back; here each of these is counted, because a deploy is
judged by them. One `KeepAlive` is one connection of one visitor, used for one request after the other (RFC 9112).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_HEAD_BYTES = 65_536
MAX_BODY_BYTES = 8 * 1024 * 1024
_NO_BODY = frozenset({204, 304})


class Broken(Exception):
    """A request got no whole answer. `before_answer`: not one byte of an answer had come on a connection in use.

    Only this case is one in which a browser sends an idempotent request again by itself (RFC 9110, 9.2.2).
    """

    def __init__(self, why: str, *, before_answer: bool = False) -> None:
        super().__init__(why)
        self.why, self.before_answer = why, before_answer


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `headers` are sent besides Host, Content-Length and Connection."""

    target: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    limit_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer. Header names are in lower case; of a repeated header the last one is kept."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text; bytes that are no UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Address:
    """Where requests go: `host` and `port` of the socket, and the name that the Host header has ("": the same)."""

    host: str
    port: int
    name: str = ""

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        return f"{self.name or self.host}:{self.port}"

    @property
    def origin(self) -> str:
        """The origin that a browser would name."""
        return f"http://{self.authority}"


class KeepAlive:
    """One connection that is kept open between requests, and opened again where the server closed it while idle."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._is_used = False
        self.reopened = 0
        """How often the server had closed the connection between two requests without saying so before."""

    async def request(self, request: Request) -> Response:
        """Send one request and return its whole answer; raises Broken. Never sends twice."""
        try:
            async with asyncio.timeout(request.limit_s):
                response = await self._exchange(request)
        except TimeoutError as error:
            self.drop()
            raise Broken(f"no whole answer within {request.limit_s:g} s") from error
        except (Broken, asyncio.CancelledError):
            self.drop()
            raise
        if response.headers.get("connection", "").lower() == "close":
            self.drop()
        return response

    async def _exchange(self, request: Request) -> Response:
        reader, writer = await self._open()
        is_reused, self._is_used = self._is_used, True
        try:
            writer.write(_head(request, self._address.authority) + request.body)
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            raise Broken("closed before the answer", before_answer=is_reused and not error.partial) from error
        except asyncio.LimitOverrunError as error:
            raise Broken("the head of the answer has no end") from error
        except OSError as error:
            raise Broken(type(error).__name__, before_answer=is_reused) from error
        status, headers = parse_head(head)
        try:
            return Response(status, headers, await _read_body(reader, status, headers))
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError) as error:
            raise Broken("cut in the middle of the answer") from error

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None:
            if not self._streams[0].at_eof():
                return self._streams
            self.reopened += 1
            self.drop()
        try:
            opening = asyncio.open_connection(self._address.host, self._address.port, limit=MAX_HEAD_BYTES)
            self._streams = await opening
        except OSError as error:
            raise Broken(f"no connection: {type(error).__name__}") from error
        return self._streams

    def drop(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self._streams is not None:
            self._streams[1].transport.abort()
        self._streams, self._is_used = None, False


def _head(request: Request, authority: str) -> bytes:
    lines = [f"{request.method} {request.target} HTTP/1.1", f"Host: {authority}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    if request.body or request.method == "POST":
        lines.append(f"Content-Length: {len(request.body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Return status and headers of the head of an answer; raises Broken when it is none."""
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    version, _, rest = first.partition(" ")
    code = rest[:3]
    if not version.startswith("HTTP/1.") or not (code.isascii() and code.isdigit() and len(code) == 3):  # noqa: PLR2004
        raise Broken("the answer is no HTTP")
    pairs = (line.partition(":") for line in lines)
    return int(code), {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _read_body(reader: asyncio.StreamReader, status: int, headers: Mapping[str, str]) -> bytes:
    if status in _NO_BODY or status < 200:  # noqa: PLR2004  1xx have no body (RFC 9112, 6.3)
        return b""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _read_chunks(reader)
    if "content-length" in headers:
        return await reader.readexactly(_size(headers["content-length"], 10))
    return await reader.read(MAX_BODY_BYTES)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size := _size((await reader.readuntil(b"\r\n")).split(b";")[0].decode("latin-1").strip(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
        _size(str(len(body)), 10)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass
    return bytes(body)


def _size(text: str, base: int) -> int:
    try:
        size = int(text, base)
    except ValueError as error:
        raise Broken("the answer has no readable length") from error
    if not 0 <= size <= MAX_BODY_BYTES:
        raise Broken(f"the answer is longer than {MAX_BODY_BYTES} bytes")
    return size
