"""Runs a hook: a program of the user on this machine, bounded in time and output, its output without secret values."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from shipway.adapters.child import Child
from shipway.adapters.redact import Redactor

_KEPT_CHARS = 20_000
"""Of what a hook printed, for the message when it fails."""
_LOOK_S = 0.1
_GRACE_S = 5.0
"""Between asking a hook to end and ending it: the time in which it can tidy up."""
_PIPES_S = 0.5
"""For what is still in the pipes of a hook that has ended; something that it left in the background may hold them."""
# A shell runs a script without a `#!` line too, as `env` does for Kamal; an `=` in the path means nothing to it.
_EXEC = 'exec "$0"'


@dataclass(frozen=True, slots=True)
class HookRun:
    """What is to be run: the path, the directory, and all of the environment. `limit_s`: how long it may take."""

    path: str
    directory: str
    env: Mapping[str, str]
    limit_s: float


@dataclass(frozen=True, slots=True)
class HookEnd:
    """How a hook ended. `why` says what ended it ("": itself). `said` is the last of its output, redacted."""

    status: int
    said: str = ""
    why: str = ""

    @property
    def ok(self) -> bool:
        """Whether the hook exited 0 by itself."""
        return self.status == 0 and not self.why


async def run_hook(
    hook: HookRun, redactor: Redactor, tell: Callable[[str], None], is_stopped: Callable[[], bool]
) -> HookEnd:
    """Run `hook` to its end; `tell` gets each line as it comes. It is ended when `is_stopped` says so, or cancelled."""
    try:
        child = await Child.start(("sh", "-c", _EXEC, hook.path), env=hook.env, bare=True, cwd=hook.directory)
    except OSError as error:
        return HookEnd(127, str(error.strerror or error), "it could not be started")
    child.end_input()
    lines = _Lines(redactor, tell)
    readers = [asyncio.create_task(lines.read(stream)) for stream in (child.stdout, child.stderr)]
    try:
        why = await _watch(child, hook.limit_s, is_stopped)
        status = await child.wait()
        await asyncio.wait(readers, timeout=_PIPES_S)
        await _cancel(readers)
        await child.close()
    except BaseException:
        child.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(child.wait(), _GRACE_S)
        await child.kill()
        await _cancel(readers)
        raise
    return HookEnd(status, lines.last(), why)


async def _watch(child: Child, limit_s: float, is_stopped: Callable[[], bool]) -> str:
    """Wait for the end of `child`, or bring it about; return why, "" when it ended by itself."""
    loop = asyncio.get_running_loop()
    until_s, why = loop.time() + limit_s, ""
    ending = asyncio.create_task(child.wait())
    try:
        while not (await asyncio.wait({ending}, timeout=_LOOK_S))[0]:
            if is_stopped():
                why = "it was stopped"
            elif loop.time() >= until_s:
                why = f"it took longer than {limit_s:g} s"
            else:
                continue
            child.terminate()
            if not (await asyncio.wait({ending}, timeout=_GRACE_S))[0]:
                await child.kill()
            return why
    finally:
        ending.cancel()
    return why


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class _Lines:
    """Collects what a hook prints on both streams, redacted, and tells it line by line."""

    def __init__(self, redactor: Redactor, tell: Callable[[str], None]) -> None:
        self._redactor, self._tell, self._kept = redactor, tell, ""

    async def read(self, stream: asyncio.StreamReader) -> None:
        rest = ""

        def take(piece: bytes) -> None:
            nonlocal rest
            text = piece.decode("utf-8", "replace")
            self._kept = (self._kept + text)[-_KEPT_CHARS:]
            *whole, rest = (rest + text).split("\n")
            for line in whole:
                self._tell(line)
            if len(rest) > _KEPT_CHARS:
                self._tell(rest)
                rest = ""

        cleaned = self._redactor.stream(take)
        try:
            while piece := await stream.read(65_536):
                cleaned.feed(piece)
        finally:
            cleaned.end()
            if rest:
                self._tell(rest)

    def last(self) -> str:
        """Return the last of what was printed."""
        return self._kept.strip()
