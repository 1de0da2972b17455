"""Queued tasks in a deploy and a rollback: asked in the release whose workers are to come, and waited for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from shipway.app.ask_release import Recorded, ask_release
from shipway.app.context import Context
from shipway.core.errors import Interrupted
from shipway.core.task import Known, Queued
from shipway.core.unit import Unit
from shipway.django.probe_source import ProbeOptions
from shipway.django.report import Report
from shipway.django.strict import Malformed
from shipway.django.task_codec import parse_known, parse_queued
from shipway.engine.world import StopRequest
from shipway.planning.tasks import (
    Crossing,
    TaskRules,
    check_schedule,
    cross,
    has_workers,
    refusal,
    too_short,
    undrainable,
)
from shipway.tasks.compare import total

ROUND_S = 15.0
"""How long one look waits inside the release: a Ctrl-C is heard, and progress told, between two of them."""


def _mute(_text: str) -> None:
    """Say nothing."""


@dataclass(slots=True)
class Talk:
    """How a wait is told, and ended: set when the run begins."""

    say: Callable[[str], None] = _mute
    stop: StopRequest = field(default_factory=StopRequest)


@dataclass(frozen=True, slots=True)
class TaskGate:
    """Whether the tasks that wait when `unit` replaces what serves can be done by its workers."""

    context: Context
    unit: Unit
    rules: TaskRules
    talk: Talk = field(default_factory=Talk)

    async def settle(self, report: Report, base: Recorded) -> Crossing:
        """Return what the deploy must know, once nothing waits that the new workers cannot do.

        Raises Refused `tasks.incompatible` and `tasks.unknown_beat`, Interrupted when somebody asks to stop.
        """
        site, rules = self.context.site, self.rules
        if not base.release or not has_workers(site):
            return Crossing()
        new, old = known_of(report), _recorded(base)
        if unread := _unread(report, self.unit.release):
            return unread
        check_schedule(site, new, self.unit.release, rules)
        found = cross(new, old, _queued(report), self._names(base))
        found = replace(found, notes=(*found.notes, *too_short(site, new)))
        if not found.stuck:
            return found
        if rules.policy == "ignore":
            lost = tuple(f"warning: lost: {one}" for one in found.stuck)
            return Crossing((), found.workers_first, (*found.notes, *lost))
        drained = await self._drain(found, new, old, base)
        return replace(drained, notes=found.notes)

    async def _drain(self, found: Crossing, new: Known, old: Known | None, base: Recorded) -> Crossing:
        """Wait until the old workers have done what the new ones cannot. Raises Refused and Interrupted."""
        clock, names = self.context.clock, self._names(base)
        begun = clock.monotonic()
        while found.stuck:
            waited_s = clock.monotonic() - begun
            left_s = self.rules.limit_s - waited_s
            if left_s <= 0 or undrainable(found.stuck, self.rules):
                raise refusal(found.stuck, names, self.rules, waited_s)
            if self.talk.stop.is_set:
                raise Interrupted("run.interrupted", "stopped on request while queued tasks were waited for")
            listed = "; ".join(str(one) for one in found.stuck[:3])
            self.talk.say(f"Waiting for {total(found.stuck)} queued tasks, {left_s:.0f} s at most: {listed}")
            watch = tuple((one.framework, one.name) for one in found.stuck)
            asked = ProbeOptions(want=("tasks", "queued"), wait_s=min(ROUND_S, left_s), watch=watch)
            report = await ask_release(self.context.site, self.context.transport, self.unit, asked)
            found = cross(new, old, _queued(report), names)
        return found

    def _names(self, base: Recorded) -> tuple[str, str]:
        return base.release, self.unit.release


def crossing_back(report: Report, serving: Recorded, release: str) -> Crossing:
    """Return what a rollback to `release` means to the tasks that wait now: its old workers are to do them."""
    if unread := _unread(report, release):
        return unread
    return cross(known_of(report), _recorded(serving), _queued(report), (serving.release, release))


def _unread(report: Report, release: str) -> Crossing | None:
    """Return what is to be said where the release could not tell its tasks; None where it could."""
    fault = report.faults.get("tasks")
    if fault is None:
        return None
    return Crossing(notes=(f"warning: the tasks of {release} are not known: {fault.message}",))


def known_of(report: Report) -> Known:
    """Return the tasks of a release as it answered."""
    try:
        return parse_known(report.tasks)
    except Malformed:
        return Known()


def _recorded(base: Recorded) -> Known | None:
    """Return the tasks of a release as it recorded them, None when that is not known."""
    if base.manifest is None:
        return None
    try:
        return parse_known(base.manifest.tasks)
    except Malformed:
        return None


def _queued(report: Report) -> Queued:
    if fault := report.faults.get("queued"):
        return Queued(unread={"the project": fault.message})
    try:
        return parse_queued(report.queued)
    except Malformed as error:
        return Queued(unread={"the project": str(error)})
