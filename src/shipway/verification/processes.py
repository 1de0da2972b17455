"""What it means how the processes of a service are: all there, none started again, exactly one scheduler."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shipway.core.unit import Unit
from shipway.core.vital import HostVitals, Vital
from shipway.verification.outcome import Answer, failed, passed, skipped

SCHEDULERS: Mapping[str, str] = {
    "celery beat": (
        r"\bcelery\b(?:(?!\bworker\b)[^|;&])*?\sbeat\b(?![\w-])|\bcelery\b[^|;&]*?\bworker\b.*?\s(?:-B|--beat)(?:\s|\Z)"
    ),
    "rqscheduler": r"\brqscheduler\b",
    "runapscheduler": r"\brunapscheduler\b",
}
"""Commands that put tasks into queues by the clock, each of which does it twice where it runs twice."""
_MARGIN_S = 3.0  # a ledger counts whole seconds, and the kernel's clock of processes is one of its own
_MB = 1_000_000
_NEARLY = 0.9


@dataclass(frozen=True, slots=True)
class Running:
    """A unit that should run, and what its host says of it.

    `proven_at` is when it was seen to work, `booted_at` when its host began (0: unknown).
    """

    unit: Unit
    vital: Vital | None
    proven_at: float = 0.0
    booted_at: float = 0.0

    @property
    def name(self) -> str:
        """How a person calls it."""
        return f"{self.unit.role} on {self.unit.host}"

    @property
    def was_restarted(self) -> bool:
        """Whether its engine or keeper had to start it again; a person who did so, or a host that did, had a reason."""
        vital = self.vital
        if vital is None or not self.proven_at or vital.started_at <= self.proven_at + _MARGIN_S:
            return False
        return vital.restarts > 0 or (vital.restarts < 0 and self.booted_at < self.proven_at)


def judge_restarts(found: Sequence[Running], memory_mb: int | None = None) -> Answer:
    """Return whether every unit of a host still runs, has not begun again, and has the memory that it needs."""
    problems: list[str] = []
    lines: list[str] = []
    first = ""
    for one in found:
        said = tuple(_wrong(one, memory_mb))
        first = first or (one.unit.role if said else "")
        problems += said
        lines.append(_line(one))
    if problems:
        next_step = f"`shipway logs --roles {first} --hosts {found[0].unit.host}`"
        return failed(problems[0], *problems[1:], *lines, next=next_step)
    return passed(*lines)


def _wrong(one: Running, memory_mb: int | None) -> Sequence[str]:
    vital = one.vital
    if vital is None:
        return (f"{one.name} is not there",)
    if not vital.is_running:
        return (f"{one.name} did not run: {vital.said or 'it ended'}",)
    problems = []
    if one.was_restarted:
        times = f", {vital.restarts} times" if vital.restarts > 1 else ""
        problems.append(f"{one.name} was started again{times} after it had been seen to work")
    if vital.oom_kills > 0:
        problems.append(f"{vital.oom_kills} processes of {one.name} were killed for lack of memory")
    if memory_mb is not None and vital.memory_bytes > memory_mb * _MB:
        problems.append(f"{one.name} used {vital.memory_bytes // _MB} MB of memory, more than {memory_mb} MB")
    return tuple(problems)


def _line(one: Running) -> str:
    vital = one.vital
    if vital is None or not vital.is_running:
        return f"{one.name}: does not run"
    parts = [f"{one.name}: runs"]
    if vital.memory_bytes >= 0:
        of = f" of {vital.limit_bytes // _MB}" if vital.limit_bytes > 0 else ""
        parts.append(f"{vital.memory_bytes // _MB}{of} MB")
    if vital.restarts > 0:
        parts.append(f"started again {vital.restarts} times in all")
    if vital.limit_bytes > 0 and vital.memory_bytes > vital.limit_bytes * _NEARLY:
        parts.append("nearly all that it may use")
    return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class SchedulerRole:
    """A role that keeps the schedule, and the hosts that it has."""

    name: str
    cmd: str
    hosts: tuple[str, ...]


def judge_scheduler(roles: Sequence[SchedulerRole], found: Mapping[str, HostVitals | None]) -> Answer:
    """Return whether each scheduler runs exactly once on all hosts together, whoever started it."""
    mute = sorted(host for host, vitals in found.items() if vitals is None)
    if mute:
        return failed(f"{', '.join(mute)} did not say what runs there, so nobody knows how many schedulers run")
    known = {host: vitals for host, vitals in found.items() if vitals is not None}
    problems: list[str] = []
    lines: list[str] = []
    for kind, pattern in SCHEDULERS.items():
        wanted = [role for role in roles if re.search(pattern, role.cmd)]
        seen = [_place(host, unit) for host, v in known.items() for name, unit in v.watched if name == kind]
        lines += [f"{kind}: {place}" for place in seen]
        problems += _count(kind, max(1, len(wanted)) if wanted or seen else 0, seen)
    for role in roles:
        if not any(re.search(pattern, role.cmd) for pattern in SCHEDULERS.values()):
            units = [(h, u) for h, v in known.items() for u in v.units if u.role == role.name and u.is_running]
            seen = [_place(host, unit.name) for host, unit in units]
            lines += [f"{role.name}: {place}" for place in seen]
            problems += _count(f"`{role.name}`", 1, seen)
    if problems:
        return failed(problems[0], *problems[1:], *lines, next="`shipway app stale_containers` lists what is left over")
    return passed(*lines) if lines else skipped("no role keeps a schedule")


def _count(kind: str, wanted: int, seen: Sequence[str]) -> Sequence[str]:
    if len(seen) == wanted:
        return ()
    if len(seen) < wanted:
        return (f"no scheduler ran: {kind} is on no host" if not seen else f"{len(seen)} of {wanted} {kind} ran",)
    places = ", ".join(f"{place} ({n} times)" if n > 1 else place for place, n in Counter(seen).items())
    return (f"{len(seen)} schedulers ran, where there must be {wanted}: {kind} is {places}",)


def _place(host: str, unit: str) -> str:
    return f"{unit} on {host}" if unit else f"a process on {host} that no unit has started"
