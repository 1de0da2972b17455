"""The stages that deploy and rollback share: start, switch, hand over the scheduler, retire, clean up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from shipway.core.action import Command
from shipway.core.facts import Facts
from shipway.core.step import Plan, Stage, Step, Verb
from shipway.core.unit import Kind, Unit
from shipway.planning.history import base_release, by_number, is_kamals, live_on, version_of
from shipway.planning.schedule import hand_over_schedule
from shipway.planning.site import Site, Target
from shipway.planning.takeover import take_over

Track = tuple[Step, ...]


def stage(title: str, tracks: Iterable[Track], *, width: int = 0, commits: bool = False) -> tuple[Stage, ...]:
    """Return one stage, or nothing when no track has a step (a stage that commits always stands)."""
    kept = tuple(track for track in tracks if track)
    return (Stage(title, kept, width, commits),) if kept or commits else ()


def roll_out(site: Site, facts: Facts, release: str, version: str, *, workers_first: bool = False) -> tuple[Stage, ...]:
    """Return the stages that bring a release that is whole on every host into service, and the old ones out of it.

    Everything up to the commit can be undone while the old release still runs everywhere: new units start beside the
    old ones on all hosts, then all hosts switch. Old units are stopped only when nobody needs a way back any more.
    What is to be verified is looked at while all of that can still be undone.
    With `workers_first` old workers end before the switch: the new release asks for tasks that they do not know. New
    ones have taken over by then, and a failure starts the old ones again.
    """
    scheduler = tuple(_hand_over(site, facts, release, version))
    schedule = tuple(hand_over_schedule(site, facts, release, base_release(site, facts)))
    hand_over = (*scheduler, *schedule)
    verified = verification(site, release)
    retired: tuple[Kind, ...] = ("web",) if workers_first else ("web", "worker")
    return (
        *_start(site, release, version),
        *take_over(site, facts),
        *(stage("Old workers end", _retire_tracks(site, facts, release, ("worker",))) if workers_first else ()),
        *stage(
            f"Switch to {release}",
            (_switch_track(site, facts, t, release, version) for t in site.targets),
            width=site.boot_width,
            commits=not hand_over and not verified,
        ),
        *(stage(_hand_over_title(scheduler), (hand_over,), commits=not verified) if hand_over else ()),
        *verified,
        *stage("Retire what served before", _retire_tracks(site, facts, release, retired)),
        *stage("Settle", (target.runtime.finish_steps(release, version) for target in site.targets)),
    )


def verification(site: Site, release: str) -> tuple[Stage, ...]:
    """Return the stage in which whoever runs the plan looks whether `release` does what it must; it commits.

    What Kamal started is not asked: its containers name no release, and have nothing of ours inside.
    """
    if not site.verifies or is_kamals(release):
        return ()
    return (Stage(f"Verify {release}", (), commits=True, verifies=site.verifies),)


def _start(site: Site, release: str, version: str) -> tuple[Stage, ...]:
    """Start everything but the scheduler. One release that does not work is not started on twenty hosts at once."""
    units = [unit for unit in site.units(release, version) if unit.kind != "scheduler"]
    first = [unit for unit in units if (unit.role, unit.host) == (site.gate, site.primary)]
    is_gated = bool(first) and any(unit.host != site.primary for unit in units)
    rest = [unit for unit in units if not is_gated or unit not in first]
    gate = (site.target(unit.host).runtime.start_steps(unit) for unit in first) if is_gated else ()
    return (
        *stage(f"Start {release} on {site.primary}, before the others", gate),
        *_start_groups(site, release, tuple(dict.fromkeys(unit.host for unit in units)), rest),
    )


def _start_groups(site: Site, release: str, hosts: tuple[str, ...], units: Sequence[Unit]) -> Iterator[Stage]:
    """Yield a stage for each group of `boot_width` hosts, and a pause between two where one is wanted.

    A group is a stage, since hooks stand around it; the host that was started before the others belongs to the first.
    """
    size = site.boot_width or max(1, len(hosts))
    groups = [hosts[at : at + size] for at in range(0, len(hosts), size)]
    for group in groups:
        where = f" on {', '.join(group)}" if len(groups) > 1 else ""
        tracks = _start_tracks(site, [unit for unit in units if unit.host in group])
        yield from stage(f"Start {release}{where}", tracks, width=site.boot_width)
        if site.boot_wait_s and group is not groups[-1]:
            yield from stage(f"Wait {site.boot_wait_s:g} s after {group[-1]}", (_pause(group[0], site.boot_wait_s),))


def _start_tracks(site: Site, units: Iterable[Unit]) -> Iterator[Track]:
    """Yield a track for each unit, or for each host where its roles start in turn or hosts go in groups."""
    by_host: dict[str, list[Track]] = {}
    for unit in units:
        by_host.setdefault(unit.host, []).append(site.target(unit.host).runtime.start_steps(unit))
    for tracks in by_host.values():
        if site.boot_width or site.in_turn:
            yield tuple(step for track in tracks for step in track)
        else:
            yield from tracks


def _pause(host: str, wait_s: float) -> Track:
    return (
        Step(
            id=f"{host}/wait-before-the-next",
            title=f"wait {wait_s:g} s before the next hosts",
            host=host,
            do=(Command(("sleep", f"{wait_s:g}"), limit_s=wait_s + 30),),
            repeatable=True,
            harmless=True,
        ),
    )


def _switch_track(site: Site, facts: Facts, target: Target, release: str, version: str) -> Track:
    if target.proxy is None:
        return ()
    live = live_on(site, facts.of(target.host))
    steps: list[Step] = []
    for unit in site.units(release, version, host=target.host):
        if unit.proxied:
            endpoint = target.runtime.endpoint(unit)
            steps += target.proxy.switch_steps(unit.role, endpoint, live.get(unit.role, ""))
    return tuple(steps)


def _hand_over(site: Site, facts: Facts, release: str, version: str) -> Iterator[Step]:
    """Stop every old scheduler on every host, then start the new one: never two at once, at the price of a pause."""
    for unit in _running(site, facts):
        if unit.kind == "scheduler" and unit.release != release:
            yield from site.target(unit.host).runtime.stop_steps(unit)
    for unit in site.units(release, version):
        if unit.kind == "scheduler":
            yield from site.target(unit.host).runtime.start_steps(unit)


def _hand_over_title(scheduler: Track) -> str:
    return "Hand over the scheduler" if scheduler else "Hand over the schedule"


def _retire_tracks(site: Site, facts: Facts, release: str, kinds: Sequence[Kind]) -> Iterator[Track]:
    for unit in _running(site, facts):
        if unit.release == release or unit.kind not in kinds:
            continue
        target = site.target(unit.host)
        drain: Track = ()
        if unit.proxied and target.proxy is not None:
            drain = target.proxy.drain_steps(unit.role, target.runtime.endpoint(unit), site.drain_s)
        yield (*drain, *target.runtime.stop_steps(unit))


def _running(site: Site, facts: Facts) -> Iterator[Unit]:
    for host in facts.hosts:
        for role, release in sorted(host.running):
            yield site.unit(role, host.host, release)


def clean_up(site: Site, facts: Facts, keep: Iterable[str]) -> tuple[Stage, ...]:
    """Return the stage that removes old releases and the remains of failed ones, never one of `keep`.

    The newest `site.retain` releases stay, counting those of `keep`.
    """
    kept = frozenset(keep)
    return stage("Clean up", (_clean_track(site, facts, target, kept) for target in site.targets))


def _clean_track(site: Site, facts: Facts, target: Target, keep: frozenset[str]) -> Track:
    host = facts.of(target.host)
    room = max(0, site.retain - len(keep))
    others = [r for r in by_number(host.releases) if r not in keep]
    old = others[: max(0, len(others) - room)]
    steps: list[Step] = []
    for release in by_number([*old, *host.leftovers]):
        if release not in keep:
            roles = sorted({role.name for role in site.roles} | {role for role, r in host.running if r == release})
            steps += target.runtime.remove_steps(release, roles)
    return tuple(steps)


def per_host(site: Site, steps: Callable[[Target], Iterable[Step]]) -> Iterator[Track]:
    """Yield one track per host."""
    for target in site.targets:
        yield tuple(steps(target))


def plan_in_place(site: Site, facts: Facts, run: str, verb: Verb, stages: tuple[Stage, ...]) -> Plan:
    """Return a plan that acts on what serves, and brings no other release."""
    base = base_release(site, facts)
    return Plan(
        run=run,
        verb=verb,
        service=site.service,
        release=base,
        version=version_of(base, facts.primary.records),
        base=base,
        primary=site.primary,
        stages=stages,
    )
