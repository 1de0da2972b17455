"""One open shell on a host: exchanges run through it one after the other."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from typing import Literal

from shipway.adapters.child import Child
from shipway.adapters.redact import RedactedStream, Redactor
from shipway.adapters.shell.frames import Bounded, Cut, Frames, Mark, Output, result_of
from shipway.adapters.shell.script import GRACE_S, HALTED, Call, consume_line, exchange_text, hello_line
from shipway.core.ports import Heard, Result

BACKSTOP_S = 10.0
"""How much longer than its limit we wait for a command before we give up the connection, in seconds."""

GARBAGE_BYTES = 1 << 16
"""How much a login may print before the first marker."""

Trouble = Literal["end", "timeout", "garbage", "setsid", "printf"]
Show = Callable[[bytes], None]


class NoShell(Exception):
    """No shell of ours answered. `said` and `errors` are what came instead on the two streams."""

    def __init__(self, trouble: Trouble, said: bytes, errors: bytes) -> None:
        super().__init__(trouble)
        self.trouble: Trouble = trouble
        self.said, self.errors = said, errors


class Lost(Exception):
    """The shell went away in the middle of an exchange; the message is a clause about why."""


def new_mark() -> str:
    """Return a word that no other shell has."""
    return secrets.token_hex(8)


class Session:
    """A shell that has said hello. Exchanges need `lock`.

    `mark` stands among the arguments of the shell and of all that it runs; `pid` is its process on the host.
    """

    def __init__(self, child: Child, mark: str, token: str, redactor: Redactor) -> None:
        self.child = child
        self.lock = asyncio.Lock()
        self.is_usable = True
        self.backstop_s = BACKSTOP_S
        self._out = Frames(child.stdout, token.encode())
        self._err = Frames(child.stderr, token.encode())
        self._redactor = redactor
        self.mark = mark
        self.pid = ""
        self._token, self._block_token = token.encode(), b""
        self._sequence = 0
        self._tells_signals = False

    @classmethod
    async def open(cls, child: Child, mark: str, redactor: Redactor, *, limit_s: float) -> Session:
        """Say hello to the shell that `child` leads to, within `limit_s`. Raises NoShell; `child` is ended then."""
        token = secrets.token_hex(16)
        session = cls(child, mark, token, redactor)
        out, err = Bounded(GARBAGE_BYTES), Bounded(GARBAGE_BYTES)
        try:
            async with asyncio.timeout(limit_s):
                trouble = await session._greet(hello_line(token), out, err)
        except TimeoutError:
            trouble = "timeout"
        except BaseException:
            await child.kill()
            raise
        if trouble is None:
            return session
        await child.kill()
        raise NoShell(trouble, redactor.clean(out.value()), redactor.clean(err.value()))

    async def _greet(self, hello: bytes, out: Bounded, err: Bounded) -> Trouble | None:
        with contextlib.suppress(BrokenPipeError):  # then reading tells more
            await self.child.write(hello)
        marks = await asyncio.gather(self._hear(self._out, out), self._hear(self._err, err))
        mark = marks[0]
        if not isinstance(mark, Mark) or not isinstance(marks[1], Mark):
            return "garbage" if "garbage" in marks else "end"
        setsid, _, rest = mark.verdict.partition(b":")
        printf, _, rest = rest.partition(b":")
        tells, _, rest = rest.partition(b":")
        pid, _, head = rest.partition(b":")
        self._tells_signals = tells == b"tells"
        self.pid = pid.decode() if pid.isdigit() else ""
        self._block_token = self._token if head == b"1" else b""
        if setsid == b"none":
            return "setsid"
        # A printf that is a program would have the input of commands, and so secrets, among its arguments.
        return None if printf == b"printf" else "printf"

    async def _hear(self, frames: Frames, heard: Bounded) -> Mark | Trouble:
        count = 0
        try:
            while not isinstance(piece := await frames.next(), Mark):
                heard.add(piece)
                count += len(piece)
                if count > GARBAGE_BYTES:
                    await self.child.kill()  # ends the other stream too
                    return "garbage"
        except Cut:
            return "end"
        return piece

    async def run(self, calls: Sequence[Call], show: Show | None, heard: Heard) -> int:
        """Run `calls` in one round trip, as far as they go. Raises Lost; the shell is gone then.

        Return where, counted from the first, the call stands that comes next (it may be none of `calls` any more), 0
        when the exchange has ended.
        """
        first, at = self._sequence + 1, 0
        self._sequence += len(calls)
        writing = asyncio.create_task(self._send(exchange_text(calls, first, self._block_token)))
        try:
            while at < len(calls):
                result = await self._answer(calls[at], first + at, show)
                onward = 0
                if result is not None:
                    heard(at, result)
                    onward = calls[at].request.onward(result)
                at += onward
                if not onward:
                    at = 0
                    break
            await writing
        except BaseException:
            writing.cancel()
            await self.kill()
            raise
        return at

    async def _send(self, line: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):  # reading tells more
            await self.child.write(line)

    async def _answer(self, call: Call, sequence: int, show: Show | None) -> Result | None:
        """Return the result of `call`, None when the exchange ended before it."""
        output, began_s = Output(), time.monotonic()
        taps = [_tap(self._redactor, kept, show) for kept in (output.stdout, output.stderr)]
        try:
            async with asyncio.timeout(call.request.command.limit_s + GRACE_S + self.backstop_s):
                out, err = await asyncio.gather(self._out.until_mark(taps[0].feed), self._err.until_mark(taps[1].feed))
        except TimeoutError:
            raise Lost("it did not answer within the time limit of the command") from None
        except Cut as cut:
            raise Lost("the command printed more than a gigabyte" if cut.flood else "it was cut") from None
        for tap in taps:
            tap.end()
        if not out.sequence == err.sequence == str(sequence).encode():
            raise Lost("its answers came out of order")
        if out.verdict == HALTED:
            return None
        return result_of(out.verdict, output, tells_signals=self._tells_signals, took_s=time.monotonic() - began_s)

    async def consume(self, call: Call, feed: Callable[[Child], Coroutine[None, None, None]]) -> Result:
        """Run one call whose input is all that `feed` writes to the child; the shell ends with it. Raises Lost."""
        self.is_usable = False
        feeding: asyncio.Task[None] | None = None
        try:
            await self._send(consume_line(call))
            feeding = asyncio.create_task(feed(self.child))
            result = await self._answer(call, 1, None)
        finally:
            if feeding is not None:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)
            await self.kill()
        assert result is not None  # noqa: S101  nobody asks such an exchange to end
        return result

    async def follow(self, call: Call) -> AsyncGenerator[bytes, None]:
        """Yield both streams of a command as they come, redacted, until it ends. Raises Lost. Closing ends it."""
        self.is_usable = False
        pieces: list[bytes] = []
        tap = self._redactor.stream(pieces.append)
        try:
            await self._send(call.follow_line())
            while not isinstance(piece := await self._out.next(), Mark):
                tap.feed(piece)
                while pieces:
                    yield pieces.pop(0)
            tap.end()
            for rest in pieces:
                yield rest
        except Cut:
            raise Lost("it was cut") from None
        finally:
            await self.end()

    async def end(self) -> None:
        """Close the shell's input and give it a moment: the host ends what still runs in it."""
        self.is_usable = False
        self.child.end_input()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.child.wait(), 2.0)
        await self.child.kill()

    async def kill(self) -> None:
        """Give the shell up at once."""
        self.is_usable = False
        await self.child.kill()


def _tap(redactor: Redactor, kept: Bounded, show: Show | None) -> RedactedStream:
    def sink(data: bytes) -> None:
        kept.add(data)
        if show is not None:
            show(data)

    return redactor.stream(sink)
