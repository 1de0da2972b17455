"""Programs run on the operator's machine, in a directory and an environment of their own."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import replace

from shipway.adapters.child import Child
from shipway.adapters.redact import Redactor
from shipway.adapters.shell.frames import Bounded
from shipway.core.here import HereStep
from shipway.core.ports import Output, Result, Secrets
from shipway.core.secret import SecretRef, Text, encode

KEEP_BYTES = 1 << 20
"""How much of each stream is kept, half from its head, half from its tail."""
_PIECE = 1 << 16
_TERM_WAIT_S = 3.0  # the docker client cancels its build and ends well within it


class HereRunner:
    """Runs steps here. What they print is redacted before anybody sees it."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._redactor: Redactor | None = None

    async def run(self, step: HereStep, output: Output | None = None, *, is_raw: bool = False) -> Result:
        """Run the step's program and return its result; status 127 where it cannot be started.

        `is_raw`: secrets stay in what it prints. Only for what is compared with them; it must never be shown.

        A caller that is cancelled ends the program and what it started.
        """
        began_s = time.monotonic()
        env = {name: self._text(text) for name, text in step.env}
        try:
            child = await Child.start(step.argv, env=env, cwd=step.directory or None)
        except OSError as error:
            return Result(127, stderr=f"{step.argv[0]}: {error.strerror}".encode())
        kept = Bounded(KEEP_BYTES), Bounded(KEEP_BYTES)
        is_late = False
        try:
            async with asyncio.timeout(step.limit_s):
                await asyncio.gather(
                    self._give(child, step.stdin),
                    self._hear(child.stdout, kept[0], output, is_raw=is_raw),
                    self._hear(child.stderr, kept[1], output, is_raw=is_raw),
                )
                status = await child.wait()
        except TimeoutError:
            is_late, status = True, 124
        finally:
            await _end(child)
        return _result(status, kept, is_late=is_late, took_s=time.monotonic() - began_s)

    async def ask(self, argv: tuple[str, ...], limit_s: float = 20.0, *, is_raw: bool = False) -> Result:
        """Return what a program answers that only looks; `is_raw` as for `run`."""
        return await self.run(HereStep("", "", argv, limit_s=limit_s), is_raw=is_raw)

    async def is_done(self, step: HereStep) -> bool:
        """Whether the step is not needed."""
        if not step.done:
            return False
        return (await self.run(replace(step, argv=step.done, stdin=(), done=(), limit_s=60.0))).ok

    def _text(self, text: Text) -> str:
        return "".join(
            encode(self._secrets.reveal(part.name), part.encoding) if isinstance(part, SecretRef) else part
            for part in text
        )

    async def _give(self, child: Child, text: Text) -> None:
        with contextlib.suppress(BrokenPipeError):  # it did not want it
            await child.write(self._text(text).encode("utf-8", "surrogateescape"))
            child.end_input()

    async def _hear(self, stream: asyncio.StreamReader, kept: Bounded, output: Output | None, *, is_raw: bool) -> None:
        def sink(data: bytes) -> None:
            kept.add(data)
            if output is not None:
                output(data)

        redactor = Redactor({}) if is_raw else self._known()
        tap = redactor.stream(sink)
        while piece := await stream.read(_PIECE):
            tap.feed(piece)
        tap.end()

    def _known(self) -> Redactor:
        if self._redactor is None:
            self._redactor = Redactor.of(self._secrets)
        return self._redactor


async def _end(child: Child) -> None:
    """End the program, softly first: the docker client then tells the engine that nobody waits any more."""
    if child.is_alive():
        child.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(child.wait(), _TERM_WAIT_S)
    await child.kill()


def _result(status: int, kept: tuple[Bounded, Bounded], *, is_late: bool, took_s: float) -> Result:
    out, err = kept
    return Result(
        status=status if status >= 0 else 128 - status,
        stdout=out.value(),
        stderr=err.value(),
        signal=-status if status < 0 else None,
        timed_out=is_late,
        took_s=took_s,
    )
