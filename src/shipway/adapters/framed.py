"""The transport over framed shells. Where a shell comes from (this machine, ssh) is the connector's matter."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Protocol

from shipway.adapters.child import Child
from shipway.adapters.pipes import run_pipe
from shipway.adapters.redact import Redactor
from shipway.adapters.shell.script import END_SCRIPT, HALT_SCRIPT, Call
from shipway.adapters.shell.session import Lost, Session
from shipway.core.action import Command
from shipway.core.at_work import STILL_AT_WORK, wait_until_idle
from shipway.core.errors import ConnectionLost, ShipwayError, Unreachable
from shipway.core.ports import Heard, Output, Request, Result, Secrets
from shipway.core.secret import SecretRef, Text, encode

INLINE_BYTES = 1 << 19
"""Input up to this size travels in the text of its exchange, escaped, which a shell holds in memory."""

PATIENCE_S = 60
"""How long a new shell waits for what a lost one left at work. After a minute the command's end is in doubt as well."""


class Connector(Protocol):
    """Leads to a shell on a host."""

    async def open(self, host: str, redactor: Redactor, *, lasting: bool) -> Session:
        """Return a session that has said hello; `lasting` ones stay for the run. Raises Unreachable."""
        ...

    def lost(self, host: str, why: str) -> ConnectionLost:
        """Return the error for a session that went away."""
        ...

    async def tunnel(self, host: str, port: int, wanted: int) -> int:
        """Make a tunnel as the transport's, where a shell on `host` is open."""
        ...

    def terminal(self, host: str, command: Command) -> Sequence[str]:
        """Return the local argument vector that runs `command` on `host` with this terminal."""
        ...

    async def close(self) -> None:
        """Remove what was made. Never raises."""
        ...


@dataclass(frozen=True, slots=True)
class _Ears:
    """Who hears what comes back."""

    output: Output | None
    heard: Heard


class FramedTransport:
    """A `shipway.core.ports.Transport`."""

    def __init__(self, connector: Connector, secrets: Secrets) -> None:
        self._connector = connector
        self._secrets = secrets
        self._redactor: Redactor | None = None
        self._shells: dict[tuple[str, str], Session] = {}
        self._turns: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._opening: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._passing: set[Session] = set()
        self._lost: defaultdict[str, dict[str, str]] = defaultdict(dict)
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
        """See the port. Requests with more than `INLINE_BYTES` of input cost a shell and a round trip of their own."""
        calls = [Call(request, self._bytes(request.command.stdin)) for request in requests]
        results: list[Result] = []

        def hear(number: int, result: Result) -> None:
            results.append(result)
            if heard is not None:
                heard(number, result)

        async with self._turns[host, track]:
            self._halted.discard((host, track))
            await self._run_all(host, track, calls, _Ears(output, hear))
        return tuple(results)

    async def _run_all(self, host: str, track: str, calls: list[Call], ears: _Ears) -> None:
        """Run `calls` as far as they go, in as few writes as possible."""
        at, has_heard = 0, False

        def hear(number: int, result: Result) -> None:
            nonlocal has_heard
            has_heard = True
            ears.heard(at + number, result)

        while at < len(calls):
            part = _part(calls[at:], to_gate=(host, track) in self._halted)
            if not part:
                return
            try:
                onward = await self._run(host, track, part, _Ears(ears.output, hear))
            except Unreachable as error:
                if not has_heard:
                    raise
                raise self._connector.lost(host, error.what) from error
            if not onward:
                return
            at += onward

    async def _run(self, host: str, track: str, part: list[Call], ears: _Ears) -> int:
        """Run what can be sent in one write; return how far on the next call stands, 0 when the exchange has ended."""
        if not _is_big(part[0]):
            session = await self._shell(host, track)
            try:
                return await session.run(part, ears.output, ears.heard)
            except Lost as lost:
                raise self._gone(host, session, lost) from None
        result = await self._alone(host, part[0])
        if ears.output is not None:
            ears.output(result.stdout + result.stderr)
        ears.heard(0, result)
        return part[0].request.onward(result)

    async def halt(self, host: str, track: str = "main") -> None:
        """See the port. The shell gets a signal, by another shell on the same connection, until we are cancelled."""
        if not self._turns[host, track].locked():
            return
        self._halted.add((host, track))
        session = self._shells.get((host, track))
        if session is None or not session.pid:
            return
        command = Command(("sh", "-c", HALT_SCRIPT, "sh", session.pid))
        with contextlib.suppress(ShipwayError):
            async with contextlib.aclosing(self.stream(host, command)) as said:
                async for _ in said:
                    pass

    async def _alone(self, host: str, call: Call) -> Result:
        async def feed(child: Child) -> None:
            try:
                await child.write(call.stdin)
            except BrokenPipeError:  # the command did not want it
                return
            child.end_input()

        session = await self._passing_shell(host)
        try:
            return await session.consume(call, feed)
        except Lost as lost:
            raise self._gone(host, session, lost) from None
        finally:
            self._passing.discard(session)

    async def pipe(self, source: Command, host: str, sink: Command) -> Result:
        """See the port. `sink` has no input but the pipe; each side has its own time limit."""
        session = await self._passing_shell(host)
        call = Call(Request(sink), b"")
        try:
            return await run_pipe(source, self._bytes(source.stdin), session, call, self._known())
        except Lost as lost:
            raise self._gone(host, session, lost) from None
        finally:
            self._passing.discard(session)

    async def stream(self, host: str, command: Command) -> AsyncGenerator[bytes, None]:
        """See the port. Both streams in the order of writing; `limit_s` does not count."""
        session = await self._passing_shell(host)
        pieces = session.follow(Call(Request(command), self._bytes(command.stdin)))
        try:
            async for piece in pieces:
                yield piece
        except Lost as lost:
            raise self._connector.lost(host, str(lost)) from None
        finally:
            await pieces.aclose()
            self._passing.discard(session)

    async def tunnel(self, host: str, port: int, wanted: int) -> int:
        """See the port."""
        async with self._turns[host, "main"]:
            await self._shell(host, "main")
            return await self._connector.tunnel(host, port, wanted)

    async def interactive(self, host: str, command: Command) -> int:
        """See the port. For ssh 255 may also mean that the connection failed: ssh itself said why."""
        process = subprocess.Popen(self._connector.terminal(host, command))  # noqa: ASYNC220  it takes the terminal
        try:
            while (status := process.poll()) is None:  # noqa: ASYNC110  it tells no event when it ends
                await asyncio.sleep(0.02)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        return status if status >= 0 else 128 - status

    async def close(self) -> None:
        """See the port."""
        sessions = [*self._shells.values(), *self._passing]
        self._shells.clear()
        self._passing.clear()
        await asyncio.gather(*(session.end() for session in sessions), return_exceptions=True)
        await self._connector.close()

    async def _shell(self, host: str, track: str) -> Session:
        session = self._shells.get((host, track))
        if session is None or not session.is_usable or not session.child.is_alive():
            if session is not None:
                await session.kill()
            async with self._opening[host]:
                session = await self._connector.open(host, self._known(), lasting=True)
                self._shells[host, track] = session
                await self._settle(host, session)
        return session

    def _gone(self, host: str, session: Session, lost: Lost) -> ConnectionLost:
        self._lost[host][session.mark] = session.pid
        return self._connector.lost(host, str(lost))

    async def _settle(self, host: str, session: Session) -> None:
        """End lost shells, and wait until what they had begun has ended: it is asked what became of it after that."""
        for mark, pid in tuple(self._lost[host].items()):
            end = Request(Command(("sh", "-c", END_SCRIPT, "sh", pid or "0")), "never")
            calls = [
                Call(request, f"{mark}\n".encode()) for request in (end, Request(wait_until_idle(mark, PATIENCE_S)))
            ]
            results: dict[int, Result] = {}
            try:
                await session.run(calls, None, results.__setitem__)
            except Lost as lost:
                raise self._gone(host, session, lost) from None
            if results[1].status == STILL_AT_WORK:
                raise self._connector.lost(host, f"what ran is still at work after {PATIENCE_S} s")
            self._lost[host].pop(mark, None)

    async def _passing_shell(self, host: str) -> Session:
        async with self._opening[host]:
            session = await self._connector.open(host, self._known(), lasting=False)
        self._passing.add(session)
        return session

    def _known(self) -> Redactor:
        if self._redactor is None:
            self._redactor = Redactor.of(self._secrets)
        return self._redactor

    def _bytes(self, text: Text) -> bytes:
        """Return `text` with its secrets, only to be written at once."""
        return b"".join(
            (encode(self._secrets.reveal(part.name), part.encoding) if isinstance(part, SecretRef) else part).encode(
                "utf-8", "surrogateescape"
            )
            for part in text
        )


def _is_big(call: Call) -> bool:
    return len(call.stdin) > INLINE_BYTES


def _part(calls: list[Call], *, to_gate: bool) -> list[Call]:
    """Return what of `calls` can be sent in one write: small calls together, a big one alone.

    `to_gate`: the exchange was asked to end, so nothing from the next gate on.
    """
    if to_gate:
        calls = list(takewhile(lambda call: not call.request.gate, calls))
    return calls[:1] if calls and _is_big(calls[0]) else list(takewhile(lambda call: not _is_big(call), calls))
