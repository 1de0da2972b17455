"""The transport into `sim_host`, with a switch that kills the client or cuts a connection at a chosen point."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from shipway.core.action import Command
from shipway.core.errors import ConnectionLost, Unreachable
from shipway.core.ports import Output, Request, Result
from tests.engine.sim_host import Fleet

Cut = Literal["kill", "blip", "blip-late", "outage"]
"""`kill`: the client dies. `blip`: the connection breaks, the rest of the exchange is not run; `blip-late`: it is run
all the same. `outage`: it breaks and that host cannot be reached again."""


class Killed(BaseException):
    """The client was killed: it does nothing more, not even clean up."""


@dataclass
class Switch:
    """Counts points (before and after every command) and cuts at number `at`; `host` limits cuts to one host."""

    at: int = -1
    cut: Cut = "kill"
    host: str = ""
    passed: int = 0
    is_dead: bool = False
    unreachable: set[str] = field(default_factory=set)
    states: list[object] | None = None  # when a list: what the fleet was at each point

    def is_cut(self, host: str) -> bool:
        if self.host not in ("", host):
            return False
        self.passed += 1
        return self.passed - 1 == self.at


class SimTransport:
    def __init__(self, fleet: Fleet, switch: Switch | None = None) -> None:
        self.fleet, self.switch = fleet, switch or Switch()
        self.exchanges: list[tuple[str, tuple[tuple[str, ...], ...]]] = []
        self.open_now = self.open_most = 0

    async def exchange(
        self, host: str, requests: Sequence[Request], *, track: str = "main", output: Output | None = None
    ) -> tuple[Result, ...]:
        self.exchanges.append((host, tuple(request.command.argv for request in requests)))
        self.open_now += 1
        self.open_most = max(self.open_most, self.open_now)
        try:
            return await self._exchange(host, requests)
        finally:
            self.open_now -= 1

    async def _exchange(self, host: str, requests: Sequence[Request]) -> tuple[Result, ...]:
        results: list[Result] = []
        for number, request in enumerate(requests):
            self._point(host, requests[number:])
            results.append(self._run(host, request.command))
            stops = {"failure": not results[-1].ok, "success": results[-1].ok, "never": False}[request.stop_on]
            self._point(host, () if stops else requests[number + 1 :])
            if stops:
                break
            await asyncio.sleep(0)
        return tuple(results)

    def _run(self, host: str, command: Command) -> Result:
        return self.fleet.run(host, command.words(), "".join(str(part) for part in command.stdin))

    def _point(self, host: str, rest: Sequence[Request]) -> None:
        if self.switch.is_dead:
            raise Killed
        if host in self.switch.unreachable:
            raise Unreachable("ssh.unreachable", f"could not reach {host}")
        if self.switch.states is not None:
            self.switch.states.append(self.fleet.state())
        if not self.switch.is_cut(host):
            return
        if self.switch.cut == "kill":
            self.switch.is_dead = True
            raise Killed
        if self.switch.cut == "outage":
            self.switch.unreachable.add(host)
        for request in rest if self.switch.cut == "blip-late" else ():
            result = self._run(host, request.command)
            if result.ok == (request.stop_on == "success") and request.stop_on != "never":
                break
        raise ConnectionLost("ssh.lost", f"the connection to {host} broke")

    async def pipe(self, source: Command, host: str, sink: Command) -> Result:
        return (await self.exchange(host, (Request(sink),)))[0]

    def stream(self, host: str, command: Command) -> AsyncIterator[bytes]:
        raise NotImplementedError

    async def interactive(self, host: str, command: Command) -> int:
        raise NotImplementedError

    async def close(self) -> None:
        return


class SimClock:
    """The fleet's clock. Sleeping ends when a test moves the time on."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.fleet.now_s, UTC)

    def monotonic(self) -> float:
        return float(self.fleet.now_s)

    async def sleep(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.fleet.now_s + seconds, future))
        await future

    async def advance(self, seconds: int) -> None:
        """Move the time on, a second at a time, and let everybody run."""
        for _ in range(seconds):
            self.fleet.now_s += 1
            for at_s, future in self._sleepers:
                if at_s <= self.fleet.now_s and not future.done():
                    future.set_result(None)
            self._sleepers = [(at_s, future) for at_s, future in self._sleepers if not future.done()]
            for _ in range(10):
                await asyncio.sleep(0)
