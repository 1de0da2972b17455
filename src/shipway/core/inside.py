"""What a release answered when the services that it works with were tried from inside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Tried:
    """One database, cache, mail server or storage, by its `name` in the settings.

    `fault` is why it failed, `skipped` why it was not tried. Databases: `vendor`, the `table` that was read, whether a
    row was written (`wrote`), and how long that took. Others: the class of the `backend`, whether it gave back what it
    got (`is_same`) and forgot it when told to (`is_gone`). Storage: `location` on disk, whether that goes with the
    container (`is_lost`), and the `fields` of models that keep files there; `file` and `url` of one that was kept.
    """

    name: str
    fault: str = ""
    skipped: str = ""
    vendor: str = ""
    table: str = ""
    wrote: bool = False
    read_ms: int = 0
    write_ms: int = 0
    backend: str = ""
    server: str = ""
    is_same: bool = True
    is_gone: bool = True
    location: str = ""
    is_lost: bool = False
    fields: tuple[str, ...] = ()
    file: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class SecurePage:
    """The `path` whose refusal of a POST tells whether Django saw HTTPS; `why` there is none.

    `trusts`: the header by which it is told, `redirects`: it sends those who come without HTTPS there.
    """

    path: str = ""
    why: str = ""
    trusts: str = ""
    redirects: bool = False


@dataclass(frozen=True, slots=True)
class WorkerNode:
    """A worker as its framework knows it.

    `answers` counts the processes that answered under this name. `queues` are those it takes from, `lacks` the tasks of
    the release that it does not know (the first of `lacking`), `shared` how many it knows.
    """

    name: str
    answers: int = 0
    pid: int = 0
    machine: str = ""
    concurrency: int = 0
    active: int = 0
    queues: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    lacking: int = 0
    shared: int = -1


@dataclass(frozen=True, slots=True)
class Probed:
    """A task that was sent to a queue. `state`: done, taken, sent (nobody took it), failed, or unknown (no such task).

    `by` is the worker that took it. `busy`: every worker of the queue had its hands full.
    """

    queue: str
    task: str
    state: str
    took_ms: int = 0
    by: str = ""
    busy: bool = False
    said: str = ""


@dataclass(frozen=True, slots=True)
class FrameworkFacts:
    """What one framework told about its workers. `fault`: why it did not; `mute`: why it cannot.

    `waiting` and `waiting_after` are tasks ready by queue, before and after the rest was asked; `oldest_s` is for how
    long the first has been due, `running` how many were being done, where that is known (-1).
    """

    fault: str = ""
    mute: str = ""
    eager: bool = False
    nodes: tuple[WorkerNode, ...] = ()
    probes: tuple[Probed, ...] = ()
    waiting: Mapping[str, int] = field(default_factory=dict)
    waiting_after: Mapping[str, int] = field(default_factory=dict)
    oldest_s: int = -1
    running: int = -1


@dataclass(frozen=True, slots=True)
class Inside:
    """The whole answer. `faults` are sections that failed as such, `cut` is why there is nothing after a point."""

    services: Mapping[str, tuple[Tried, ...]] = field(default_factory=dict)
    secure: SecurePage | None = None
    workers: Mapping[str, FrameworkFacts] | None = None
    faults: Mapping[str, str] = field(default_factory=dict)
    cut: str = ""
