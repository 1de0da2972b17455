"""From the configuration to what planning needs: roles, and for each host its runtime and its proxy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shipway.app.backup_spec import backup_of
from shipway.app.docker_settings import docker_settings_of
from shipway.app.hosts import HostBasics
from shipway.app.proxy_site import proxy_of
from shipway.app.service import Service
from shipway.app.venv_settings import venv_settings_of
from shipway.config.env import Env
from shipway.config.model import Config, Role
from shipway.core.errors import ConfigError
from shipway.core.layout import Layout
from shipway.core.secret import SecretRef, Text
from shipway.core.unit import HealthCheck
from shipway.planning.files import FileRules
from shipway.planning.schedule import describe_steps
from shipway.planning.site import RoleSpec, Site, Target
from shipway.runtimes.base import Release, Runtime
from shipway.runtimes.docker import Docker
from shipway.runtimes.venv import Venv, keeper_of
from shipway.verification.words import words_of


@dataclass(frozen=True, slots=True)
class _Kind:
    """A runtime as it is chosen: what makes it, and how long its processes may take to end where nobody says it."""

    make: Callable[[Service, Layout, str, HostBasics], Runtime]
    stop_s: float


def _venv(service: Service, layout: Layout, host: str, basics: HostBasics) -> Venv:
    settings = venv_settings_of(service)
    keeper = keeper_of(service.config.venv.keeper, layout, host, settings.python, basics.keepers)
    return Venv(layout, host, settings, keeper)


_KINDS: Mapping[str, _Kind] = {
    # The drain timeout's default.
    "venv": _Kind(_venv, 30.0),
    # The default of `docker stop`; only proxied roles come without a time (reference of Kamal: stop_timeout).
    "docker": _Kind(
        lambda service, layout, host, basics: Docker(layout, host, docker_settings_of(service.config, basics.pull)),
        10.0,
    ),
}


def site_of(service: Service, hosts: Mapping[str, HostBasics]) -> Site:
    """Return the site of a service. Raises ConfigError for what its runtime or proxy can never run."""
    config = service.config
    try:
        return Site(
            service=config.full_service,
            targets=tuple(_target(service, host, basics) for host, basics in hosts.items()),
            roles=tuple(_role(config, role) for role in sorted(config.roles, key=lambda role: not role.is_primary)),
            boot_width=config.boot.limit_of(len(hosts)) or 0,
            boot_wait_s=float(config.boot.wait or 0),
            in_turn=config.boot.parallel_roles is False,
            gate=config.primary_role or "",
            drain_s=float(config.drain_timeout_s),
            retain=max(1, config.retain),
            migrations=config.release.migrations,
            approvals=config.release.approvals,
            rehearse=config.release.rehearse,
            tasks=config.release.tasks,
            tasks_limit_s=float(config.release.tasks_timeout),
            manage=config.django.manage,
            verifies=words_of(config),
            files=FileRules(
                is_container=config.runtime == "docker",
                static=config.django.static.check,
                keeps_media=not config.django.media.in_release,
            ),
            backup=backup_of(config),
            schedule=config.schedule,
            # Where supervisor keeps the processes nothing else of ours is with systemd.
            schedule_ways={host: "cron" for host in hosts if config.venv.keeper == "supervisor"},
        )
    except ValueError as error:
        raise _impossible(config.full_service, error) from error


def check_releasable(site: Site) -> None:
    """Build the commands of a release once. Raises ConfigError: what can never run is told before a host is changed."""
    release = Release("r1", "0", "/")
    try:
        for target in site.targets:
            units = tuple(site.units(release.release, release.version, host=target.host))
            target.runtime.prepare_steps(release, units)
            for unit in units:
                target.runtime.start_steps(unit)
            describe_steps(site, target, release.release, release.version)
    except ValueError as error:
        raise _impossible(site.service, error) from error


def _impossible(service: str, error: ValueError) -> ConfigError:
    return ConfigError(
        "runtime.impossible", str(error), where=service, next="`shipway config` shows the values in force"
    )


def _target(service: Service, host: str, basics: HostBasics) -> Target:
    layout = Layout(basics.state, service.config.full_service)
    runtime = _KINDS[service.config.runtime].make(service, layout, host, basics)
    return Target(host, layout, runtime, proxy_of(service, host, layout, basics))


def _role(config: Config, role: Role) -> RoleSpec:
    return RoleSpec(
        name=role.name,
        hosts=role.hosts,
        kind=role.kind,
        cmd=role.cmd or "",
        proxied=role.is_proxied,
        stop_s=_KINDS[config.runtime].stop_s if role.stop_timeout_s is None else float(role.stop_timeout_s),
        stop_signal=role.stop_signal,
        health=_health(config, role),
        env={host: _env(env) for host, env in role.env.items()},
    )


def _health(config: Config, role: Role) -> HealthCheck | None:
    if role.proxy is None:
        return None
    asked = role.proxy.healthcheck
    name = next((name for name in role.proxy.names() if "*" not in name), "localhost")
    return HealthCheck(
        path=(asked.path if asked else None) or config.django.health,
        host=name,
        https=role.proxy.is_tls,
        interval_s=float((asked.interval if asked else None) or 1),
        timeout_s=float((asked.timeout if asked else None) or 5),
        limit_s=float(config.deploy_timeout_s),
    )


def _env(env: Env) -> tuple[tuple[str, Text], ...]:
    clear: dict[str, Text] = {name: (value,) for name, value in env.texts().items()}
    secret: dict[str, Text] = {name: (SecretRef(source),) for name, source in env.secrets().items()}
    return tuple({**clear, **secret}.items())
