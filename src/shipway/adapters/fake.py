"""Hosts that are Python functions: for unit tests, the kill matrix, and trying a plan without a server."""

from __future__ import annotations

import asyncio
import inspect
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from shipway.core.action import Command
from shipway.core.errors import ConnectionLost, Unreachable
from shipway.core.ports import Heard as Listener
from shipway.core.ports import Output, Request, Result

Answer = Callable[[Request], Result | Awaitable[Result]]
"""A host: what it answers to a request. `Command.stdin` comes as it is, with references to secrets."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One command as a host got it. `result` is None when the connection broke before it ran."""

    host: str
    track: str
    request: Request
    result: Result | None


@dataclass(frozen=True, slots=True)
class Fault:
    """A broken connection at the `at`-th command of a host, counted from 1, before it ran or after.

    `unreachable`: raised as Unreachable (nothing ran: for a command that is the first of an exchange). `lasting`: the
    host stays away for every later command.
    """

    host: str
    at: int
    when: Literal["before", "after"] = "before"
    unreachable: bool = False
    lasting: bool = False


class FakeTransport:
    """A `shipway.core.ports.Transport`. `transcript` has every command in the order in which they ran."""

    def __init__(
        self, hosts: Mapping[str, Answer], *, local: Answer | None = None, faults: Sequence[Fault] = ()
    ) -> None:
        self._hosts = dict(hosts)
        self._local = local
        self._faults = list(faults)
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._turns: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._halted: set[tuple[str, str]] = set()
        self.transcript: list[Heard] = []
        self.is_closed = False

    def fail(self, fault: Fault) -> None:
        """Add a fault."""
        self._faults.append(fault)

    def count(self, host: str) -> int:
        """Return how many commands `host` has been sent."""
        return self._counts[host]

    async def exchange(
        self,
        host: str,
        requests: Sequence[Request],
        *,
        track: str = "main",
        output: Output | None = None,
        heard: Listener | None = None,
    ) -> tuple[Result, ...]:
        """See the port."""
        results: list[Result] = []
        async with self._turns[host, track]:
            self._halted.discard((host, track))
            at, onward = 0, 1
            while onward and at < len(requests):
                await asyncio.sleep(0)
                if requests[at].gate and (host, track) in self._halted:
                    break
                result = await self._run(host, track, requests[at])
                results.append(result)
                if output is not None and (result.stdout or result.stderr):
                    output(result.stdout + result.stderr)
                if heard is not None:
                    heard(at, result)
                onward = requests[at].onward(result)
                at += onward
        return tuple(results)

    async def halt(self, host: str, track: str = "main") -> None:
        """See the port."""
        self._halted.add((host, track))

    async def pipe(self, source: Command, host: str, sink: Command) -> Result:
        """See the port. The sink does not run when the source failed; the bytes between are not modelled."""
        if self._local is not None:
            made = await _ask(self._local, Request(source))
            if not made.ok:
                return made
        return await self._run(host, "pipe", Request(sink))

    async def stream(self, host: str, command: Command) -> AsyncGenerator[bytes, None]:
        """See the port. Yields the answer line by line."""
        result = await self._run(host, "stream", Request(command))
        for line in (result.stdout + result.stderr).splitlines(keepends=True):
            yield line

    async def tunnel(self, host: str, port: int, wanted: int) -> int:
        """See the port. Every host has the wanted port free."""
        await self._run(host, "tunnel", Request(Command(("tunnel", str(port), str(wanted)))))
        return wanted or port

    async def interactive(self, host: str, command: Command) -> int:
        """See the port."""
        return (await self._run(host, "interactive", Request(command))).status

    async def close(self) -> None:
        """See the port."""
        self.is_closed = True

    async def _run(self, host: str, track: str, request: Request) -> Result:
        await asyncio.sleep(0)  # tracks take turns, as on a real host
        if host not in self._hosts:
            raise Unreachable("ssh.dns", f"the name `{host}` was not found", where=host)
        self._counts[host] += 1
        self._break(host, track, request, "before")
        result = await _ask(self._hosts[host], request)
        self.transcript.append(Heard(host, track, request, result))
        self._break(host, track, request, "after")
        return result

    def _break(self, host: str, track: str, request: Request, when: Literal["before", "after"]) -> None:
        number = self._counts[host]
        for fault in self._faults:
            is_hit = fault.at == number and fault.when == when
            is_away = fault.lasting and number > fault.at
            if fault.host != host or not (is_hit or is_away):
                continue
            if when == "before":
                self.transcript.append(Heard(host, track, request, None))
            if fault.unreachable or is_away:
                raise Unreachable("ssh.timeout", f"`{host}` did not answer in time", where=host)
            raise ConnectionLost("ssh.lost", f"the connection to `{host}` broke while something ran there", where=host)


async def _ask(host: Answer, request: Request) -> Result:
    answer = host(request)
    return await answer if inspect.isawaitable(answer) else answer
