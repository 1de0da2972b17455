"""Runs the engine's scripts through the real `sh` of this machine, as a transport to one host."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from shipway.core.action import Command
from shipway.core.layout import Layout
from shipway.core.ports import Heard, Output, Request, Result
from shipway.engine.world import Author, World


def run_here(command: Command) -> Result:
    """Run one command on this machine."""
    done = subprocess.run(
        command.words(),
        input="".join(str(p) for p in command.stdin).encode(),
        capture_output=True,
        timeout=30,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


class ShellTransport:
    async def exchange(
        self,
        host: str,
        requests: Sequence[Request],
        *,
        track: str = "main",
        output: Output | None = None,
        heard: Heard | None = None,
    ) -> tuple[Result, ...]:
        results: list[Result] = []
        at, onward = 0, 1
        while onward and at < len(requests):
            results.append(await asyncio.to_thread(run_here, requests[at].command))
            if heard is not None:
                heard(at, results[-1])
            onward = requests[at].onward(results[-1])
            at += onward
        return tuple(results)

    async def halt(self, host: str, track: str = "main") -> None:
        return

    async def pipe(self, source: Command, host: str, sink: Command) -> Result:
        raise NotImplementedError

    def stream(self, host: str, command: Command) -> AsyncIterator[bytes]:
        raise NotImplementedError

    async def interactive(self, host: str, command: Command) -> int:
        raise NotImplementedError

    async def close(self) -> None:
        return


class StillClock:
    """A clock that stands still; nothing sleeps."""

    def now(self) -> datetime:
        return datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()


def shell_world(root: str) -> World:
    """A world with one host, `here`, whose state directory is `root`."""
    return World(ShellTransport(), StillClock(), {"here": Layout(root, "shop")}, Author("ada", "laptop"))
