"""A child process with pipes, in a session of its own: Ctrl-C on our terminal does not reach it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import IO, TypeVar

_Protocol = TypeVar("_Protocol", bound=asyncio.BaseProtocol)
_CLOSE_WAIT_S = 0.2
_END_WAIT_S = 5.0  # a process that got SIGKILL is gone long before


class _Flow(asyncio.BaseProtocol):
    """Back-pressure of a write pipe: writing waits while the pipe is full, and fails once nobody reads."""

    def __init__(self) -> None:
        self._free = asyncio.Event()
        self._free.set()
        self.closed = asyncio.Event()

    def pause_writing(self) -> None:
        self._free.clear()

    def resume_writing(self) -> None:
        self._free.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  the signature is asyncio's
        self.closed.set()
        self._free.set()

    async def drained(self) -> None:
        await self._free.wait()
        if self.closed.is_set():
            raise BrokenPipeError


class Child:
    """A running process. Its streams are read through `stdout` and `stderr`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._flow = _Flow()
        self._pipes: list[asyncio.BaseTransport] = []
        self._stdin: asyncio.WriteTransport | None = None
        self.stdout = asyncio.StreamReader(1 << 18)
        self.stderr = asyncio.StreamReader(1 << 18)

    @classmethod
    async def start(
        cls, argv: Sequence[str], *, env: Mapping[str, str] | None = None, bare: bool = False, cwd: str | None = None
    ) -> Child:
        """Start `argv`; `env` is added to our environment, or is all of it (`bare`).

        Raises OSError when the program cannot be run.
        """
        process = subprocess.Popen(  # noqa: ASYNC220  forking takes about a millisecond; pipes are asynchronous
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            env=None if env is None else {**({} if bare else os.environ), **env},
            cwd=cwd,
        )
        child = cls(process)
        try:
            await child._connect()
        except BaseException:
            await child.kill()
            raise
        return child

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        for pipe, reader in ((self._process.stdout, self.stdout), (self._process.stderr, self.stderr)):
            protocol = asyncio.StreamReaderProtocol(reader)
            transport, _ = await loop.connect_read_pipe(functools.partial(_same, protocol), _open(pipe))
            self._pipes.append(transport)
        self._stdin, _ = await loop.connect_write_pipe(functools.partial(_same, self._flow), _open(self._process.stdin))
        self._pipes.append(self._stdin)

    @property
    def pid(self) -> int:
        """The process id, which is the id of its process group too."""
        return self._process.pid

    async def write(self, data: bytes) -> None:
        """Write to standard input, waiting while it is full. Raises BrokenPipeError when nobody reads it any more."""
        if self._stdin is None or self._flow.closed.is_set() or self._stdin.is_closing():
            raise BrokenPipeError
        self._stdin.write(data)
        await self._flow.drained()

    def end_input(self) -> None:
        """Close standard input after what was written."""
        if self._stdin is not None and not self._stdin.is_closing():
            self._stdin.close()  # asyncio writes what is buffered first

    def close_output(self) -> None:
        """Stop reading standard output: the next write of the process gets SIGPIPE."""
        if self._pipes:
            self._pipes[0].close()

    def is_alive(self) -> bool:
        """Whether the process has not ended yet."""
        return self._process.poll() is None

    async def wait(self) -> int:
        """Wait until the process ends and return its status as subprocess tells it (-n for signal n)."""
        pause = 0.001
        while (status := self._process.poll()) is None:
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.05)
        return status

    async def kill(self) -> None:
        """End the process and its group at once, reap it and close the pipes. Never raises."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wait(), _END_WAIT_S)
        await self._close_pipes()

    def terminate(self) -> None:
        """Ask the process and its group to end."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGTERM)

    async def close(self) -> None:
        """Close the pipes of a process that has ended; what it left running in the background goes on."""
        await self._close_pipes()

    async def _close_pipes(self) -> None:
        for transport in self._pipes:
            if transport is not self._stdin:
                transport.close()
        if self._stdin is not None:
            # The pipe of a process that is gone closes by itself, and asyncio's abort() fails on one that is closing:
            # so it is only for a pipe that another process holds open.
            try:
                await asyncio.wait_for(self._flow.closed.wait(), _CLOSE_WAIT_S)
            except TimeoutError:
                self._stdin.abort()
        connected = {id(t.get_extra_info("pipe")) for t in self._pipes}
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None and id(pipe) not in connected:
                pipe.close()


def _open(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101  Popen was given PIPE
    return pipe


def _same(protocol: _Protocol) -> _Protocol:
    return protocol
