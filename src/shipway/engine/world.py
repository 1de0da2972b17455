"""What a run needs around it: the transport, the clock, who asked, who listens, and how to ask it to stop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from shipway.core.events import Event, Listener
from shipway.core.layout import Layout
from shipway.core.ports import Clock, Transport
from shipway.core.step import Plan, Stage

Moment = Literal["begin", "end"]
Boundary = Callable[[Plan, Stage, Moment], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Author:
    """Who asked for a run, and from which machine; `note` is what they said about it.

    `process` is a word that means this process alone; it also stands among the arguments of its shells on hosts.
    """

    who: str
    origin: str
    note: str = ""
    process: str = ""


class StopRequest:
    """A request to stop soon: set by a signal handler, or by the lock when somebody took it over.

    A run that sees it starts no new step, lets the running ones end, and takes back what it did before its commit.
    """

    def __init__(self) -> None:
        self._why = ""
        self._listeners: list[Callable[[], None]] = []

    def request(self, why: str) -> None:
        """Ask to stop. The first reason is kept."""
        is_first, self._why = not self._why, self._why or why
        for listener in tuple(self._listeners) if is_first else ():
            listener()

    @contextmanager
    def heard_by(self, listener: Callable[[], None]) -> Iterator[None]:
        """Call `listener` when somebody asks while the block runs, in the loop in which it runs."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    @property
    def why(self) -> str:
        """The reason, "" while nobody asked."""
        return self._why

    @property
    def is_set(self) -> bool:
        """Whether somebody asked."""
        return bool(self._why)


def _deaf(_event: Event) -> None:
    """Listen to nothing."""


def _always(_plan: Plan, _stage: Stage) -> bool:
    """Take it that somebody waits."""
    return True


def _unknown(_process: str) -> bool:
    """Know of no process that it has ended."""
    return False


async def _pass(_plan: Plan, _stage: Stage, _moment: Moment) -> None:
    """Go from stage to stage without a halt."""


@dataclass(frozen=True, slots=True)
class World:
    """The world of one run. `layouts` has an entry per host, the primary first.

    `options` are the words that make a printed command mean the same destination (` -d staging`), "" for none.
    `boundary` is awaited when a stage is about to begin and when all of it is done; what it raises fails the run. It
    may be left out for a stage of which `waits_at` says that nobody waits there.
    `is_gone` tells of the word of a process (`Author.process`) whether it was one of this machine and has ended.
    """

    transport: Transport
    clock: Clock
    layouts: Mapping[str, Layout]
    author: Author
    listen: Listener = _deaf
    stop: StopRequest = field(default_factory=StopRequest)
    options: str = ""
    is_gone: Callable[[str], bool] = _unknown
    boundary: Boundary = _pass
    waits_at: Callable[[Plan, Stage], bool] = _always

    def is_waited(self, plan: Plan, stage: Stage) -> bool:
        """Whether somebody must be heard before `stage` begins, or after it."""
        return self.boundary is not _pass and self.waits_at(plan, stage)

    def layout(self, host: str) -> Layout:
        """Return the layout of `host`; a host that left the configuration since has the layout of the primary."""
        found = self.layouts.get(host)
        return found if found is not None else next(iter(self.layouts.values()))

    def stamp(self) -> str:
        """Return the current time as records have it: UTC, ISO 8601, whole seconds."""
        return self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def command(self, verb: str) -> str:
        """Return a command of ours, ready to be pasted."""
        return f"`shipway {verb}{self.options}`"
