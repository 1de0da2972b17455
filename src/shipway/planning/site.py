"""What a service is, as far as planning needs it: roles, hosts, and how each host runs and serves a release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from shipway.core.job import Job
from shipway.core.layout import Layout
from shipway.core.secret import Text
from shipway.core.unit import HealthCheck, Kind, Unit
from shipway.planning.files import FileRules
from shipway.proxies.base import Proxy
from shipway.runtimes.backup import BackupSpec
from shipway.runtimes.base import Runtime
from shipway.runtimes.schedule import Way

Env = tuple[tuple[str, Text], ...]
MigrationPolicy = Literal["auto", "approve", "manual"]
TaskPolicy = Literal["wait", "refuse", "ignore"]
"""What becomes of a release whose workers cannot do queued tasks: it waits for them, ends there, or goes on."""


@dataclass(frozen=True, slots=True)
class Target:
    """One host, with the runtime and the proxy that stand there. `proxy` is None where nothing is proxied."""

    host: str
    layout: Layout
    runtime: Runtime
    proxy: Proxy | None = None


@dataclass(frozen=True, slots=True)
class RoleSpec:
    """One role: what it runs and where. `env` is by host, since tags may differ from host to host."""

    name: str
    hosts: tuple[str, ...]
    kind: Kind = "web"
    cmd: str = ""
    proxied: bool = False
    stop_s: float = 30.0
    stop_signal: str = "TERM"
    health: HealthCheck | None = None
    env: Mapping[str, Env] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Site:
    """A service in one destination.

    `service` is the full name. `targets` has the primary host first. `boot_width` is how many hosts start and switch
    at once (0: all), `boot_wait_s` a pause before the next host starts. With `in_turn` the roles of a host start one
    after the other. `gate` is the role that must work on the primary host before anything starts elsewhere ("": none).
    `approvals` is how many people other than the one who deploys must agree. `retain` is how many releases stay on the
    hosts. `rehearse`: pending migrations are played in a scratch database first. `manage` is the path of manage.py in
    the project. `verifies` are lines that tell what is looked at before the old release is retired; () for nothing.
    `schedule_ways` is what keeps the schedule, by host.
    """

    service: str
    targets: tuple[Target, ...]
    roles: tuple[RoleSpec, ...]
    boot_width: int = 0
    boot_wait_s: float = 0.0
    in_turn: bool = False
    gate: str = ""
    drain_s: float = 30.0
    retain: int = 5
    migrations: MigrationPolicy = "auto"
    migrate_limit_s: float = 3600.0
    approvals: int = 0
    rehearse: bool = False
    tasks: TaskPolicy = "wait"
    tasks_limit_s: float = 300.0
    manage: str = "manage.py"
    verifies: tuple[str, ...] = ()
    files: FileRules = field(default_factory=FileRules)
    backup: BackupSpec | None = None
    schedule: tuple[Job, ...] = ()
    schedule_ways: Mapping[str, Way] = field(default_factory=dict)

    @property
    def primary(self) -> str:
        """The host that holds the lock, the stored plans and the lines of each run."""
        return self.targets[0].host

    def target(self, host: str) -> Target:
        """Return the target of `host`; raises KeyError for a host that is not part of the site."""
        for target in self.targets:
            if target.host == host:
                return target
        raise KeyError(host)

    def role(self, name: str) -> RoleSpec | None:
        """Return the role of that name, or None when the configuration has none (any more)."""
        return next((role for role in self.roles if role.name == name), None)

    def units(self, release: str, version: str, *, host: str = "") -> Iterator[Unit]:
        """Yield the units of `release`, role by role, on all hosts or on one."""
        for role in self.roles:
            for place in role.hosts:
                if host in ("", place):
                    yield self.unit(role.name, place, release, version)

    def unit(self, role: str, host: str, release: str, version: str = "") -> Unit:
        """Return one unit. A role that the configuration no longer has becomes a plain worker: it can be stopped."""
        spec = self.role(role) or RoleSpec(name=role, hosts=(host,), kind="worker")
        return Unit(
            service=self.service,
            role=role,
            host=host,
            release=release,
            version=version,
            kind=spec.kind,
            cmd=spec.cmd,
            proxied=spec.proxied,
            stop_s=spec.stop_s,
            stop_signal=spec.stop_signal,
            health=spec.health,
            env=spec.env.get(host, ()),
        )


def environment_names(site: Site) -> dict[str, list[str]]:
    """Return the names of the variables that each role gets, on any of its hosts."""
    return {role.name: sorted({name for env in role.env.values() for name, _ in env}) for role in site.roles}
