"""A small site that behaves like the example, and misbehaves where it is told to."""

import asyncio
import re
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from shipway.app.demo.http import Address
from shipway.app.demo.visitors import PHOTO
from tests.unit.app.demo.listen import listening

How = Literal["close", "502", "cut", "hang", "lose", "twice", "close idle", "no release", "other bytes", "garbage"]


@dataclass(slots=True)
class Fault:
    """`how` the requests of `method` and `path` go wrong: after `after` good ones, `times` times."""

    how: How
    path: str = "/"
    method: str = "GET"
    after: int = 1
    times: int = 1


@dataclass(slots=True)
class FakeSite:
    faults: list[Fault] = field(default_factory=list)
    release: str = "r1"
    heading: str = "Ships in port"
    asset: str = "/static/a.1.css"
    ships: list[str] = field(default_factory=list)
    is_inspecting: bool = True
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    address: Address = field(default_factory=lambda: Address("127.0.0.1", 0))

    def fault(self, method: str, path: str) -> str:
        self.seen[method, path] += 1
        for fault in self.faults:
            first = fault.after + 1
            is_due = first <= self.seen[method, path] < first + fault.times
            if (fault.method, fault.path) == (method, path) and is_due:
                return fault.how
        return ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await self.answer(reader, writer):
            pass

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        size = re.search(r"(?i)content-length: (\d+)", head)
        body = await reader.readexactly(int(size.group(1)) if size else 0)
        method, target, _ = head.split(" ", 2)
        path = target.partition("?")[0]
        how = self.fault(method, path)
        if how in {"close", "garbage"}:
            writer.write(b"garbage\r\n\r\n" if how == "garbage" else b"")
            return False
        if how == "hang":
            await asyncio.sleep(60)
        status, extra, answer = self.page(method, path, body, how)
        if how == "502":
            status, extra, answer = 502, {}, b"bad gateway"
        if how == "other bytes":
            answer += b"!"
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(answer)}"]
        lines += [] if how in {"502", "no release"} else [f"X-Release: {self.release}"]
        lines += [f"{name}: {value}" for name, value in extra.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + (answer[:-1] if how == "cut" else answer))
        await writer.drain()
        return how not in {"cut", "close idle"} and "Connection: close" not in head

    def page(self, method: str, path: str, body: bytes, how: str) -> tuple[int, dict[str, str], bytes]:
        if method == "POST":
            assert b'name="csrfmiddlewaretoken"\r\n\r\ntoken' in body
            name = re.search(rb'name="name"\r\n\r\n([^\r]+)', body).group(1).decode()
            self.ships += [name] * {"lose": 0, "twice": 2}.get(how, 1)
            return 302, {"Location": "/ships/1/"}, b""
        return self.read(path)

    def read(self, path: str) -> tuple[int, dict[str, str], bytes]:
        if path == "/ships/new/":
            form = b'<input name="csrfmiddlewaretoken" value="token"></html>'
            return 200, {"Set-Cookie": "csrftoken=abc; Path=/"}, form
        if path == "/ships.csv":
            inspected = "yes" if self.is_inspecting else "no"
            rows = [f"{name},60,,{inspected},/media/{n}" for n, name in enumerate(self.ships)]
            return 200, {}, "\r\n".join(["name,length_m,berth,inspected,photo", *rows, ""]).encode()
        if path.startswith("/media/"):
            return 200, {}, PHOTO
        if path.startswith("/static/"):
            return 200, {}, path.encode()
        if path == "/slow":
            return 200, {}, b"waited 0 s\n"
        page = f'<link href="{self.asset}"><h1>{self.heading}</h1></html>\n'
        return 200, {}, page.encode()


@asynccontextmanager
async def serving(site: FakeSite):
    async with listening(site.serve) as address:
        site.address = address
        yield site
