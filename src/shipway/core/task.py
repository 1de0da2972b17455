"""Background tasks as a release knows them, and the messages that wait for workers in a broker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

MessageState = Literal["ready", "reserved", "delayed"]
"""In a queue, taken by a worker and not done yet, or for later (an ETA, a schedule)."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What a task may be called with: positional parameters, keyword-only ones by whether they are required, the rest.

    `varargs` and `varkw` take anything.
    """

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    keyword: Mapping[str, bool] = field(default_factory=dict)
    varargs: bool = False
    varkw: bool = False

    @property
    def positional(self) -> tuple[str, ...]:
        """The parameters that may be given by position, in order."""
        return (*self.required, *self.optional)


Registry = Mapping[str, Signature]
"""The tasks of one framework by name."""


@dataclass(frozen=True, slots=True)
class Message:
    """`count` messages of one form. `arguments` is how many stand by position, -1 when that could not be read.

    `name` is "" where a broker tells numbers only. `due_s`: in how many seconds the last of them is due.
    """

    framework: str
    name: str
    queue: str = ""
    state: MessageState = "ready"
    arguments: int = -1
    keywords: tuple[str, ...] = ()
    count: int = 1
    due_s: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """The tasks of a release: by framework, and the names that its schedule puts into queues (Celery).

    `longest_s` is how long the framework lets a task run (Celery's `task_time_limit`); 0 when it has no limit.
    """

    registries: Mapping[str, Registry] = field(default_factory=dict)
    scheduled: tuple[str, ...] = ()
    longest_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Queued:
    """What waits. `unread` says why for a framework whose messages could not be read.

    `also` are tasks that the release can do without having registered them (RQ runs any function that it can import).
    """

    messages: tuple[Message, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    also: Mapping[str, Registry] = field(default_factory=dict)
