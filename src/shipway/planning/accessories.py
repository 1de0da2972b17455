"""`plan_accessories`: what the verbs of accessories do to containers that are there, or are not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from shipway.core.facts import AccessoryFacts, Facts
from shipway.core.layout import Layout
from shipway.core.step import Plan, Stage, Step, Verb
from shipway.planning.history import base_release
from shipway.planning.site import Site
from shipway.planning.stages import Track, stage
from shipway.runtimes.docker import accessory_steps as steps
from shipway.runtimes.docker.accessory import AccessorySpec
from shipway.runtimes.docker.accessory_remove import remove_steps

Action = Literal["boot", "reboot", "start", "stop", "restart", "upgrade", "remove"]
_VERBS: Mapping[Action, Verb] = {
    "boot": "accessory boot",
    "reboot": "accessory reboot",
    "start": "accessory start",
    "stop": "accessory stop",
    "restart": "accessory restart",
    "upgrade": "accessory upgrade",
    "remove": "accessory remove",
}
POINT_OF_NO_RETURN = Stage("What follows cannot be taken back", (), commits=True)


@dataclass(frozen=True, slots=True)
class AccessoryTarget:
    """One accessory on one host, and where Shipway keeps its own things there."""

    layout: Layout
    spec: AccessorySpec


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which accessories are meant, and for what. `is_rolling`: one host after the other."""

    action: Action
    targets: tuple[AccessoryTarget, ...]
    is_rolling: bool = False


def plan_accessories(site: Site, facts: Facts, run: str, wanted: Wanted) -> Plan:
    """Return the plan that does `wanted.action` to accessories. What is so already is left out.

    Everything up to a new container that answers can be taken back; `remove` cannot.
    """
    specs = [target.spec for target in wanted.targets]
    base = base_release(site, facts)
    return Plan(
        run=run,
        verb=_VERBS[wanted.action],
        service=site.service,
        release="",
        version="",
        base=base,
        primary=site.primary,
        stages=tuple(_stages(wanted, specs, facts)),
        notes=tuple(_notes(wanted, specs, facts)),
    )


def _stages(wanted: Wanted, specs: Sequence[AccessorySpec], facts: Facts) -> Iterator[Stage]:
    match wanted.action:
        case "boot":
            yield from boot_stages(specs, facts)
        case "start":
            there = [spec for spec in specs if _of(facts, spec).is_there]
            yield from _by_host("Start accessories", there, lambda spec: _start(spec, _of(facts, spec)))
        case "stop":
            up = [spec for spec in specs if _of(facts, spec).is_running]
            yield from _by_host("Stop accessories", up, lambda spec: (steps.stop_step(spec),))
        case "restart":
            there = [spec for spec in specs if _of(facts, spec).is_there]
            yield from _by_host(
                "Restart accessories", there, lambda spec: (steps.restart_step(spec), steps.ready_step(spec))
            )
        case "reboot":
            yield from _reboot_stages(specs, facts, is_rolling=wanted.is_rolling)
        case "upgrade":
            old = [spec for spec in specs if _is_outside(spec, _of(facts, spec))]
            yield from _reboot_stages(old, facts, is_rolling=wanted.is_rolling)
        case "remove":
            yield POINT_OF_NO_RETURN
            yield from _by_host("Remove accessories", specs, remove_steps)


def boot_stages(specs: Sequence[AccessorySpec], facts: Facts) -> tuple[Stage, ...]:
    """Return the stages that start what does not run, and wait until all of it answers. What runs is left alone."""
    missing = [spec for spec in specs if not _of(facts, spec).is_running]
    new = [spec for spec in missing if not _of(facts, spec).is_there]
    return (
        *_by_host("Prepare the hosts of accessories", new, _network),
        *_by_host("Get the accessories ready to start", new, _prepare),
        *_by_host("Start accessories", missing, lambda spec: _start(spec, _of(facts, spec))),
    )


def _reboot_stages(specs: Sequence[AccessorySpec], facts: Facts, *, is_rolling: bool) -> Iterator[Stage]:
    yield from _by_host("Prepare the hosts of accessories", specs, _network)
    yield from _by_host(
        "Get the accessories ready to start",
        specs,
        lambda spec: (steps.place_step(spec), steps.pull_step(spec, is_fresh=True)),
    )
    replaced = _by_host(
        "Replace accessories", specs, lambda spec: _replace(spec, _of(facts, spec)), width=int(is_rolling)
    )
    yield from (Stage(one.title, one.tracks, one.width, commits=True) for one in replaced)
    aside = [spec for spec in specs if _of(facts, spec).is_there]
    yield from _by_host("Remove what was replaced", aside, lambda spec: (steps.drop_aside_step(spec),))


def _network(spec: AccessorySpec) -> Track:
    return (steps.network_step(spec.host, spec.network),)


def _prepare(spec: AccessorySpec) -> Track:
    return (steps.place_step(spec), steps.pull_step(spec, is_fresh=False))


def _start(spec: AccessorySpec, facts: AccessoryFacts) -> Track:
    start = steps.start_step(spec) if facts.is_there else steps.run_step(spec)
    return (start, steps.ready_step(spec))


def _replace(spec: AccessorySpec, facts: AccessoryFacts) -> Track:
    aside = (steps.set_aside_step(spec, facts),) if facts.is_there else ()
    return (*aside, steps.run_step(spec), steps.ready_step(spec))


def _by_host(
    title: str, specs: Iterable[AccessorySpec], steps_of: Callable[[AccessorySpec], Iterable[Step]], width: int = 0
) -> tuple[Stage, ...]:
    """Return one stage with a track per host; a step that several accessories of a host need stands once."""
    tracks: dict[str, dict[str, Step]] = {}
    for spec in specs:
        for step in steps_of(spec):
            tracks.setdefault(spec.host, {}).setdefault(step.id, step)
    return stage(title, (tuple(track.values()) for track in tracks.values()), width=width)


def _is_outside(spec: AccessorySpec, facts: AccessoryFacts) -> bool:
    return facts.is_there and spec.network not in facts.networks


def _of(facts: Facts, spec: AccessorySpec) -> AccessoryFacts:
    return facts.accessory(spec.name, spec.host)


def _notes(wanted: Wanted, specs: Sequence[AccessorySpec], facts: Facts) -> Iterator[str]:
    if wanted.action in ("reboot", "upgrade"):
        for spec in specs:
            found = _of(facts, spec)
            if found.unkept and (wanted.action == "reboot" or _is_outside(spec, found)):
                paths = ", ".join(found.unkept)
                yield (
                    f"{spec.container} on {spec.host} keeps {paths} in a volume without a name: the new container"
                    " starts without that data (`directories:` or `volumes:` keep it)"
                )
    if wanted.action in ("start", "restart"):
        for spec in specs:
            if not _of(facts, spec).is_there:
                yield f"there is no container {spec.container} on {spec.host}: `shipway accessory boot {spec.name}`"
    if wanted.action == "remove":
        yield from (f"{spec.data} on {spec.host} is deleted with all data in it" for spec in specs)
