"""Sites for tests of the pure layers: hosts whose runtime and proxy are made of readable one-word commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shipway.core.action import Command, Upload
from shipway.core.facts import Facts, HostFacts
from shipway.core.layout import Layout
from shipway.core.logs import LogsAsked
from shipway.core.ports import Result
from shipway.core.record import Record
from shipway.core.step import Step
from shipway.core.unit import Unit
from shipway.planning.site import RoleSpec, Site, Target
from shipway.proxies.base import ProxyFacts
from shipway.runtimes.base import Release, RuntimeFacts


def _step(host: str, verb: str, noun: str, undo: str) -> Step:
    commands = (Command((undo, noun)),) if undo else ()
    return Step(
        id=f"{host}/{verb}-{noun}",
        title=f"{verb} {noun}",
        host=host,
        do=(Command((verb, noun)),),
        done=Command(("is", verb, noun)),
        undo=commands,
        harmless=not undo,
    )


@dataclass(frozen=True)
class WordRuntime:
    """A runtime whose commands are words: `start web-r2`, `is start web-r2`."""

    host: str
    side_by_side: bool = True

    def probes(self) -> Mapping[str, Command]:
        return {"units": Command(("units",))}

    def parse(self, answers: Mapping[str, Result]) -> RuntimeFacts:
        return RuntimeFacts()

    def host_steps(self) -> tuple[Step, ...]:
        return (_step(self.host, "install", "keeper", ""),)

    def prepare_steps(self, release: Release, units: Sequence[Unit]) -> tuple[Step, ...]:
        return (_step(self.host, "unpack", release.release, "remove"),)

    def runnable_after(self, release: str) -> str:
        return f"{self.host}/unpack-{release}"

    def start_steps(self, unit: Unit) -> tuple[Step, ...]:
        return (_step(self.host, "start", f"{unit.role}-{unit.release}", "stop"),)

    def stop_steps(self, unit: Unit) -> tuple[Step, ...]:
        return (_step(self.host, "stop", f"{unit.role}-{unit.release}", "start"),)

    def remove_steps(self, release: str, roles: Sequence[str]) -> tuple[Step, ...]:
        return (_step(self.host, "remove", release, ""),)

    def finish_steps(self, release: str, version: str) -> tuple[Step, ...]:
        return ()

    def endpoint(self, unit: Unit) -> str:
        return f"unix//run/{unit.role}-{unit.release}.sock"

    def one_off(self, unit: Unit, argv: Sequence[str]) -> Command:
        return Command(("in", unit.release, *argv))

    def inside(self, unit: Unit, argv: Sequence[str]) -> Command:
        return Command(("inside", unit.name, *argv))

    def log_command(self, unit: Unit, asked: LogsAsked) -> Command:
        return Command(("log", unit.name, str(asked.lines), "follow" if asked.follows else "once"))

    def vitals(self, units: Sequence[Unit], watched: Mapping[str, str]) -> Command:
        return Command(("vitals", *(unit.name for unit in units)))

    def listings(self) -> Mapping[str, Command]:
        return {"containers": Command(("containers",))}


@dataclass(frozen=True)
class WordProxy:
    """A proxy whose commands are words: `switch web unix//…`."""

    host: str

    def probes(self) -> Mapping[str, Command]:
        return {"live": Command(("live",))}

    def parse(self, answers: Mapping[str, Result]) -> ProxyFacts:
        return ProxyFacts()

    def host_steps(self) -> tuple[Step, ...]:
        return (_step(self.host, "install", "proxy", ""),)

    def prepare_steps(self) -> tuple[Step, ...]:
        return (_step(self.host, "prepare", "proxy", ""),)

    def upkeep_steps(self) -> tuple[Step, ...]:
        return ()

    def take_over_steps(self, predecessor: str, live: Mapping[str, str]) -> tuple[Step, ...]:
        return (_step(self.host, "replace", predecessor, "restore"),)

    def remove_steps(self) -> tuple[Step, ...]:
        return (_step(self.host, "forget", "site", ""),)

    def stop_steps(self) -> tuple[Step, ...]:
        return (_step(self.host, "end", "proxy", ""),)

    def log_command(self, asked: LogsAsked) -> Command:
        return Command(("log", "proxy", str(asked.lines)))

    def switch_steps(self, role: str, endpoint: str, before: str) -> tuple[Step, ...]:
        do = Upload(f"/live/{role}", (endpoint,))
        undo = (Upload(f"/live/{role}", (before,)),) if before else (Command(("rm", f"/live/{role}")),)
        done = Command(("is", "live", role, endpoint))
        return (Step(f"{self.host}/switch-{role}", f"switch {role}", self.host, (do,), done=done, undo=undo),)

    def drain_steps(self, role: str, endpoint: str, limit_s: float) -> tuple[Step, ...]:
        command = Command(("drain", endpoint), limit_s=limit_s)
        return (Step(f"{self.host}/drain-{role}", "drain", self.host, (command,), repeatable=True, harmless=True),)

    def maintenance_steps(self, *, on: bool, message: str = "") -> tuple[Step, ...]:
        return (_step(self.host, "maintain" if on else "reopen", message or "site", "reopen" if on else "maintain"),)


def site(hosts: Sequence[str] = ("a", "b"), roles: Sequence[RoleSpec] = (), **settings: object) -> Site:
    """A site with web and worker on every host and a scheduler on the first, unless `roles` says otherwise."""
    places = tuple(hosts)
    chosen = tuple(roles) or (
        RoleSpec("web", places, proxied=True),
        RoleSpec("worker", places, kind="worker"),
        RoleSpec("beat", places[:1], kind="scheduler"),
    )
    targets = tuple(Target(h, Layout("/srv", "shop"), WordRuntime(h), WordProxy(h)) for h in places)
    return Site(service="shop", targets=targets, roles=chosen, **settings)  # type: ignore[arg-type]


def facts_serving(site_: Site, release: str = "", *, kept: Sequence[str] = (), records: Sequence[Record] = ()) -> Facts:
    """The facts of a site on which `release` serves and runs everywhere, with the releases `kept` on disk."""
    hosts = []
    for target in site_.targets:
        units = list(site_.units(release, "", host=target.host)) if release else []
        hosts.append(
            HostFacts(
                host=target.host,
                releases=tuple(dict.fromkeys((*kept, *((release,) if release else ())))),
                running=frozenset((u.role, u.release) for u in units),
                live={u.role: target.runtime.endpoint(u) for u in units if u.proxied},
                records=tuple(records) if target.host == site_.primary else (),
            )
        )
    return Facts(tuple(hosts))


def ended(verb: str, release: str, *, base: str = "", outcome: str = "done") -> tuple[Record, ...]:
    """The first and last line of a run."""
    detail = {"verb": verb, "release": release, "base": base, "version": f"v-{release}"}
    run = f"{verb}-{release}-{base}"
    return (
        Record("run.begin", run, "2026-01-01T00:00:00Z", detail=detail),
        Record("run.end", run, "2026-01-01T00:01:00Z", detail={**detail, "outcome": outcome}),
    )
