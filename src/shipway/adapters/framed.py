"""The transport over framed shells. Where a shell comes from (this machine, ssh) is the connector's matter."""

from __future__ import annotations

import asyncio
import subprocess
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator, Sequence
from itertools import groupby
from typing import Protocol

from shipway.adapters.child import Child
from shipway.adapters.pipes import run_pipe
from shipway.adapters.redact import Redactor
from shipway.adapters.shell.script import Call
from shipway.adapters.shell.session import Lost, Session, stops
from shipway.core.action import Command
from shipway.core.at_work import STILL_AT_WORK, wait_until_idle
from shipway.core.errors import ConnectionLost, Unreachable
from shipway.core.ports import Output, Request, Result, Secrets
from shipway.core.secret import SecretRef, Text, encode

INLINE_BYTES = 1 << 16
"""Input up to this size travels in the line of its command; `read` in a shell takes it bytewise, about 1 MB/s."""

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
        self._lost: defaultdict[str, set[str]] = defaultdict(set)

    async def exchange(
        self, host: str, requests: Sequence[Request], *, track: str = "main", output: Output | None = None
    ) -> tuple[Result, ...]:
        """See the port. Requests with more than `INLINE_BYTES` of input cost a connection of their own."""
        calls = [Call(request, self._bytes(request.command.stdin)) for request in requests]
        results: list[Result] = []
        async with self._turns[host, track]:
            for part in _parts(calls):
                try:
                    some = await self._run(host, track, part, output)
                except Unreachable as error:
                    if not results:
                        raise
                    raise self._connector.lost(host, error.what) from error
                results += some
                if stops(part[len(some) - 1], some[-1]):
                    break
        return tuple(results)

    async def _run(self, host: str, track: str, part: list[Call], output: Output | None) -> list[Result]:
        if not _is_big(part[0]):
            return await self._together(host, track, part, output)
        result = await self._alone(host, part[0])
        if output is not None:
            output(result.stdout + result.stderr)
        return [result]

    async def _together(self, host: str, track: str, calls: list[Call], output: Output | None) -> list[Result]:
        session = await self._shell(host, track)
        try:
            return await session.run(calls, output)
        except Lost as lost:
            raise self._gone(host, session, lost) from None

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
        self._lost[host].add(session.mark)
        return self._connector.lost(host, str(lost))

    async def _settle(self, host: str, session: Session) -> None:
        """Wait until what lost shells had begun has ended: whoever asks what became of it is to get the last word."""
        for mark in tuple(self._lost[host]):
            call = Call(Request(wait_until_idle(mark, PATIENCE_S)), f"{mark}\n".encode())
            try:
                (result,) = await session.run([call], None)
            except Lost as lost:
                raise self._gone(host, session, lost) from None
            if result.status == STILL_AT_WORK:
                raise self._connector.lost(host, f"what ran is still at work after {PATIENCE_S} s")
            self._lost[host].discard(mark)

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


def _parts(calls: list[Call]) -> Iterator[list[Call]]:
    """Yield what can be sent in one write: small calls together, each big one alone."""
    for is_big, group in groupby(calls, key=_is_big):
        if is_big:
            yield from ([call] for call in group)
        else:
            yield list(group)
