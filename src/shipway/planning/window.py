"""A release behind the maintenance page: for migrations that neither the old code nor the new one lives with.

The stop of the old release is a point of no return of its own: what comes after it may leave a database on which the
old code does not run, so it is never started again by an undo.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shipway.core.facts import Facts
from shipway.core.step import Plan, Stage, Step
from shipway.planning.history import live_on
from shipway.planning.schedule import hand_over_schedule, pause_steps
from shipway.planning.site import Site
from shipway.planning.stages import stage, verification

MESSAGE = "The site is being changed and is back in a moment."


@dataclass(frozen=True, slots=True)
class Closed:
    """What is done while the site is closed: the backup, while all can still be taken back, and the migrations."""

    backup: tuple[Step, ...]
    migrate: tuple[Step, ...]


def roll_out_closed(site: Site, facts: Facts, first: Plan, closed: Closed) -> tuple[Stage, ...]:
    """Return the stages that close the site, stop what runs, migrate, start and switch, and open the site again.

    `first` is the first part of the plan. Jobs of the schedule end before the database is changed under them.
    """
    release, version, base = first.release, first.version, first.base
    schedule = tuple(hand_over_schedule(site, facts, release, base))
    return (
        *stage("Close the site", _maintenance(site, facts, on=True)),
        *stage("Stop the schedule", ((step,) for step in pause_steps(site, facts, base))),
        *stage("Back up the database", (closed.backup,)),
        *stage("Stop what served before", _stop(site, facts), commits=True),
        *stage("Migrate the database", (closed.migrate,)),
        *stage(f"Start {release}", _start(site, release, version)),
        *stage(f"Switch to {release}", _switch(site, facts, release, version), commits=True),
        *stage("Hand over the schedule", (schedule,)),
        *stage("Open the site", _maintenance(site, facts, on=False)),
        *verification(site, release),
        *stage("Settle", (target.runtime.finish_steps(release, version) for target in site.targets)),
    )


def _maintenance(site: Site, facts: Facts, *, on: bool) -> Iterator[tuple[Step, ...]]:
    """Yield what closes or opens the site; a host that somebody closed before stays as it is."""
    for target in site.targets:
        if target.proxy is not None and not facts.of(target.host).is_in_maintenance:
            yield target.proxy.maintenance_steps(on=on, message=MESSAGE if on else "")


def _stop(site: Site, facts: Facts) -> Iterator[tuple[Step, ...]]:
    for host in facts.hosts:
        for role, release in sorted(host.running):
            unit, target = site.unit(role, host.host, release), site.target(host.host)
            drain: tuple[Step, ...] = ()
            if unit.proxied and target.proxy is not None:
                drain = target.proxy.drain_steps(unit.role, target.runtime.endpoint(unit), site.drain_s)
            yield (*drain, *target.runtime.stop_steps(unit))


def _start(site: Site, release: str, version: str) -> Iterator[tuple[Step, ...]]:
    for unit in site.units(release, version):
        yield site.target(unit.host).runtime.start_steps(unit)


def _switch(site: Site, facts: Facts, release: str, version: str) -> Iterator[tuple[Step, ...]]:
    for target in site.targets:
        live = live_on(site, facts.of(target.host))
        for unit in site.units(release, version, host=target.host):
            if unit.proxied and target.proxy is not None:
                endpoint = target.runtime.endpoint(unit)
                yield target.proxy.switch_steps(unit.role, endpoint, live.get(unit.role, ""))
