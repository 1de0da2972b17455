"""The protocols through which the engine touches the world. Adapters implement them; tests have fakes of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from shipway.core.action import Command

StopOn = Literal["failure", "success", "never"]


@dataclass(frozen=True, slots=True)
class Request:
    """A command of an exchange, and what of the exchange is run after it: its host decides, without asking us.

    `stop_on`: the result after which the rest is not run. `skip`: how many of the next requests are left out after a
    success. `gate`: an exchange that was asked to end (`Transport.halt`) ends before this request.
    """

    command: Command
    stop_on: StopOn = "failure"
    skip: int = 0
    gate: bool = False

    def onward(self, result: Result) -> int:
        """Return how far on the request stands that is run after `result`: 1 for the next; 0: the exchange ends."""
        if self.stop_on == ("success" if result.ok else "failure"):
            return 0
        return 1 + self.skip if result.ok else 1


@dataclass(frozen=True, slots=True)
class Result:
    """What a command answered. Output is bytes, bounded (`truncated` tells), with secret values already redacted.

    `status` is the exit status; for a program ended by a signal it is 128 + n and `signal` is n. `timed_out`: it was
    ended because its `limit_s` had passed.
    """

    status: int
    stdout: bytes = b""
    stderr: bytes = b""
    signal: int | None = None
    timed_out: bool = False
    truncated: bool = False
    took_s: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the command exited 0."""
        return self.status == 0

    @property
    def text(self) -> str:
        """Standard output as text; bytes that are no UTF-8 are replaced."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def said(self) -> str:
        """What the command said about itself: standard error, or standard output where that is empty."""
        return (self.stderr or self.stdout).decode("utf-8", "replace").strip()


Output = Callable[[bytes], None]
"""Called with pieces of output (both streams) while a command runs."""

Heard = Callable[[int, Result], None]
"""Called with the number of a request (from 0) and its result, as soon as that came."""


class Transport(Protocol):
    """Runs commands on hosts. One connection per host for a whole run; one open shell per host and track."""

    async def exchange(
        self,
        host: str,
        requests: Sequence[Request],
        *,
        track: str = "main",
        output: Output | None = None,
        heard: Heard | None = None,
    ) -> tuple[Result, ...]:
        """Run `requests` in order in one round trip and return the results of those that ran (`Request.onward`).

        Connects first where there is no connection. Raises Unreachable when no connection can be made (nothing ran),
        ConnectionLost when it broke on the way: what was not `heard` is in doubt until the next exchange, which begins
        when the host has ended what it was at.
        """
        ...

    async def halt(self, host: str, track: str = "main") -> None:
        """Ask the exchange that runs on `track` to end before its next gate. Cancelled when it is not needed any more.

        Never raises: a host that cannot be asked is about to be missed by the exchange itself.
        """
        ...

    async def pipe(self, source: Command, host: str, sink: Command) -> Result:
        """Feed the output of the local `source` to `sink` on `host`; return what failed first, or `sink`'s result."""
        ...

    def stream(self, host: str, command: Command) -> AsyncGenerator[bytes, None]:
        """Yield the output of a command that may run for ever, as it comes (`logs --follow`). `aclose` ends it."""
        ...

    async def tunnel(self, host: str, port: int, wanted: int) -> int:
        """Let programs on `host` reach TCP `port` of this machine's loopback through the connection of `host`.

        Return the port of the loopback of `host` that leads here: `wanted`, or another where that is taken. It stays
        until `close`. Raises Unreachable when no connection can be made, Refused when the host allows no tunnel.
        """
        ...

    async def interactive(self, host: str, command: Command) -> int:
        """Run `command` on `host` with this terminal attached; return its exit status."""
        ...

    async def close(self) -> None:
        """End every shell and connection. Never raises."""
        ...


class Secrets(Protocol):
    """Where secret values come from."""

    def reveal(self, name: str) -> str:
        """Return the value of `name`; raises ConfigError `secrets.missing` when there is none."""
        ...

    def names(self) -> Sequence[str]:
        """Return the names of all known secrets."""
        ...


class Clock(Protocol):
    """Time, so that the engine can be tested without waiting."""

    def now(self) -> datetime:
        """Return the current time in UTC."""
        ...

    def monotonic(self) -> float:
        """Return a clock that never goes back, in seconds."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...
