"""Tasks that cross from one release to the next: what the new workers cannot do, and who must stop first."""

from __future__ import annotations

from dataclasses import dataclass

from shipway.core.errors import Finding, Refused
from shipway.core.task import Known, Queued
from shipway.planning.history import is_kamals
from shipway.planning.site import Site, TaskPolicy
from shipway.tasks.compare import AtRisk, Stuck, at_risk, stuck, total, unknown_beats

_NAMED = 3


@dataclass(frozen=True, slots=True)
class TaskRules:
    """What the team allows, for how long queued tasks are waited for, and the command to give again."""

    policy: TaskPolicy = "wait"
    limit_s: float = 300.0
    command: str = "shipway deploy"

    @classmethod
    def of(cls, site: Site, command: str) -> TaskRules:
        """Return those of a site."""
        return cls(site.tasks, site.tasks_limit_s, command)


@dataclass(frozen=True, slots=True)
class Crossing:
    """What two releases are to each other's tasks.

    `stuck` waits now, and the workers to come cannot do it. With `workers_first` the old workers stop before the
    switch, since the new release may ask for what they do not know. `notes` is what a person should know.
    """

    stuck: tuple[Stuck, ...] = ()
    workers_first: bool = False
    notes: tuple[str, ...] = ()


def has_workers(site: Site) -> bool:
    """Return whether any role does tasks."""
    return any(role.kind == "worker" for role in site.roles)


def cross(new: Known, old: Known | None, queued: Queued, names: tuple[str, str]) -> Crossing:
    """Return what it means to go from the tasks `old` (None: not known) to `new`; `names` are the releases from, to."""
    before, after = names
    left = stuck(new, queued, old)
    risky = at_risk(old, new) if old is not None else ()
    # What Kamal started is not stopped where it might have to be started again by us.
    early = not is_kamals(before) if old is None else bool(at_risk(new, old))
    notes = []
    if risky:
        notes.append(
            f"warning: what {before} still asks for until the switch, the workers of {after} cannot do: {_names(risky)}"
        )
    for framework, why in sorted(queued.unread.items()):
        if risky or old is None:
            notes.append(f"warning: what waits in the queues of {framework} is not known: {why}")
    return Crossing(left, early and bool(new.registries), tuple(notes))


def _names(found: tuple[AtRisk, ...]) -> str:
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(str(one) for one in found[:_NAMED]) + more


def too_short(site: Site, known: Known) -> tuple[str, ...]:
    """Return a note for each role of workers that is killed before its longest task may have ended."""
    return tuple(
        f"warning: a task may run for {known.longest_s:.0f} s, and {role.name} is killed {role.stop_s:.0f} s after it"
        f" is asked to end: servers/{role.name}/stop_timeout"
        for role in site.roles
        if role.kind == "worker" and known.longest_s > role.stop_s
    )


def check_schedule(site: Site, known: Known, release: str, rules: TaskRules) -> None:
    """Raise Refused where the schedule of `release` asks for tasks that it does not have."""
    names = unknown_beats(known)
    if not names or rules.policy == "ignore" or not any(role.kind == "scheduler" for role in site.roles):
        return
    raise Refused(
        "tasks.unknown_beat",
        f"the schedule of {release} asks for tasks that its workers do not know: {', '.join(names[:_NAMED])}",
        where="beat_schedule",
        next="correct the names, or import the module that has them",
    )


def undrainable(found: tuple[Stuck, ...], rules: TaskRules) -> bool:
    """Return whether waiting is useless: the team does not wait, or a message is due after the limit."""
    return rules.policy == "refuse" or any(one.due_s > rules.limit_s for one in found)


def refusal(found: tuple[Stuck, ...], names: tuple[str, str], rules: TaskRules, waited_s: float = 0) -> Refused:
    """Return why the release does not start."""
    before, after = names
    waited = f" after {waited_s:.0f} s" if waited_s else ""
    return Refused(
        "tasks.incompatible",
        f"{total(found)} queued tasks of {before} are still there{waited}, and the workers of {after} cannot do them",
        where=f"release.tasks: {rules.policy}",
        next=f"keep the old names and arguments for one release, or `{rules.command}` again when the queue is empty",
        findings=tuple(Finding("tasks.stuck", str(one), level="error") for one in found),
    )
