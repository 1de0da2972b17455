"""Ctrl-C, SIGTERM and a closed terminal: before anything was changed they end at once, in a run they ask it to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from shipway.core.errors import Exit, Interrupted, StepFailed
from shipway.engine.world import StopRequest

T = TypeVar("T")
Say = Callable[[str], None]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """How signals reach a use case. Inside `run_in_progress` the first one asks to stop and the second leaves."""

    def __init__(self, say: Say, now: str = "nothing was changed") -> None:
        self.stop = StopRequest()
        self._now = now
        self._say = say
        self._task: asyncio.Task[Any] | None = None
        self._is_running = False
        self._has_left = False
        self._hook_stop: StopRequest | None = None

    @contextmanager
    def run_in_progress(self) -> Iterator[StopRequest]:
        """Mark the time in which something is being changed."""
        self._is_running = True
        try:
            yield self.stop
        finally:
            self._is_running = False

    @contextmanager
    def hooks_in_progress(self) -> Iterator[StopRequest]:
        """Mark the time after a run: a signal ends the hook that runs, and the run's own end is told all the same."""
        self._hook_stop = StopRequest()
        try:
            yield self._hook_stop
        finally:
            self._hook_stop = None

    def on_signal(self, number: int) -> None:
        """Take in one signal."""
        name = signal.Signals(number).name
        if self._hook_stop is not None:
            self._hook_stop.request(f"{name} was received")
        elif self._is_running and not self.stop.is_set:
            self.stop.request(f"{name} was received")
            self._say(
                "Stopping: running steps end first, then what this run did is taken back, unless it serves already.\n"
                "Ctrl-C once more leaves at once, in the middle; `shipway resume` then settles the run."
            )
        elif self._task is not None:
            self._has_left = self._is_running
            self._task.cancel()

    async def watch(self, main: Callable[[Interruption], Awaitable[T]]) -> T:
        """Return what `main` returns. Raises Interrupted when a signal ended it, StepFailed (11) in mid-run."""
        loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.on_signal, number)
        try:
            return await main(self)
        except asyncio.CancelledError:
            raise self._ending() from None
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    def _ending(self) -> Interrupted | StepFailed:
        if not self._has_left:
            return Interrupted("run.interrupted", "stopped on request", now=self._now)
        return StepFailed(
            "run.abandoned",
            "left in the middle of a run on request",
            ended=Exit.MIXED,
            now="the last step may have been half done; the release that served goes on serving until a switch",
            next="`shipway resume` settles the run",
        )


def run(main: Callable[[Interruption], Awaitable[T]], say: Say, now: str = "nothing was changed") -> T:
    """Run the use case `main` in an event loop of its own, with signals handled; `say` tells a person what goes on.

    `now` is what is true after a signal that came before, or outside of, a run.
    """
    return asyncio.run(Interruption(say, now).watch(main))
