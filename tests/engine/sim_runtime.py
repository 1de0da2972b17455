"""A runtime and a proxy for `sim_host`, and a site made of them: what the real planner makes its plans from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shipway.core.action import Command, Pipe, Wait
from shipway.core.layout import Layout
from shipway.core.logs import LogsAsked
from shipway.core.ports import Result
from shipway.core.step import Step
from shipway.core.unit import Unit
from shipway.planning.site import RoleSpec, Site, Target
from shipway.proxies.base import Proxy, ProxyFacts
from shipway.runtimes.base import Release, Runtime, RuntimeFacts


def sim(*words: str) -> Command:
    return Command(("sim", *words))


@dataclass(frozen=True)
class SimRuntime:
    host: str
    side_by_side: bool = True

    def probes(self) -> Mapping[str, Command]:
        return {"look": sim("look")}

    def parse(self, answers: Mapping[str, Result]) -> RuntimeFacts:
        seen = json.loads(answers["look"].text)
        return RuntimeFacts(
            releases=tuple(r for r, state in seen["releases"].items() if state == "whole"),
            leftovers=tuple(r for r, state in seen["releases"].items() if state != "whole"),
            running=frozenset((role, release) for role, release in seen["running"]),
            is_keeper_up=True,
        )

    def host_steps(self) -> tuple[Step, ...]:
        return (
            Step(
                id=f"{self.host}/make-ready",
                title="make the host ready",
                host=self.host,
                do=(sim("make-ready", "host"),),
                done=sim("is-ready", "host"),
                harmless=True,
            ),
        )

    def prepare_steps(self, release: Release, units: Sequence[Unit]) -> tuple[Step, ...]:
        name = release.release
        return (
            Step(
                id=f"{self.host}/prepare-{name}",
                title=f"prepare {name}",
                host=self.host,
                do=(
                    sim("unpack", name),
                    Pipe(Command(("git", "archive", release.version)), sim("unpack", name)),
                    sim("complete", name),
                ),
                done=sim("is-whole", name),
                undo=(sim("remove", name),),
            ),
        )

    def runnable_after(self, release: str) -> str:
        return f"{self.host}/prepare-{release}"

    def start_steps(self, unit: Unit) -> tuple[Step, ...]:
        healthy = sim("is-healthy", unit.role, unit.release)
        return (
            Step(
                id=f"{self.host}/start-{unit.role}-{unit.release}",
                title=f"start {unit.name}",
                host=self.host,
                do=(sim("start", unit.role, unit.release, unit.kind), Wait(healthy)),
                done=healthy,
                undo=(sim("stop", unit.role, unit.release),),
            ),
        )

    def stop_steps(self, unit: Unit) -> tuple[Step, ...]:
        return (
            Step(
                id=f"{self.host}/stop-{unit.role}-{unit.release}",
                title=f"stop {unit.name}",
                host=self.host,
                do=(sim("stop", unit.role, unit.release),),
                done=sim("is-stopped", unit.role, unit.release),
                undo=(sim("ensure-started", unit.role, unit.release, unit.kind),),
            ),
        )

    def remove_steps(self, release: str, roles: Sequence[str]) -> tuple[Step, ...]:
        return (
            Step(
                id=f"{self.host}/remove-{release}",
                title=f"remove {release}",
                host=self.host,
                do=(*(sim("stop", role, release) for role in roles), sim("remove", release)),
                done=sim("is-gone", release),
                harmless=True,
            ),
        )

    def finish_steps(self, release: str, version: str) -> tuple[Step, ...]:
        return ()

    def endpoint(self, unit: Unit) -> str:
        return f"{unit.role}-{unit.release}"

    def one_off(self, unit: Unit, argv: Sequence[str]) -> Command:
        return sim("one-off", unit.release, *argv)

    def inside(self, unit: Unit, argv: Sequence[str]) -> Command:
        return sim("inside", unit.name, *argv)

    def log_command(self, unit: Unit, asked: LogsAsked) -> Command:
        return sim("log", unit.name, str(asked.lines), str(asked.follows))

    def vitals(self, units: Sequence[Unit], watched: Mapping[str, str]) -> Command:
        return sim("vitals", *(unit.name for unit in units))

    def listings(self) -> Mapping[str, Command]:
        return {}


@dataclass(frozen=True)
class SimProxy:
    host: str

    def probes(self) -> Mapping[str, Command]:
        return {"proxy": sim("look")}

    def parse(self, answers: Mapping[str, Result]) -> ProxyFacts:
        return ProxyFacts(live=json.loads(answers["proxy"].text)["live"], is_proxy_up=True)

    def host_steps(self) -> tuple[Step, ...]:
        return (
            Step(
                id=f"{self.host}/configure-proxy",
                title="configure the proxy",
                host=self.host,
                do=(sim("make-ready", "proxy"),),
                done=sim("is-ready", "proxy"),
                harmless=True,
            ),
        )

    def stop_steps(self) -> tuple[Step, ...]:
        return ()

    def log_command(self, asked: LogsAsked) -> Command:
        return sim("log", "proxy", str(asked.lines))

    def switch_steps(self, role: str, endpoint: str, before: str) -> tuple[Step, ...]:
        return (
            Step(
                id=f"{self.host}/switch-{role}",
                title=f"switch {role} to {endpoint}",
                host=self.host,
                do=(sim("switch", role, endpoint),),
                done=sim("is-live", role, endpoint),
                undo=(sim("switch", role, before),),
            ),
        )

    def drain_steps(self, role: str, endpoint: str, limit_s: float) -> tuple[Step, ...]:
        return (
            Step(
                id=f"{self.host}/drain-{role}-{endpoint}",
                title=f"drain {endpoint}",
                host=self.host,
                do=(sim("drain", endpoint),),
                repeatable=True,
                harmless=True,
            ),
        )

    def maintenance_steps(self, *, on: bool, message: str = "") -> tuple[Step, ...]:
        return ()


def sim_site(hosts: Sequence[str], *, width: int = 0, retain: int = 2, gate: str = "") -> Site:
    """A shop with web and workers on every host and a scheduler on the last one. `gate`: the role that starts first."""
    targets = [Target(h, Layout("/srv", "shop"), _runtime(h), _proxy(h)) for h in hosts]
    roles = (
        RoleSpec("web", tuple(hosts), kind="web", proxied=True),
        RoleSpec("worker", tuple(hosts), kind="worker"),
        RoleSpec("beat", (hosts[-1],), kind="scheduler"),
    )
    return Site("shop", tuple(targets), roles, boot_width=width, retain=retain, gate=gate)


def _runtime(host: str) -> Runtime:
    return SimRuntime(host)


def _proxy(host: str) -> Proxy:
    return SimProxy(host)
