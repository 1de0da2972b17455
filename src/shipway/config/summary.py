"""The configuration as plain data, for `shipway config` and `shipway config --json`. Holds no secret value."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TypeAlias

from shipway.config.model import Accessory, Config, Role
from shipway.config.proxy import Certificate
from shipway.config.registry import Inline, Registry
from shipway.config.verify import secrets_of
from shipway.core.job import Job

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


def summary(config: Config) -> dict[str, Json]:
    """Return what the configuration comes to; hosts are sorted, labels without a value are None."""
    return {
        "service": config.service,
        "destination": config.destination,
        "runtime": config.runtime,
        "transport": config.transport,
        "image": config.image,
        "repository": config.repository,
        "roles": {role.name: _role(role) for role in config.roles},
        "primary_role": config.primary_role,
        "primary_host": config.primary_host,
        "hosts": _hosts(config.hosts),
        "proxy_hosts": _hosts(config.proxy_hosts),
        "registry": _registry(config.registry),
        "accessories": {accessory.name: _accessory(accessory) for accessory in config.accessories},
        "builder": _builder(config),
        "retain": config.retain,
        "deploy_timeout": config.deploy_timeout_s,
        "drain_timeout": config.drain_timeout_s,
        "readiness_delay": config.readiness_delay_s,
        "stop_timeout": config.stop_timeout_s,
        "boot": {
            "limit": config.boot.limit_of(len(config.hosts)),
            "wait": config.boot.wait,
            "parallel_roles": config.boot.parallel_roles,
        },
        "notify": [one.kind for one in config.notify],
        "schedule": {job.name: _job(job) for job in config.schedule},
        "aliases": dict(config.aliases),
        "secrets": list(needed_secrets(config)),
    }


def _hosts(hosts: tuple[str, ...]) -> list[Json]:
    return list(sorted(hosts))  # noqa: C413  a list of Json, which `sorted` does not return


def _values(values: Mapping[str, Json]) -> dict[str, Json]:
    return dict(values)


def _role(role: Role) -> dict[str, Json]:
    return {
        "kind": role.kind,
        "hosts": _hosts(role.hosts),
        "cmd": role.cmd,
        "env_clear": {host: _values(env.clear) for host, env in sorted(role.env.items())},
        "env_secret": {host: list(env.secret) for host, env in sorted(role.env.items())},
        "labels": _values(role.labels),
        "proxied": role.is_proxied,
        "restart": role.restart,
        "ssl": _ssl(role),
        "stop_timeout": role.stop_timeout_s,
        "stop_signal": role.stop_signal,
    }


_CERTIFICATE = ("certificate_pem", "private_key_pem", "certificate_file", "private_key_file")


def _ssl(role: Role) -> Json:
    if role.proxy is None:
        return None
    match role.proxy.ssl:
        case Certificate() as own:
            names = {name: getattr(own, name) for name in _CERTIFICATE}
            return {name: value for name, value in names.items() if value is not None}
        case ssl:
            return bool(ssl)


def _registry(registry: Registry | None) -> Json:
    if registry is None:
        return None
    none: dict[str, Json] = {"none": True} if registry.is_none else {}
    return {"local": registry.is_local, "server": registry.server, "username": registry.username_shown(), **none}


def _accessory(accessory: Accessory) -> dict[str, Json]:
    return {
        "service": accessory.service,
        "image": accessory.image,
        "hosts": _hosts(accessory.hosts),
        "port": accessory.port,
        "env_clear": _values(accessory.env.clear),
        "env_secret": list(accessory.env.secret),
        "proxied": accessory.proxy is not None,
    }


def _builder(config: Config) -> Json:
    if config.builder is None:
        return None
    return {"arches": list(config.builder.arches), "kind": config.builder_kind}


def _job(job: Job) -> Json:
    return {
        "cron": job.cron,
        "timezone": job.timezone,
        "command": shlex.join(job.command),
        "role": job.role,
        "hosts": list(job.hosts),
        "timeout": job.limit_s,
    }


def inline_secrets(config: Config) -> dict[str, str]:
    """Return the passwords and addresses that stand in the file itself, by the names that plans have for them."""
    registries = (config.registry, *(accessory.registry for accessory in config.accessories))
    passwords = [registry.password for registry in registries if registry is not None]
    found = {password.ref.name: password.value for password in passwords if isinstance(password, Inline)}
    return found | {one.ref.name: one.value for notify in config.notify for one in notify.inline()}


def needed_secrets(config: Config) -> tuple[str, ...]:
    """Return the names of all secrets that the configuration refers to, sorted; no value is looked up."""
    names: set[str] = set()
    envs = [env for role in config.roles for env in role.env.values()]
    envs += [accessory.env for accessory in config.accessories]
    for env in envs:
        names.update(env.secrets().values())
    registries = (config.registry, *(accessory.registry for accessory in config.accessories))
    for registry in registries:
        names.update(registry.secrets() if registry else ())
    for part in config.parts:
        certificate = part.proxy.certificate if part.proxy else None
        if certificate is not None:
            names.update(name for name in (certificate.certificate_pem, certificate.private_key_pem) if name)
    names.update(config.builder.secrets if config.builder else ())
    names.update(config.ssh.secrets())
    names.update(config.hooks.secrets)
    names.update(secrets_of(config.verify))
    for notify in config.notify:
        names.update(notify.secrets())
    return tuple(sorted(names))
