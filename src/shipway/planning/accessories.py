"""`plan_accessories`: what the verbs of accessories do to containers that are there, or are not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from shipway.core.facts import AccessoryFacts, Facts
from shipway.core.layout import Layout
from shipway.core.step import Plan, Stage, Step, Verb
from shipway.planning.history import base_release
from shipway.planning.site import Site
from shipway.planning.stages import Track, stage
from shipway.proxies.base import Proxy
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
    """One accessory on one host, and where Shipway keeps its own things there.

    `proxy` is None where it takes no public traffic; `endpoint` is where the proxy reaches it.
    """

    layout: Layout
    spec: AccessorySpec
    proxy: Proxy | None = None
    endpoint: str = ""


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
    base = base_release(site, facts)
    return Plan(
        run=run,
        verb=_VERBS[wanted.action],
        service=site.service,
        release="",
        version="",
        base=base,
        primary=site.primary,
        stages=tuple(_stages(wanted, facts)),
        notes=tuple(_notes(wanted, [target.spec for target in wanted.targets], facts)),
    )


def _stages(wanted: Wanted, facts: Facts) -> Iterator[Stage]:
    targets = wanted.targets
    there = [target for target in targets if _of(facts, target.spec).is_there]
    match wanted.action:
        case "boot":
            yield from boot_stages(targets, facts)
        case "start":
            yield from _by_host("Start accessories", there, lambda target: _start(target, facts))
        case "stop":
            up = [target for target in there if _of(facts, target.spec).is_running]
            yield from _by_host("Stop accessories", up, lambda target: (steps.stop_step(target.spec),))
        case "restart":
            yield from _by_host(
                "Restart accessories",
                there,
                lambda target: (steps.restart_step(target.spec), steps.ready_step(target.spec)),
            )
        case "reboot":
            yield from _reboot_stages(targets, facts, is_rolling=wanted.is_rolling)
        case "upgrade":
            old = [target for target in there if _is_outside(target.spec, _of(facts, target.spec))]
            yield from _reboot_stages(old, facts, is_rolling=wanted.is_rolling)
        case "remove":
            yield POINT_OF_NO_RETURN
            yield from remove_stages(targets)


def remove_stages(targets: Sequence[AccessoryTarget]) -> tuple[Stage, ...]:
    """Return the stage that removes accessories with their data; to stand after a point of no return."""
    return _by_host("Remove accessories", targets, lambda target: (*_forget(target), *remove_steps(target.spec)))


def boot_stages(targets: Sequence[AccessoryTarget], facts: Facts) -> tuple[Stage, ...]:
    """Return the stages that start what does not run, and wait until all of it answers. What runs is left alone."""
    missing = [target for target in targets if not _of(facts, target.spec).is_running]
    new = [target for target in missing if not _of(facts, target.spec).is_there]
    return (
        *_by_host("Prepare the hosts of accessories", new, _network),
        *_by_host(
            "Get the accessories ready to start",
            new,
            lambda target: (steps.place_step(target.spec), steps.pull_step(target.spec, is_fresh=False)),
        ),
        *_by_host("Start accessories", missing, lambda target: _start(target, facts)),
        *_by_host("Send traffic to accessories", missing, _serve),
    )


def _reboot_stages(targets: Sequence[AccessoryTarget], facts: Facts, *, is_rolling: bool) -> Iterator[Stage]:
    yield from _by_host("Prepare the hosts of accessories", targets, _network)
    yield from _by_host(
        "Get the accessories ready to start",
        targets,
        lambda target: (steps.place_step(target.spec), steps.pull_step(target.spec, is_fresh=True)),
    )
    replaced = _by_host("Replace accessories", targets, lambda target: _replace(target, facts), width=int(is_rolling))
    yield from (Stage(one.title, one.tracks, one.width, commits=True) for one in replaced)
    aside = [target for target in targets if _of(facts, target.spec).is_there]
    yield from _by_host("Remove what was replaced", aside, lambda target: (steps.drop_aside_step(target.spec),))
    yield from _by_host("Send traffic to accessories", targets, _serve)


def _network(target: AccessoryTarget) -> Track:
    return (steps.network_step(target.spec.host, target.spec.network),)


def _start(target: AccessoryTarget, facts: Facts) -> Track:
    spec = target.spec
    start = steps.start_step(spec) if _of(facts, spec).is_there else steps.run_step(spec)
    return (start, steps.ready_step(spec))


def _replace(target: AccessoryTarget, facts: Facts) -> Track:
    found = _of(facts, target.spec)
    aside = (steps.set_aside_step(target.spec, found),) if found.is_there else ()
    return (*aside, steps.run_step(target.spec), steps.ready_step(target.spec))


def _serve(target: AccessoryTarget) -> Track:
    if target.proxy is None:
        return ()
    switch = target.proxy.switch_steps(target.spec.name, target.endpoint, "")
    return _of_accessory(target, (*target.proxy.host_steps(), *switch))


def _forget(target: AccessoryTarget) -> Track:
    return _of_accessory(target, target.proxy.remove_steps()) if target.proxy is not None else ()


def _of_accessory(target: AccessoryTarget, found: Track) -> Track:
    """Return the proxy's steps with ids of their own: they have the same for each site of a host, and one plan."""
    name, host = target.spec.name, target.spec.host
    return tuple(replace(step, id=f"{host}/{name}-{step.id.removeprefix(f'{host}/')}") for step in found)


def _by_host(
    title: str,
    targets: Iterable[AccessoryTarget],
    steps_of: Callable[[AccessoryTarget], Iterable[Step]],
    width: int = 0,
) -> tuple[Stage, ...]:
    """Return one stage with a track per host; a step that several accessories of a host need stands once."""
    tracks: dict[str, dict[str, Step]] = {}
    for target in targets:
        for step in steps_of(target):
            tracks.setdefault(target.spec.host, {}).setdefault(step.id, step)
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
