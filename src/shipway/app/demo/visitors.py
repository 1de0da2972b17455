"""The visitors: each is one loop of one person or browser, until asked to stop. A request under way is never cut."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from shipway.app.demo.http import Address, Broken, KeepAlive, Request, Response
from shipway.app.demo.record import Kind, Recorder, Sample, expect
from shipway.app.demo.websocket import EchoClient

_ASSET = re.compile(r'(?:href|src)="(/static/[^"]+)"')
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_BOUNDARY = "shipway-demo-boundary"
PHOTO = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000b49444154789c63600002000005"
    "00017a5eab3f0000000049454e44ae426082"
)
"""A PNG of one transparent pixel."""


@dataclass(frozen=True, slots=True)
class Write:
    """A ship that the site said it had registered: its name, the number of the request, and whether it has a photo."""

    name: str
    number: int
    has_photo: bool = False


@dataclass(slots=True)
class Visit:
    """What all visitors share. `tag` begins the name of every ship that they register.

    `assets` are the static files that the latest page named, `old_assets` those of earlier pages; `contents` is what
    each held when it was first fetched. `reopened` counts kept connections that the server closed while they were idle.
    """

    address: Address
    recorder: Recorder
    tag: str
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    assets: tuple[str, ...] = ()
    old_assets: dict[str, None] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    writes: list[Write] = field(default_factory=list)
    reopened: int = 0

    async def pause(self, seconds: float) -> None:
        """Wait, or return at once when it is time to stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stop.wait()

    def see(self, page: Response) -> None:
        """Note the static files that a page names."""
        named = tuple(dict.fromkeys(_ASSET.findall(page.text)))
        if named and named != self.assets:
            self.old_assets |= dict.fromkeys(self.assets)
            self.assets = named


Turn = Callable[[KeepAlive, int], Awaitable[None]]


async def _repeat(visit: Visit, turn: Turn, pause_s: float) -> None:
    connection, count = KeepAlive(visit.address), 0
    try:
        while not visit.stop.is_set():
            with suppress(Broken):  # it is recorded; the visitor goes on as people do
                await turn(connection, count)
            count += 1
            await visit.pause(pause_s)
    finally:
        visit.reopened += connection.reopened
        connection.drop()


async def read_pages(visit: Visit, pause_s: float) -> None:
    """Open the list again and again over one kept connection."""

    async def turn(connection: KeepAlive, _count: int) -> None:
        check = expect(200, ending=b"</html>")
        _, page = await visit.recorder.send(connection, "page", Request("/"), check)
        if page.status == 200:  # noqa: PLR2004
            visit.see(page)

    await _repeat(visit, turn, pause_s)


async def drop_in(visit: Visit, pause_s: float) -> None:
    """Open the list over a new connection each time."""

    async def turn(connection: KeepAlive, _count: int) -> None:
        request = Request("/", headers={"Connection": "close"})
        try:
            await visit.recorder.send(connection, "visit", request, expect(200, ending=b"</html>"))
        finally:
            connection.drop()

    await _repeat(visit, turn, pause_s)


async def ask_slowly(visit: Visit, pause_s: float, takes_s: float = 2.0) -> None:
    """Ask for what takes long."""

    async def turn(connection: KeepAlive, _count: int) -> None:
        request = Request(f"/slow?s={takes_s:g}", limit_s=takes_s + 15)
        await visit.recorder.send(connection, "slow", request, expect(200, ending=b"s"))

    await _repeat(visit, turn, pause_s)


async def fetch_assets(visit: Visit, pause_s: float) -> None:
    """Fetch the static files of the latest page, and in turn one that only earlier pages named."""

    async def fetch(connection: KeepAlive, target: str) -> None:
        kind: Kind = "asset" if target in visit.assets else "old asset"

        def check(response: Response) -> str:
            if response.status != 200 or not response.body:  # noqa: PLR2004
                return f"status {response.status}, {len(response.body)} bytes"
            first = visit.contents.setdefault(target, response.body)
            return "" if first == response.body else "a file with a hashed name changed"

        await visit.recorder.send(connection, kind, Request(target), check)

    async def turn(connection: KeepAlive, count: int) -> None:
        for target in visit.assets:
            await fetch(connection, target)
        if old := [target for target in visit.old_assets if target not in visit.assets]:
            await fetch(connection, old[count % len(old)])

    await _repeat(visit, turn, pause_s)


async def register_ships(visit: Visit, who: str, pause_s: float) -> None:
    """Fill in the form as a browser does, with its cookie and token; every tenth ship has a photo."""
    cookies: dict[str, str] = {}

    async def turn(connection: KeepAlive, count: int) -> None:
        shown = _cookie_header(cookies)
        request = Request("/ships/new/", headers=shown)
        _, form = await visit.recorder.send(connection, "form", request, _check_form)
        _keep_cookie(cookies, form)
        if not (token := _TOKEN.search(form.text)):
            return  # there is nothing to send; the form without a token was no good answer, which is recorded
        name, has_photo = f"{visit.tag} {who}-{count}", count % 10 == 0
        headers, body = encode_ship(name, token.group(1), has_photo=has_photo)
        headers |= {"Origin": visit.address.origin, **_cookie_header(cookies)}
        request = Request("/ships/new/", "POST", headers, body)
        kind: Kind = "upload" if has_photo else "post"
        number, answer = await visit.recorder.send(connection, kind, request, expect(302))
        if answer.status == 302:  # noqa: PLR2004
            visit.writes.append(Write(name, number, has_photo))

    await _repeat(visit, turn, pause_s)


def _check_form(response: Response) -> str:
    has_token = _TOKEN.search(response.text)
    return expect(200, ending=b"</html>")(response) or ("" if has_token else "the form has no token")


def _cookie_header(cookies: dict[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}


def _keep_cookie(cookies: dict[str, str], response: Response) -> None:
    name, equals, value = response.headers.get("set-cookie", "").partition(";")[0].partition("=")
    if equals:
        cookies[name] = value


def encode_ship(name: str, token: str, *, has_photo: bool) -> tuple[dict[str, str], bytes]:
    """Return headers and body of the form, as a browser sends it (`multipart/form-data`)."""
    fields = {"csrfmiddlewaretoken": token, "name": name, "length_m": "60", "berth": ""}
    parts = [f'Content-Disposition: form-data; name="{key}"\r\n\r\n{value}'.encode() for key, value in fields.items()]
    if has_photo:
        head = 'Content-Disposition: form-data; name="photo"; filename="ship.png"\r\nContent-Type: image/png\r\n\r\n'
        parts.append(head.encode() + PHOTO)
    delimiter = f"--{_BOUNDARY}".encode()
    body = b"".join(delimiter + b"\r\n" + part + b"\r\n" for part in parts) + delimiter + b"--\r\n"
    return {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}, body


async def hold_websocket(visit: Visit, address: Address, pause_s: float) -> None:
    """Hold a WebSocket of another service of the same host and have it echo; each echo is a sample."""
    client, count = EchoClient(address), 0
    try:
        while not visit.stop.is_set():
            count += 1
            await _echo_once(client, visit.recorder, f"{visit.tag} {count}")
            await visit.pause(pause_s)
    finally:
        client.drop()


async def _echo_once(client: EchoClient, recorder: Recorder, text: str) -> None:
    phase, began, error = recorder.phase, recorder.clock(), ""
    try:
        await client.echo(text)
    except Broken as broken:
        error = broken.why
    took_s = recorder.clock() - began
    recorder.add(Sample(phase, "websocket", "failed" if error else "ok", latency_s=took_s, error=error))
