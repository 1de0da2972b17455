"""`app start`, `stop`, `stale_containers --stop` and `remove`: the processes of releases that are there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from shipway.core.errors import Refused
from shipway.core.facts import Facts
from shipway.core.step import Plan, Stage, Step
from shipway.core.unit import Unit
from shipway.planning.history import base_release, by_number, last_good, version_of, whole_everywhere
from shipway.planning.schedule import hand_over_schedule, is_paused, pause_steps
from shipway.planning.site import Site, Target
from shipway.planning.stages import plan_in_place, stage

Track = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Which hosts and roles are meant."""

    hosts: Collection[str]
    roles: Collection[str]

    def has(self, unit: Unit) -> bool:
        """Whether `unit` belongs to it."""
        return unit.host in self.hosts and unit.role in self.roles


def plan_app_start(site: Site, facts: Facts, run: str, part: Part) -> Plan:
    """Return the plan that starts what should run of the release that serves, or served last, and sends traffic to it.

    Raises Refused where there is no release to start.
    """
    release = base_release(site, facts) or last_good(facts.primary.records, "", whole_everywhere(facts))
    if not release:
        raise Refused(
            "app.nothing_to_start",
            f"no release of {site.service} is there to be started",
            next="`shipway deploy` makes one",
        )
    version = version_of(release, facts.primary.records)
    units = [unit for unit in site.units(release, version) if part.has(unit)]
    idle = [unit for unit in units if (unit.role, release) not in facts.of(unit.host).running]
    is_whole = all(_is_whole(site, target, part) and target.host in part.hosts for target in site.targets)
    schedule = tuple(hand_over_schedule(site, facts, release, "")) if is_whole and is_paused(facts) else ()
    stages = (
        *stage(f"Start {release}", (site.target(unit.host).runtime.start_steps(unit) for unit in idle)),
        *stage(f"Switch to {release}", (_switch(site, facts, unit) for unit in units)),
        *stage("Put the schedule in force", (schedule,)),
    )
    return plan_in_place(site, facts, run, "app start", stages)


def plan_app_stop(site: Site, facts: Facts, run: str, part: Part) -> Plan:
    """Return the plan that stops what runs. The proxy remembers the release, and answers with an error meanwhile."""
    units = [unit for unit in running_units(site, facts) if part.has(unit)]
    tracks = (site.target(unit.host).runtime.stop_steps(unit) for unit in units)
    stages = (*_pause(site, facts, part), *stage("Stop the application", tracks))
    return plan_in_place(site, facts, run, "app stop", stages)


def plan_stop_stale(site: Site, facts: Facts, run: str, part: Part) -> Plan:
    """Return the plan that stops what runs and is not of the release that serves."""
    tracks = (site.target(unit.host).runtime.stop_steps(unit) for unit in stale_units(site, facts) if part.has(unit))
    return plan_in_place(site, facts, run, "app stale_containers", stage("Stop what does not serve", tracks))


def plan_app_remove(site: Site, facts: Facts, run: str, part: Part) -> Plan:
    """Return the plan that stops the application and removes its releases.

    Releases go where all roles of a host are meant; else what was chosen is only stopped.
    """
    units = [unit for unit in running_units(site, facts) if part.has(unit)]
    stops = (site.target(unit.host).runtime.stop_steps(unit) for unit in units)
    whole = [target for target in site.targets if target.host in part.hosts and _is_whole(site, target, part)]
    stages = (
        *_pause(site, facts, part),
        *stage("Stop the application", stops, commits=True),
        *stage("Remove its releases", (_removal(site, facts, target) for target in whole)),
    )
    return plan_in_place(site, facts, run, "app remove", stages if any(one.tracks for one in stages) else ())


def running_units(site: Site, facts: Facts) -> Iterator[Unit]:
    """Yield what runs, with the version of its release where the ledger knows it."""
    for host in facts.hosts:
        for role, release in sorted(host.running):
            yield site.unit(role, host.host, release, version_of(release, facts.primary.records))


def stale_units(site: Site, facts: Facts) -> Iterator[Unit]:
    """Yield what runs and is not of the release that serves; nothing while no release is known to serve."""
    base = base_release(site, facts)
    return (unit for unit in running_units(site, facts) if base and unit.release != base)


def on_hosts(site: Site, hosts: Collection[str], steps: Callable[[Target], Iterable[Step]]) -> Iterator[Track]:
    """Yield a track for each of `hosts`."""
    for target in site.targets:
        if target.host in hosts:
            yield tuple(steps(target))


def _pause(site: Site, facts: Facts, part: Part) -> tuple[Stage, ...]:
    """Return the stage that stops the schedule on the hosts where all roles are meant and one is in force."""
    hosts = [target.host for target in site.targets if target.host in part.hosts and _is_whole(site, target, part)]
    steps = pause_steps(site, facts, base_release(site, facts), hosts) if hosts else ()
    return stage("Stop the schedule", ((step,) for step in steps))


def _switch(site: Site, facts: Facts, unit: Unit) -> Track:
    target = site.target(unit.host)
    endpoint = target.runtime.endpoint(unit) if unit.proxied else ""
    live = facts.of(unit.host).live.get(unit.role, "")
    if target.proxy is None or not unit.proxied or live == endpoint:
        return ()
    return target.proxy.switch_steps(unit.role, endpoint, live)


def _is_whole(site: Site, target: Target, part: Part) -> bool:
    return all(role.name in part.roles for role in site.roles if target.host in role.hosts)


def _removal(site: Site, facts: Facts, target: Target) -> Track:
    host = facts.of(target.host)
    roles = sorted({role.name for role in site.roles} | {role for role, _ in host.running})
    names = by_number([*host.releases, *host.leftovers, *(release for _, release in host.running)])
    return tuple(step for name in names for step in target.runtime.remove_steps(name, roles))
