"""A local producer whose output is fed to a command on a host."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from shipway.adapters.child import Child
from shipway.adapters.redact import Redactor
from shipway.adapters.shell.frames import Bounded
from shipway.adapters.shell.script import Call
from shipway.adapters.shell.session import Session
from shipway.core.action import Command
from shipway.core.ports import Result

_LAST_WORDS_S = 5.0  # for a producer whose reader is gone: SIGPIPE ends it at its next write


@dataclass(slots=True)
class _Producer:
    child: Child
    command: Command
    stdin: bytes
    timed_out: bool = False
    has_ended: bool = False

    async def feed(self, consumer: Child) -> None:
        """Copy all output to `consumer`, at the pace it reads, then end its input."""
        try:
            async with asyncio.timeout(self.command.limit_s):
                while chunk := await self.child.stdout.read(1 << 18):
                    await consumer.write(chunk)
                await self.child.wait()
        except TimeoutError:
            self.timed_out = True
            await self.child.kill()
        except BrokenPipeError:  # the consumer went first: its result says why
            return
        self.has_ended = True
        consumer.end_input()

    async def give(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            await self.child.write(self.stdin)
            self.child.end_input()

    async def hear(self, kept: Bounded) -> None:
        while chunk := await self.child.stderr.read(1 << 16):
            kept.add(chunk)

    async def status(self) -> int:
        """Return how it ended, once nobody reads its output any more."""
        self.child.close_output()
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(self.child.wait(), _LAST_WORDS_S)
        await self.child.kill()
        return await self.child.wait()


async def run_pipe(source: Command, stdin: bytes, session: Session, call: Call, redactor: Redactor) -> Result:
    """Run `source` here and `call` in `session`; return what failed first, or the result of `call`. Raises Lost."""
    try:
        child = await Child.start(source.words())
    except OSError as error:
        await session.kill()
        return Result(127, stderr=f"{source.argv[0]}: {error.strerror}".encode())
    producer, heard = _Producer(child, source, stdin), Bounded()
    tasks = [asyncio.create_task(producer.give()), asyncio.create_task(producer.hear(heard))]
    try:
        sink = await session.consume(call, producer.feed)
        if not sink.ok and not producer.has_ended:
            return sink
        status = await producer.status()
        if status == 0 and not producer.timed_out:
            return sink
        await asyncio.wait(tasks[1:], timeout=1.0)
        return _failed(status, redactor.clean(heard.value()), timed_out=producer.timed_out)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await child.kill()


def _failed(status: int, stderr: bytes, *, timed_out: bool) -> Result:
    signal = -status if status < 0 else None
    code = 124 if status == 0 else 128 - status if status < 0 else status
    return Result(code, stderr=stderr, signal=signal, timed_out=timed_out)
