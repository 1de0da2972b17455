"""The schedule of a release: written with it, put in force when it is switched to, taken out of force with it.

A release carries its own schedule, so that a rollback brings back the commands that its code has. Hosts that lose a job
come first, so that no job is due on two hosts at any moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shipway.core.facts import Facts
from shipway.core.job import Job
from shipway.core.step import Step
from shipway.planning.history import is_kamals
from shipway.planning.site import Site, Target
from shipway.runtimes.schedule import Scheduling

NOTHING = "-"
"""Stands for a release where a host has had a schedule and has none in force."""


def is_paused(facts: Facts) -> bool:
    """Return whether a host has had a schedule and has none in force."""
    return any(host.schedule == NOTHING for host in facts.hosts)


def scheduling(site: Site, target: Target) -> Scheduling:
    """Return what keeps the schedule of `target`."""
    return Scheduling(target.layout, site.schedule_ways.get(target.host, "auto"))


def describe_steps(site: Site, target: Target, release: str, version: str) -> tuple[Step, ...]:
    """Return the step that writes the schedule of a release on one host, and asks whether it can be kept there."""
    if not site.schedule:
        return ()
    jobs = [(job, _words(site, target, job, release, version)) for job in site.schedule]
    names = [job.name for job, argv in jobs if argv]
    return (
        Step(
            id=f"{target.host}/describe-schedule-{release}",
            title=f"write the schedule of {release}: {', '.join(names) or 'nothing here'}",
            host=target.host,
            do=scheduling(site, target).describe(release, jobs),
            repeatable=True,
            harmless=True,  # it stands in the directory of the release
        ),
    )


def _words(site: Site, target: Target, job: Job, release: str, version: str) -> tuple[str, ...]:
    if target.host not in job.hosts:
        return ()
    unit = site.unit(job.role, target.host, release, version)
    return target.runtime.one_off(unit, ("python", site.manage, *job.command)).argv


def hand_over_schedule(site: Site, facts: Facts, release: str, base: str) -> Iterator[Step]:
    """Yield the steps that put the schedule of `release` in force in the place of that of `base`, host by host."""
    for target in sorted(_concerned(site, facts), key=lambda one: any(one.host in job.hosts for job in site.schedule)):
        keep = scheduling(site, target)
        yield Step(
            id=f"{target.host}/schedule-{release}",
            title=f"put the schedule of {release} in force",
            host=target.host,
            do=keep.activate("" if is_kamals(release) else release),
            undo=keep.activate("" if is_kamals(base) else base),
            repeatable=True,
        )


def _concerned(site: Site, facts: Facts) -> Iterator[Target]:
    """Yield the targets that have a schedule, or are to get one."""
    for target in site.targets:
        if facts.of(target.host).schedule or any(target.host in job.hosts for job in site.schedule):
            yield target


def pause_steps(site: Site, facts: Facts, base: str, hosts: Iterable[str] = ()) -> Iterator[Step]:
    """Yield the steps that take the schedule out of force where one is, on `hosts` or on all."""
    wanted = frozenset(hosts)
    for target in site.targets:
        if facts.of(target.host).schedule in ("", NOTHING) or (wanted and target.host not in wanted):
            continue
        keep = scheduling(site, target)
        yield Step(
            id=f"{target.host}/pause-schedule",
            title="stop the schedule, and let end what runs of it",
            host=target.host,
            do=keep.pause(site.drain_s),
            undo=keep.activate("" if is_kamals(base) else base),
            repeatable=True,
        )


def clear_steps(site: Site, facts: Facts, target: Target) -> tuple[Step, ...]:
    """Return the step that takes the schedule off one host."""
    if not facts.of(target.host).schedule:
        return ()
    return (
        Step(
            id=f"{target.host}/clear-schedule",
            title="remove the schedule",
            host=target.host,
            do=scheduling(site, target).clear(),
            repeatable=True,
            harmless=True,
        ),
    )


def left_behind(site: Site, facts: Facts) -> tuple[str, ...]:
    """Return a note for each host that is not in the configuration any more, and has jobs in force as far as is known.

    Whoever took a host out may have no way to it any more, so that it is told and does not end the deploy.
    """
    known = {target.host for target in site.targets}
    gone = sorted({host for one in facts.hosts for host in one.schedule_hosts if host not in known})
    where = site.targets[0].layout
    return tuple(
        f"warning: {host} had jobs of the schedule and is in the configuration no more: they go on there, too,"
        f" until `python3 {where.schedule_script} clear {where.home}` is run on it"
        for host in gone
    )
