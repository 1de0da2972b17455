"""Reading what a framed shell answers: raw bytes up to a marker, on each of its two streams.

A marker is `RS token : sequence : verdict RS newline`. The token is 128 random bits per session, so output cannot be
taken for a marker by chance, and a program cannot know it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from shipway.core.ports import Result

KEEP_BYTES = 1 << 20
"""How much of each stream of a command is kept: half from its head, half from its tail."""

FLOOD_BYTES = 1 << 30
"""After so much output of one command the connection is given up: no command of ours says that much."""

_SIGNAL_BASE = 128  # how POSIX shells report a signal: 2.8.2 "Exit Status for Commands"
_SIGNAL_MAX = 64  # Linux
_MARKER_LIMIT = 8192  # the verdict is cut to 4000 bytes by the host
_VERDICT = re.compile(rb"=([T-]):(\d{1,3})=")
_QUIET_SIGNALS = frozenset({130, 141})  # SIGINT and SIGPIPE: no shell speaks of them


class Source(Protocol):
    """What bytes are read from; `b""` is the end."""

    async def read(self, n: int = -1, /) -> bytes:
        """Return up to `n` bytes, at least one, or nothing at the end."""
        ...


class Cut(Exception):
    """The stream ended before the marker (or `flood`: said too much)."""

    def __init__(self, *, flood: bool = False) -> None:
        super().__init__("flood" if flood else "end of stream")
        self.flood = flood


@dataclass(frozen=True, slots=True)
class Mark:
    """The end of one command on one stream."""

    sequence: bytes
    verdict: bytes


class Frames:
    """One stream of a shell: pieces of output, and marks between them."""

    def __init__(self, source: Source, token: bytes) -> None:
        self._source = source
        self._prefix = b"\x1e" + token + b":"
        self._pending = b""

    async def next(self) -> bytes | Mark:
        """Return the next piece (never empty) or mark. Raises Cut at the end of the stream."""
        while True:
            at = self._pending.find(self._prefix)
            if at == 0:
                mark = self._mark()
                if mark is not None:
                    return mark
            elif self._pending:
                free = at if at > 0 else len(self._pending) - partial_tail(self._pending, self._prefix)
                if free:
                    return self._pull(free)
            chunk = await self._source.read(1 << 16)
            if not chunk:
                if self._pending:
                    return self._pull(len(self._pending))
                raise Cut
            self._pending += chunk

    async def until_mark(self, take: Callable[[bytes], None]) -> Mark:
        """Pass what comes to `take`; return the next mark. Raises Cut."""
        seen = 0
        while not isinstance(piece := await self.next(), Mark):
            take(piece)
            seen += len(piece)
            if seen > FLOOD_BYTES:
                raise Cut(flood=True)
        return piece

    def _mark(self) -> Mark | None:
        end = self._pending.find(b"\x1e\n", len(self._prefix))
        if end < 0 and len(self._pending) <= _MARKER_LIMIT:
            return None
        end = end if end >= 0 else _MARKER_LIMIT
        sequence, _, verdict = self._pending[len(self._prefix) : end].partition(b":")
        self._pending = self._pending[end + 2 :]
        return Mark(sequence, verdict)

    def _pull(self, count: int) -> bytes:
        piece, self._pending = self._pending[:count], self._pending[count:]
        return piece


def partial_tail(data: bytes, word: bytes) -> int:
    """Return how many bytes at the end of `data` could be the beginning of `word`."""
    at = data.find(word[:1], max(0, len(data) - len(word) + 1))
    while at >= 0:
        if word.startswith(data[at:]):
            return len(data) - at
        at = data.find(word[:1], at + 1)
    return 0


@dataclass(slots=True)
class Bounded:
    """The head and the tail of a stream, in bounded memory."""

    keep: int = KEEP_BYTES
    truncated: bool = False
    _head: bytearray = field(default_factory=bytearray)
    _tail: bytearray = field(default_factory=bytearray)

    def add(self, data: bytes) -> None:
        """Take the next piece."""
        half = self.keep // 2
        room = half - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data
        if len(self._tail) > 2 * half:
            self._cut_tail(half)

    def _cut_tail(self, half: int) -> None:
        del self._tail[:-half]
        self.truncated = True

    def value(self) -> bytes:
        """Return all of it, or head and tail with a line between that says so."""
        half = self.keep // 2
        if len(self._tail) > half:
            self._cut_tail(half)
        return bytes(self._head) + (b"\n[... output left out ...]\n" if self.truncated else b"") + bytes(self._tail)


@dataclass(frozen=True, slots=True)
class Output:
    """The bounded, redacted output of one command."""

    stdout: Bounded = field(default_factory=Bounded)
    stderr: Bounded = field(default_factory=Bounded)


def result_of(verdict: bytes, output: Output, *, tells_signals: bool, took_s: float) -> Result:
    """Return the result that a verdict of the host means.

    POSIX shells report a signal n as 128+n, as a program may by itself. A shell that also says "Terminated" tells them
    apart; SIGINT, SIGPIPE and shells that say nothing (bash) leave the doubt, and then 128+n is read as a signal.
    """
    stdout, stderr = output.stdout.value(), output.stderr.value()
    truncated = output.stdout.truncated or output.stderr.truncated
    match = _VERDICT.search(verdict)
    if match is None:
        if verdict.strip() not in (b"", b"Killed"):  # it could not be started: too many words, no memory
            return Result(126, stdout, stderr + verdict, truncated=truncated, took_s=took_s)
        return Result(137, stdout, stderr, 9, timed_out=True, truncated=truncated, took_s=took_s)
    timed_out, status = match[1] == b"T", int(match[2])
    by_signal = timed_out or not tells_signals or bool(verdict[: match.start()].strip()) or status in _QUIET_SIGNALS
    signal = status - _SIGNAL_BASE if by_signal and 0 < status - _SIGNAL_BASE <= _SIGNAL_MAX else None
    if timed_out and status == 0:
        status = 124  # what timeout(1) says
    return Result(status, stdout, stderr, signal, timed_out, truncated, took_s)
