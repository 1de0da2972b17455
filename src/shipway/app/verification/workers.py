"""The workers of the release, asked through their broker, and compared with what their hosts say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from shipway.app.verification.inside import START_S, ask_inside, mark
from shipway.app.verification.processes import vitals_everywhere
from shipway.app.verification.run import Batch
from shipway.app.verification.subject import Subject
from shipway.config.verify_inside import WorkersCheck
from shipway.core.unit import Unit
from shipway.core.vital import HostVitals
from shipway.django.inside_source import InsideOptions
from shipway.verification.outcome import Answer, Check
from shipway.verification.table import WORKERS, On, all_on, keys_of
from shipway.verification.workers import (
    TITLES,
    Asked,
    Expected,
    asked_of,
    framework_of,
    judge_alive,
    judge_probe,
    judge_queues,
    judge_tasks,
)

_JUDGES: Mapping[str, Callable[[Asked], Answer]] = {
    "workers": judge_alive,
    "tasks": judge_tasks,
    "probe_task": judge_probe,
    "queues": judge_queues,
}
_VITALS_S = 20.0
_TRACK = "verify-workers"


async def worker_batches(subject: Subject) -> Sequence[Batch]:
    """Return the checks of workers: a batch for each framework whose workers can be asked."""
    on = all_on(subject.wanted, WORKERS)
    units: dict[str, list[Unit]] = {}
    for unit in subject.context.site.units(subject.release, subject.version):
        if unit.kind == "worker" and (framework := framework_of(unit.cmd)):
            units.setdefault(framework, []).append(unit)
    return [_batch(Crew(subject, name, tuple(found), on)) for name, found in units.items()] if on else []


@dataclass(frozen=True, slots=True)
class Crew:
    """The workers of one framework, and what is asked of them."""

    subject: Subject
    framework: str
    units: tuple[Unit, ...]
    on: tuple[On, ...]

    @property
    def keys(self) -> WorkersCheck:
        """The keys that all of its checks share."""
        return keys_of(self.on, WorkersCheck)

    @property
    def seconds(self) -> float:
        """In how many seconds the probe must be done."""
        return float(self.keys.within or self.on[0].limit_s)

    def options(self, expected: Sequence[Expected] = ()) -> InsideOptions:
        """Return what is asked inside, with what is known of the workers from their hosts."""
        vitals = [one.vital for one in expected if one.vital is not None and one.vital.is_running]
        alone = all(one.is_alone for one in expected)
        return InsideOptions(
            mark=mark(),
            want=("workers",),
            frameworks=(self.framework,),
            units=len(vitals) or len(self.units),
            machines=tuple(sorted({vital.machine for vital in vitals})),
            pids=() if alone else tuple(pid for vital in vitals for pid in vital.pids),
            tasks=self.keys.tasks,
            queues=self.keys.queues,
            probe=self.keys.probe or "",
            ask_s=self.on[0].limit_s,
            probe_s=self.seconds,
        )

    async def ask(self) -> Asked | Answer:
        """Return what the workers told, or the answer where nobody could be asked."""
        found = await vitals_everywhere(self.subject, _TRACK)
        expected = tuple(_expected(unit, found.get(unit.host)) for unit in self.units)
        inside = await ask_inside(self.subject, self.units[0], self.options(expected), _TRACK)
        return asked_of(inside, Asked(self.framework, expected, None, self.seconds, self.keys.most_waiting))


def _expected(unit: Unit, vitals: HostVitals | None) -> Expected:
    vital = vitals.of(unit.role, unit.release) if vitals else None
    return Expected(unit, vital, is_alone=bool(vital and vitals and vital.machine != vitals.machine))


def _batch(crew: Crew) -> Batch:
    longest_s = crew.options().limit_s + _VITALS_S + START_S
    checks = {one.at("", TITLES[crew.framework], longest_s): one.kind for one in crew.on}

    async def ask(asked: Sequence[Check]) -> Mapping[Check, Answer]:
        told = await crew.ask()
        return {check: told if isinstance(told, Answer) else _JUDGES[checks[check]](told) for check in asked}

    return Batch(tuple(checks), ask)
