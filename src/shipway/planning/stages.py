"""The stages that deploy and rollback share: start, switch, hand over the scheduler, retire, clean up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from shipway.core.facts import Facts
from shipway.core.step import Stage, Step
from shipway.core.unit import Unit
from shipway.planning.history import by_number, live_on
from shipway.planning.site import Site, Target
from shipway.planning.takeover import take_over

Track = tuple[Step, ...]


def stage(title: str, tracks: Iterable[Track], *, width: int = 0, commits: bool = False) -> tuple[Stage, ...]:
    """Return one stage, or nothing when no track has a step (a stage that commits always stands)."""
    kept = tuple(track for track in tracks if track)
    return (Stage(title, kept, width, commits),) if kept or commits else ()


def roll_out(site: Site, facts: Facts, release: str, version: str) -> tuple[Stage, ...]:
    """Return the stages that bring a release that is whole on every host into service, and the old ones out of it.

    Everything up to the commit can be undone while the old release still runs everywhere: new units start beside the
    old ones on all hosts, then all hosts switch. Old units are stopped only when nobody needs a way back any more.
    """
    hand_over = tuple(_hand_over(site, facts, release, version))
    return (
        *stage(f"Start {release}", _start_tracks(site, release, version), width=site.boot_width),
        *take_over(site, facts),
        *stage(
            f"Switch to {release}",
            (_switch_track(site, facts, t, release, version) for t in site.targets),
            width=site.boot_width,
            commits=not hand_over,
        ),
        *(stage("Hand over the scheduler", (hand_over,), commits=True) if hand_over else ()),
        *stage("Retire what served before", _retire_tracks(site, facts, release)),
    )


def _start_tracks(site: Site, release: str, version: str) -> Iterator[Track]:
    for target in site.targets:
        units = [u for u in site.units(release, version, host=target.host) if u.kind != "scheduler"]
        tracks = [target.runtime.start_steps(unit) for unit in units]
        if site.boot_width:
            yield tuple(step for track in tracks for step in track)
        else:
            yield from tracks


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


def _retire_tracks(site: Site, facts: Facts, release: str) -> Iterator[Track]:
    for unit in _running(site, facts):
        if unit.release == release or unit.kind == "scheduler":
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
    old = others[: len(others) - room] if room else others
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
