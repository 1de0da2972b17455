"""The registry inside of Shipway: what the engine here may write, and how little a host may read."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from shipway.adapters.registry.server import LOOPBACK, RegistryServer
from shipway.adapters.registry.store import BadManifest, BlobStore, read_manifest

TYPE = "application/vnd.docker.distribution.manifest.v2+json"
LAYER, CONFIG = b"layer" * 1000, b'{"config": 1}'


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


MANIFEST = json.dumps(
    {"schemaVersion": 2, "mediaType": TYPE, "config": {"digest": digest(CONFIG)}, "layers": [{"digest": digest(LAYER)}]}
).encode()


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Client:
    """Says one thing per connection."""

    def __init__(self, server: RegistryServer) -> None:
        self.server = server

    async def __call__(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        lines = [f"{method} {path} HTTP/1.1", "Host: x", "Connection: close"]
        if headers.get("Transfer_Encoding") != "chunked":
            lines.append(f"Content-Length: {len(body)}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return _parse(await self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body))

    async def raw(self, data: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(LOOPBACK, self.server.port)
        writer.write(data)
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()
        return answer

    async def upload(self, data: bytes, name: str = "app", **headers: str) -> Answer:
        started = await self("POST", f"/v2/{self.server.push_word}/{name}/blobs/uploads/")
        assert started.status == 202
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data) if headers else data
        assert (await self("PATCH", started.headers["location"], body, **headers)).status == 202
        return await self("PUT", f"{started.headers['location']}?digest={digest(data).replace(':', '%3A')}")

    async def push(self, tag: str = "1") -> Answer:
        await self.upload(LAYER)
        await self.upload(CONFIG, Transfer_Encoding="chunked")
        path = f"/v2/{self.server.push_word}/app/manifests/{tag}"
        return await self("PUT", path, MANIFEST, Content_Type=TYPE)


def _parse(answer: bytes) -> Answer:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Answer(int(first.split()[1]), headers, body)


def serve(tmp_path: Path, work: Callable[[Client, RegistryServer], Awaitable[None]]) -> None:
    async def main() -> None:
        store = BlobStore(tmp_path / "blobs")
        server = RegistryServer(store, store.word())
        await server.start(0)
        try:
            await work(Client(server), server)
        finally:
            await server.close()

    asyncio.run(main())


def test_an_image_passes_through(tmp_path: Path) -> None:
    async def work(ask: Client, server: RegistryServer) -> None:
        assert (await ask("GET", "/v2/")).status == 200
        assert (await ask.push()).status == 201
        server.offer("app", "1", server.pushed["app", "1"])
        below = f"/v2/{server.pull_word}/app"
        for tag in ("1", digest(MANIFEST)):
            found = await ask("GET", f"{below}/manifests/{tag}")
            assert (found.status, found.body, found.headers["content-type"]) == (200, MANIFEST, TYPE)
            assert found.headers["docker-content-digest"] == digest(MANIFEST)
        for blob in (LAYER, CONFIG):
            head = await ask("HEAD", f"{below}/blobs/{digest(blob)}")
            assert (head.status, head.headers["content-length"], head.body) == (200, str(len(blob)), b"")
            assert (await ask("GET", f"{below}/blobs/{digest(blob)}")).body == blob
        assert (server.sent.blobs, server.sent.size_bytes) == (2, len(LAYER) + len(CONFIG))
        part = await ask("GET", f"{below}/blobs/{digest(LAYER)}", Range="bytes=4990-")
        assert (part.status, part.body, part.headers["content-range"]) == (206, LAYER[4990:], "bytes 4990-4999/5000")
        assert (await ask("GET", f"{below}/blobs/{digest(LAYER)}", Range="bytes=9000-")).status == 416

    serve(tmp_path, work)


def test_a_host_reads_the_one_image_and_writes_nothing(tmp_path: Path) -> None:
    async def work(ask: Client, server: RegistryServer) -> None:
        other = b"of another image"
        await ask.push()
        await ask.upload(other)
        below = f"/v2/{server.pull_word}/app"
        assert (await ask("GET", f"{below}/manifests/1")).status == 404  # not offered yet
        server.offer("app", "1", server.pushed["app", "1"])
        for path in (
            f"{below}/manifests/2",
            f"{below}/blobs/{digest(other)}",
            f"/v2/{'0' * 32}/app/manifests/1",
            f"/v2/{'0' * 32}/app/blobs/{digest(LAYER)}",
            f"/v2/{server.pull_word}/other/manifests/1",
            "/v2/app/manifests/1",
            "/v2/_catalog",
            f"{below}/tags/list",
            "/",
            "/../../etc/passwd",
            f"{below}/blobs/sha256:../../word",
        ):
            assert (await ask("GET", path)).status == 404, path
        for method, path in (
            ("POST", f"{below}/blobs/uploads/"),
            ("PUT", f"{below}/manifests/1"),
            ("DELETE", f"{below}/manifests/1"),
            ("DELETE", f"{below}/blobs/{digest(LAYER)}"),
        ):
            assert (await ask(method, path, b"x")).status == 404, (method, path)

    serve(tmp_path, work)


def test_what_the_engine_writes_is_what_it_says(tmp_path: Path) -> None:
    async def work(ask: Client, server: RegistryServer) -> None:
        below = f"/v2/{server.push_word}/app"
        started = await ask("POST", f"{below}/blobs/uploads/")
        assert (await ask("PUT", f"{started.headers['location']}?digest={digest(b'else')}", b"this")).status == 400
        assert not server.store.has(digest(b"this"))
        assert (await ask("PATCH", f"{below}/blobs/uploads/{'a' * 32}", b"x")).status == 404
        assert (await ask("PUT", f"{below}/manifests/1", MANIFEST)).status == 404  # its blobs are not there
        assert (await ask("PUT", f"{below}/manifests/1", b"[]")).status == 400

    serve(tmp_path, work)


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS: the engine then tries plain HTTP
        b"hello\r\n\r\n",
        b"GET / HTTP/1.1 x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"x: " + b"y" * 70_000 + b"\r\n\r\n",
        b"PATCH /v2/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"PATCH /v2/ HTTP/1.1\r\nContent-Length: -x\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused_at_once(tmp_path: Path, data: bytes) -> None:
    async def work(ask: Client, _server: RegistryServer) -> None:
        assert (await ask.raw(data)).startswith(b"HTTP/1.0 400")

    serve(tmp_path, work)


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    async def work(ask: Client, server: RegistryServer) -> None:
        other = RegistryServer(server.store, server.push_word)
        await other.start(server.port)
        assert other.port not in (0, server.port)
        await other.close()

    serve(tmp_path, work)


def test_the_store_is_private_and_bounded(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "blobs")
    assert (tmp_path / "blobs").stat().st_mode & 0o777 == 0o700
    assert store.word() == store.word()
    assert (tmp_path / "blobs" / "word").stat().st_mode & 0o777 == 0o600
    names = []
    for number in range(5):
        upload = store.begin()
        upload.write(bytes([number]) * 100)
        assert upload.finish()
        names.append(upload.digest)
    store.use(frozenset(names[:1]))
    store.clean(frozenset(names[4:]), 250)
    assert [store.has(name) for name in names] == [True, False, False, False, True]
    assert (store.size("sha256:no"), store.has("../word")) == (-1, False)
    upload = store.begin()
    upload.drop()
    assert len(list((tmp_path / "blobs").iterdir())) == 3


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"config": {"digest": "x"}, "layers": []}', b'{"manifests": []}']
)
def test_what_is_no_manifest_of_one_image(body: bytes) -> None:
    with pytest.raises(BadManifest):
        read_manifest(body, TYPE)
