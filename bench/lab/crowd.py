"""Visitors of the example in containers, at a pace: what each request became is counted, and nothing is sent twice."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlencode

from shipway.app.demo.http import Address, Broken, KeepAlive, Request
from shipway.app.demo.record import Kind, Recorder, Sample, expect
from shipway.app.demo.visitors import Visit, ask_slowly
from shipway.app.demo.websocket import Closed, EchoClient

# Of ten requests: pages over kept connections, pages over new ones, and parcels that are left.
_MIX: tuple[Kind, ...] = ("page", "page", "post", "page", "visit", "page", "page", "post", "visit", "page")
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_ECHO_EVERY_S = 0.25


@dataclass
class Crowd:
    """`rate` requests a second in all, `slow` of which are always under way for two seconds, and `sockets` WebSockets.

    `labels` are the parcels that the site said it had taken in, with the number of the request. `closed` counts
    WebSockets that were ended with a close frame, which a browser answers by opening another one: none is lost by it.
    An echo that does not come, and an end without that frame, are.
    """

    visit: Visit
    rate: float
    slow: int = 4
    sockets: int = 8
    visitors: int = 60
    labels: dict[str, int] = field(default_factory=dict)
    closed: int = 0
    late: int = 0

    def __post_init__(self) -> None:
        self._numbers = itertools.count()
        self._next = 0.0

    async def _turn_comes(self) -> None:
        """Wait for the next slot; a visitor who finds it gone takes it at once, and is counted as late."""
        now = asyncio.get_running_loop().time()
        self.late += bool(self._next) and now - self._next > 1
        self._next = max(self._next + 1 / self.rate, now - 1)
        await self.visit.pause(max(0.0, self._next - now))

    async def come_by(self) -> None:
        """Take turns with the others."""
        connection = KeepAlive(self.visit.address)
        while not self.visit.stop.is_set():
            await self._turn_comes()
            number = next(self._numbers)
            with suppress(Broken):  # it is recorded, and the visitor goes on
                await self._ask(connection, _MIX[number % len(_MIX)], number)
        self.visit.reopened += connection.reopened
        connection.drop()

    async def _ask(self, connection: KeepAlive, kind: Kind, number: int) -> None:
        recorder = self.visit.recorder
        if kind == "post":
            label = f"{self.visit.tag} {number}"
            request = Request("/", "POST", _FORM, urlencode({"label": label}).encode())
            sent, answer = await recorder.send(connection, kind, request, expect(201))
            if answer.status == 201:
                self.labels[label] = sent
            return
        page = expect(200, ending=b"</html>")
        if kind == "page":
            await recorder.send(connection, kind, Request("/"), page)
            return
        fresh = KeepAlive(self.visit.address)
        try:
            await recorder.send(fresh, kind, Request("/", headers={"Connection": "close"}), page)
        finally:
            fresh.drop()

    async def hold(self, who: int) -> None:
        """Hold a WebSocket and have it echo; a new one is opened when it was closed in order."""
        client, recorder = EchoClient(self.visit.address, "/ws/echo"), self.visit.recorder
        while not self.visit.stop.is_set():
            phase, began, error = recorder.phase, recorder.clock(), ""
            try:
                await client.echo(f"{who} {began:.3f}")
            except Closed:
                self.closed += 1
                client.drop()
                continue
            except Broken as broken:
                error = broken.why
            took_s = recorder.clock() - began
            recorder.add(Sample(phase, "websocket", "failed" if error else "ok", latency_s=took_s, error=error))
            await self.visit.pause(_ECHO_EVERY_S)
        client.drop()


@asynccontextmanager
async def crowd(address: Address, recorder: Recorder, rate: float) -> AsyncIterator[Crowd]:
    """Let a crowd come while the body runs; on leaving, wait until each has its last answer."""
    made = Crowd(Visit(address, recorder, tag="Bench"), rate)
    async with asyncio.TaskGroup() as group:
        for _ in range(made.visitors):
            group.create_task(made.come_by())
        for _ in range(made.slow):
            group.create_task(ask_slowly(made.visit, 0.0))
        for who in range(made.sockets):
            group.create_task(made.hold(who))
        try:
            yield made
        finally:
            made.visit.stop.set()
