"""Two releases and the messages between them: what waits and cannot be done, what may still come, who must go first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shipway.core.task import Known, Message, Queued, Signature
from shipway.tasks.binding import drift, misfit


@dataclass(frozen=True, slots=True)
class Stuck:
    """Messages of one task that the workers to come cannot do, and why, without a full stop.

    `due_s`: in how many seconds the last one is due; 0 for those that wait for a worker only.
    """

    framework: str
    name: str
    why: str
    ready: int = 0
    reserved: int = 0
    delayed: int = 0
    due_s: int = 0

    @property
    def count(self) -> int:
        """How many there are."""
        return self.ready + self.reserved + self.delayed

    def __str__(self) -> str:
        states = ((self.ready, "waiting"), (self.reserved, "taken by workers"), (self.delayed, "for later"))
        parts = ", ".join(f"{number} {word}" for number, word in states if number)
        return f"{self.name}: {parts}; {self.why}"


@dataclass(frozen=True, slots=True)
class AtRisk:
    """A task that one release may ask for in a way that the workers of the other cannot do."""

    framework: str
    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name} ({self.why})"


def stuck(workers: Known, queued: Queued, before: Known | None) -> tuple[Stuck, ...]:
    """Return what waits, that `workers` cannot do and the workers `before` could.

    What nobody could do is lost already, or belongs to somebody else's workers. Without `before` everything counts.
    """
    found: dict[tuple[str, str, str], Stuck] = {}
    for message in queued.messages:
        why = _why_not(message, workers, queued)
        if not why or (before is not None and _why_not(message, before, None)):
            continue
        key = (message.framework, message.name, why)
        old = found.get(key, Stuck(*key))
        found[key] = Stuck(
            *key,
            ready=old.ready + (message.count if message.state == "ready" else 0),
            reserved=old.reserved + (message.count if message.state == "reserved" else 0),
            delayed=old.delayed + (message.count if message.state == "delayed" else 0),
            due_s=max(old.due_s, message.due_s),
        )
    return tuple(found[key] for key in sorted(found))


def _why_not(message: Message, workers: Known, queued: Queued | None) -> str:
    """Return why `workers` cannot do a message; "" when they can, or when too little is known of it."""
    registry = workers.registries.get(message.framework)
    if not message.name or (registry is None and message.framework == "rq"):
        return ""
    also = queued.also.get(message.framework, {}) if queued is not None else {}
    signature = (registry or {}).get(message.name) or also.get(message.name)
    if signature is None:
        # RQ registers nothing: an older release may well have had the function.
        return "" if queued is None and message.framework == "rq" else "no such task"
    return misfit(message, signature)


def at_risk(callers: Known, workers: Known) -> tuple[AtRisk, ...]:
    """Return the tasks that `callers` may ask for and `workers` may not be able to do."""
    return tuple(_at_risk(callers, workers))


def _at_risk(callers: Known, workers: Known) -> Iterator[AtRisk]:
    for framework, registry in sorted(callers.registries.items()):
        known = workers.registries.get(framework, {})
        for name, signature in sorted(registry.items()):
            why = _drift(signature, known.get(name))
            if why:
                yield AtRisk(framework, name, why)


def _drift(caller: Signature, callee: Signature | None) -> str:
    return "no such task" if callee is None else drift(caller, callee)


def unknown_beats(known: Known) -> tuple[str, ...]:
    """Return the names that the schedule of a release puts into queues and its workers do not know."""
    tasks = known.registries.get("celery", {})
    return tuple(sorted({name for name in known.scheduled if name not in tasks and not name.startswith("celery.")}))


def total(found: Iterable[Stuck]) -> int:
    """Return how many messages these are."""
    return sum(one.count for one in found)
