"""The configuration as everybody else reads it: every section typed, roles and accessories resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shipway.config.accessories import Mount
from shipway.config.boot import Boot
from shipway.config.builder import Builder, BuilderKind
from shipway.config.container_logs import Logging
from shipway.config.django import Django, ReleasePolicy, Venv
from shipway.config.env import Env
from shipway.config.hooks import Hooks
from shipway.config.notify import Notify
from shipway.config.options import Options
from shipway.config.output import Output
from shipway.config.proxy import Proxy
from shipway.config.proxy_run import ProxyRun
from shipway.config.registry import Registry
from shipway.config.root import Runtime, Transport
from shipway.config.ssh import Ssh, Sshkit
from shipway.config.tree import ScalarValue
from shipway.config.verify import VerifySection
from shipway.core.errors import Finding
from shipway.core.job import Job
from shipway.core.unit import Kind

Labels = Mapping[str, ScalarValue]


@dataclass(frozen=True, slots=True)
class AssetPath:
    """A directory of the image that is bridged between releases, and the options of its mount."""

    path: str
    options: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One role. `env` and `tags` are by host. `stop_timeout_s` None leaves it to Docker (10 s).

    `labels` include `service`, `role` and `destination` (None without a destination).
    """

    name: str
    kind: Kind
    is_primary: bool
    hosts: tuple[str, ...]
    tags: Mapping[str, tuple[str, ...]]
    env: Mapping[str, Env]
    labels: Labels
    logging: Logging
    options: Options
    restart: str
    cmd: str | None
    stop_timeout_s: int | None
    stop_signal: str
    proxy: Proxy | None
    asset_path: AssetPath | None

    @property
    def is_proxied(self) -> bool:
        """Whether the role takes public traffic."""
        return self.proxy is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accessory:
    """One accessory. `image` includes its registry's address; `port` is what is published, None for none."""

    name: str
    service: str
    image: str
    registry: Registry | None
    hosts: tuple[str, ...]
    port: str | None
    cmd: str | None
    env: Env
    labels: Labels
    options: Options
    restart: str
    files: tuple[Mount, ...]
    directories: tuple[Mount, ...]
    volumes: tuple[str, ...]
    network: str
    proxy: Proxy | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One service for one destination. `warnings` are worth telling and forbid nothing.

    `image`, `registry` and `builder` are None only where the runtime needs no image, `verify` where nothing is to be
    looked at. `builder_kind` is seen from this machine's architecture. Times are in seconds.
    """

    service: str
    destination: str | None
    runtime: Runtime
    transport: Transport
    image: str | None
    registry: Registry | None
    builder: Builder | None
    builder_kind: BuilderKind | None
    roles: tuple[Role, ...]
    primary_role: str | None
    accessories: tuple[Accessory, ...]
    proxy: Proxy
    boot: Boot
    ssh: Ssh
    sshkit: Sshkit
    logging: Logging
    output: Output
    hooks: Hooks
    aliases: Mapping[str, str]
    volumes: tuple[str, ...]
    secrets_path: str
    error_pages_path: str | None
    retain: int
    readiness_delay_s: int
    deploy_timeout_s: int
    drain_timeout_s: int
    stop_timeout_s: int | None
    state_directory: str | None
    project: str
    django: Django
    shared: tuple[str, ...]
    venv: Venv
    release: ReleasePolicy
    verify: VerifySection | None
    notify: tuple[Notify, ...] = ()
    schedule: tuple[Job, ...] = ()
    warnings: tuple[Finding, ...] = ()

    @property
    def full_service(self) -> str:
        """`<service>`, or `<service>-<destination>`."""
        return self.service if self.destination is None else f"{self.service}-{self.destination}"

    @property
    def repository(self) -> str | None:
        """The image's name with its registry's address, without a tag."""
        if self.image is None:
            return None
        server = self.registry.server if self.registry else None
        return f"{server}/{self.image}" if server else self.image

    @property
    def parts(self) -> tuple[Role | Accessory, ...]:
        """All roles, then all accessories."""
        return (*self.roles, *self.accessories)

    @property
    def hosts(self) -> tuple[str, ...]:
        """All hosts, those of roles first, each once."""
        return tuple(dict.fromkeys(host for part in self.parts for host in part.hosts))

    @property
    def app_hosts(self) -> tuple[str, ...]:
        """The hosts of all roles, each once, the primary host first."""
        first = (self.primary_host,) if self.primary_host else ()
        return tuple(dict.fromkeys((*first, *(host for role in self.roles for host in role.hosts))))

    @property
    def proxy_hosts(self) -> tuple[str, ...]:
        """The hosts where a proxy runs."""
        return tuple(dict.fromkeys(host for part in self.parts if part.proxy is not None for host in part.hosts))

    @property
    def primary_host(self) -> str | None:
        """The first host of the primary role; it keeps the lock. None without roles."""
        return next((role.hosts[0] for role in self.roles if role.is_primary and role.hosts), None)

    def role(self, name: str) -> Role:
        """Return the role `name`; raises KeyError where there is none."""
        for role in self.roles:
            if role.name == name:
                return role
        raise KeyError(name)

    def roles_on(self, host: str) -> tuple[Role, ...]:
        """Return the roles of `host`, the primary first."""
        there = [role for role in self.roles if host in role.hosts]
        return tuple(sorted(there, key=lambda role: not role.is_primary))

    def proxy_run(self, host: str) -> ProxyRun | None:
        """Return how the proxy of `host` is run; all that stand there agree."""
        runs = (part.proxy.run for part in self.parts if host in part.hosts and part.proxy is not None)
        return next((run for run in runs if run is not None), None)
