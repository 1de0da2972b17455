"""The transport into `sim_host`, with a switch that kills the client or cuts a connection at a chosen point."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from shipway.core.action import Command
from shipway.core.errors import ConnectionLost, Unreachable
from shipway.core.ports import Heard, Output, Request, Result
from tests.engine.sim_host import Fleet

Cut = Literal["kill", "blip", "outage"]
"""`kill`: the client dies. `blip`: the connection breaks. `outage`: it breaks and that host cannot be reached again.
What was sent before may be run all the same (`Switch.goes_on`)."""
ALL_OF_IT = 10_000


class Killed(BaseException):
    """The client was killed: it does nothing more, not even clean up."""


@dataclass
class Switch:
    """Counts points (before and after every command) and cuts at number `at`; `host` limits cuts to one host.

    `goes_on`: how many commands of what was sent a host still runs after the cut.
    """

    at: int = -1
    cut: Cut = "kill"
    host: str = ""
    goes_on: int = 0
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
        self._halted: set[tuple[str, str]] = set()

    async def exchange(
        self,
        host: str,
        requests: Sequence[Request],
        *,
        track: str = "main",
        output: Output | None = None,
        heard: Heard | None = None,
    ) -> tuple[Result, ...]:
        self.exchanges.append((host, tuple(request.command.argv for request in requests)))
        self.open_now += 1
        self.open_most = max(self.open_most, self.open_now)
        self._halted.discard((host, track))
        try:
            return await self._exchange(host, track, requests, heard)
        finally:
            self.open_now -= 1

    async def halt(self, host: str, track: str = "main") -> None:
        self._halted.add((host, track))

    async def _exchange(
        self, host: str, track: str, requests: Sequence[Request], heard: Heard | None
    ) -> tuple[Result, ...]:
        results: list[Result] = []
        at = 0
        while at < len(requests):
            request = requests[at]
            if request.gate and (host, track) in self._halted:
                break
            self._point(host, requests[at:])
            results.append(self._run(host, request.command))
            onward = request.onward(results[-1])
            self._point(host, requests[at + onward :] if onward else ())
            if heard is not None:
                heard(at, results[-1])
            if not onward:
                break
            at += onward
            await asyncio.sleep(0)
        return tuple(results)

    def _run(self, host: str, command: Command) -> Result:
        return self.fleet.run(host, command.words(), "".join(str(part) for part in command.stdin))

    def _point(self, host: str, rest: Sequence[Request]) -> None:
        if self.switch.is_dead:
            self._go_on(host, rest, self.switch.goes_on)
            raise Killed
        if host in self.switch.unreachable:
            raise Unreachable("ssh.unreachable", f"could not reach {host}")
        if self.switch.states is not None:
            self.switch.states.append(self.fleet.state())
        if not self.switch.is_cut(host):
            return
        if self.switch.cut == "kill":
            self.switch.is_dead = True
            self._go_on(host, rest, self.switch.goes_on)
            raise Killed
        if self.switch.cut == "outage":
            self.switch.unreachable.add(host)
        self._go_on(host, rest, self.switch.goes_on)
        raise ConnectionLost("ssh.lost", f"the connection to {host} broke")

    def _go_on(self, host: str, rest: Sequence[Request], count: int) -> None:
        """What the host still does of an exchange when nobody listens any more: `count` commands at most."""
        at, onward = 0, 1
        while onward and at < len(rest) and count > 0:
            onward = rest[at].onward(self._run(host, rest[at].command))
            at, count = at + onward, count - 1

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
