"""A registry of one image on the loopback of this machine (OCI distribution specification 1.1).

Two words keep others out, since every user of a machine reaches its loopback: below `/v2/<push word>/` the engine of
this machine may write, below `/v2/<pull word>/` hosts may read the one image that is offered, and nothing else.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from shipway.adapters.registry.http import BadRequest, Request, head_of, read_body, read_head
from shipway.adapters.registry.store import MAX_MANIFEST_BYTES, BadManifest, BlobStore, Manifest, Upload, read_manifest

LOOPBACK: Final = "127.0.0.1"
MAX_CONNECTIONS = 200
MAX_UPLOADS = 50
MAX_BLOB_BYTES = 20 << 30
_IDLE_S = 300.0
_NAME = r"[a-z0-9][a-z0-9._/-]{0,300}"
_BLOB = re.compile(rf"/v2/(?P<word>[0-9a-f]{{32}})/{_NAME}/blobs/(?P<digest>sha256:[0-9a-f]{{64}})")
_UPLOADS = re.compile(rf"/v2/(?P<word>[0-9a-f]{{32}})/(?P<name>{_NAME})/blobs/uploads/(?P<upload>[0-9a-f]{{0,32}})")
_MANIFEST = re.compile(rf"/v2/(?P<word>[0-9a-f]{{32}})/(?P<name>{_NAME})/manifests/(?P<tag>[A-Za-z0-9_.:-]{{1,160}})")
_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")
_REASONS = {
    200: "OK", 201: "Created", 202: "Accepted", 206: "Partial Content", 400: "Bad Request", 404: "Not Found",
    405: "Method Not Allowed", 413: "Content Too Large", 416: "Range Not Satisfiable", 503: "Service Unavailable",
}  # fmt: skip
_CODES = {400: "DIGEST_INVALID", 404: "MANIFEST_UNKNOWN", 405: "UNSUPPORTED", 413: "SIZE_INVALID"}


@dataclass(slots=True)
class Sent:
    """What hosts have got: bytes of blobs, and how many blobs."""

    blobs: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Offer:
    """The image that hosts may read, under its name and tag."""

    name: str
    tag: str
    manifest: Manifest


@dataclass(slots=True)
class RegistryServer:
    """Serves from `store`. `push_word` and `pull_word` are the first part of the names below which it answers."""

    store: BlobStore
    push_word: str
    pull_word: str = field(default_factory=lambda: secrets.token_hex(16))
    sent: Sent = field(default_factory=Sent)
    pushed: dict[tuple[str, str], Manifest] = field(default_factory=dict)
    port: int = 0
    _offer: Offer | None = None
    _uploads: dict[str, Upload] = field(default_factory=dict)
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self, wanted: int) -> None:
        """Listen on the loopback: on the port `wanted`, or another where it is taken."""
        try:
            self._server = await asyncio.start_server(self._serve, LOOPBACK, wanted)
        except OSError:
            self._server = await asyncio.start_server(self._serve, LOOPBACK, 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    def offer(self, name: str, tag: str, manifest: Manifest) -> None:
        """Let hosts read one image."""
        self._offer = Offer(name, tag, manifest)

    async def close(self) -> None:
        """Stop. Never raises."""
        if self._server is not None:
            self._server.close()
        for writer in tuple(self._open):
            writer.close()
        for upload in self._uploads.values():
            upload.drop()
        self._uploads.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= MAX_CONNECTIONS:
            writer.close()
            return
        self._open.add(writer)
        try:
            while True:
                async with asyncio.timeout(_IDLE_S):
                    request = await read_head(reader)
                if request is None:
                    break
                await self._answer(request, reader, writer)
                await writer.drain()
                if request.is_last:
                    break
        except BadRequest:
            # What begins a TLS connection ends here as well: the engine then tries plain HTTP, as on any loopback.
            with suppress(OSError):
                writer.write(b"HTTP/1.0 400 Bad Request\r\nConnection: close\r\n\r\n")
        except (OSError, TimeoutError, RuntimeError):  # the other side went away
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reads = request.method in ("GET", "HEAD")
        if found := _UPLOADS.fullmatch(request.path):
            if found["word"] == self.push_word and not reads:
                return await self._upload(request, found, reader, writer)
        elif found := _BLOB.fullmatch(request.path):
            if reads and self._may_read(found["word"], found["digest"]):
                return await self._blob(request, found["digest"], writer, counts=found["word"] == self.pull_word)
        elif found := _MANIFEST.fullmatch(request.path):
            return await self._manifest(request, found, reader, writer)
        elif reads and request.path in ("/v2/", "/v2"):
            return self._say(writer, request, 200, body=b"{}")
        await _drain(reader, request)
        return self._say(writer, request, 404)

    def _may_read(self, word: str, digest: str) -> bool:
        if word == self.push_word:
            return True
        return word == self.pull_word and self._offer is not None and digest in self._offer.manifest.blobs

    async def _blob(self, request: Request, digest: str, writer: asyncio.StreamWriter, *, counts: bool) -> None:
        size = self.store.size(digest)
        if size < 0:
            return self._say(writer, request, 404)
        first, last = 0, size - 1
        if wanted := _RANGE.fullmatch(request.headers.get("range", "")):
            first, last = int(wanted[1]), min(int(wanted[2] or size - 1), size - 1)
            if first > last:
                return self._say(writer, request, 416)
        length = last - first + 1
        status = 206 if length < size else 200
        headers = {
            "Content-Type": "application/octet-stream",
            "Docker-Content-Digest": digest,
            "Accept-Ranges": "bytes",
        }
        if status == 206:  # noqa: PLR2004  partial content
            headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        writer.write(head_of(status, _REASONS[status], headers, length))
        if request.method == "HEAD" or length <= 0:
            return None
        with self.store.path(digest).open("rb") as file:
            await writer.drain()
            await asyncio.get_running_loop().sendfile(writer.transport, file, first, length)
        if counts:
            self.sent.blobs += 1
            self.sent.size_bytes += length
        return None

    async def _manifest(
        self, request: Request, found: re.Match[str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        word, name, tag = found["word"], found["name"], found["tag"]
        if request.method == "PUT" and word == self.push_word:
            return await self._take_manifest(request, (name, tag), reader, writer)
        await _drain(reader, request)
        manifest = self.pushed.get((name, tag)) if word == self.push_word else None
        offer = self._offer
        if word == self.pull_word and offer is not None and name == offer.name:
            manifest = offer.manifest if tag in (offer.tag, offer.manifest.digest) else None
        if manifest is None or request.method not in ("GET", "HEAD"):
            return self._say(writer, request, 404)
        headers = {"Content-Type": manifest.media_type, "Docker-Content-Digest": manifest.digest}
        return self._say(writer, request, 200, headers, manifest.body)

    async def _take_manifest(
        self, request: Request, key: tuple[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        body = b""
        async for piece in read_body(reader, request):
            body += piece
            if len(body) > MAX_MANIFEST_BYTES:
                raise BadRequest
        try:
            manifest = read_manifest(body, request.headers.get("content-type", ""))
        except BadManifest:
            return self._say(writer, request, 400)
        if not all(self.store.has(digest) for digest in manifest.blobs):
            return self._say(writer, request, 404)
        self.pushed[key] = manifest
        place = f"{request.path.rpartition('/')[0]}/{manifest.digest}"
        return self._say(writer, request, 201, {"Location": place, "Docker-Content-Digest": manifest.digest})

    async def _upload(
        self, request: Request, found: re.Match[str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        number = found["upload"]
        if request.method == "POST" and not number:
            await _drain(reader, request)
            if len(self._uploads) >= MAX_UPLOADS:
                return self._say(writer, request, 503)
            number = secrets.token_hex(16)
            self._uploads[number] = self.store.begin()
            return self._say(writer, request, 202, self._upload_headers(found, number))
        upload = self._uploads.get(number)
        if upload is None or request.method not in ("PATCH", "PUT"):
            await _drain(reader, request)
            return self._say(writer, request, 404)
        async for piece in read_body(reader, request):
            upload.write(piece)
            if upload.size > MAX_BLOB_BYTES:
                raise BadRequest
        if request.method == "PATCH":
            return self._say(writer, request, 202, self._upload_headers(found, number))
        del self._uploads[number]
        digest = request.query.get("digest", "")
        if not digest or not upload.finish(digest):
            return self._say(writer, request, 400)
        place = f"/v2/{found['word']}/{found['name']}/blobs/{digest}"
        return self._say(writer, request, 201, {"Location": place, "Docker-Content-Digest": digest})

    def _upload_headers(self, found: re.Match[str], number: str) -> dict[str, str]:
        size = self._uploads[number].size
        place = f"/v2/{found['word']}/{found['name']}/blobs/uploads/{number}"
        return {"Location": place, "Docker-Upload-UUID": number, "Range": f"0-{max(0, size - 1)}"}

    def _say(
        self,
        writer: asyncio.StreamWriter,
        request: Request,
        status: int,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
    ) -> None:
        if status in _CODES:
            body = json.dumps({"errors": [{"code": _CODES[status], "message": _REASONS[status].lower()}]}).encode()
            headers = {"Content-Type": "application/json"}
        writer.write(head_of(status, _REASONS[status], headers or {}, len(body)))
        if request.method != "HEAD":
            writer.write(body)


async def _drain(reader: asyncio.StreamReader, request: Request) -> None:
    async for _ in read_body(reader, request):
        pass
