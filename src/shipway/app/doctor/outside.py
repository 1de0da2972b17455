"""The part of `doctor` that looks at what stands around the servers: names, ports, certificates, registry, services."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from shipway.adapters.here import HereRunner
from shipway.adapters.reach import certificate_days, look_up, ssh_address, try_port
from shipway.app.doctor.servers import Seen, ports_of
from shipway.app.service import Service
from shipway.app.transport import ssh_settings_of
from shipway.checks.outside.names import Certificate, Resolved, check_certificate, check_names, check_port
from shipway.checks.outside.services import Service as Needed
from shipway.checks.outside.services import check_local, check_services, named_service, services_of
from shipway.checks.project.subject import Project
from shipway.checks.table import found
from shipway.config.model import Config
from shipway.config.proxy import Proxy
from shipway.core.errors import ConfigError, Finding
from shipway.core.ports import Clock
from shipway.runtimes.docker.delivery import is_delivered
from shipway.runtimes.docker.images.login import login_step, needs_login, trouble_of

_SMTP = 25
_PROXY_NAMES = ("ours", "shipway-proxy")
_LOGIN_LIMIT_S = 15.0


@dataclass(frozen=True, slots=True)
class Around:
    """What is looked at: the service, what its servers told, and the `services` that these were asked for.

    `local` are services that an application in a container looks for in itself.
    """

    service: Service
    seen: Mapping[str, Seen]
    services: tuple[Needed, ...]
    local: tuple[Needed, ...]
    clock: Clock


def needed_services(service: Service, project: Project | None) -> tuple[Needed, ...]:
    """Return the databases, brokers and mail servers that the application connects to.

    They are read from the values of its variables; of a secret's value the address alone is kept.
    """
    config, values = service.config, dict[str, str]()
    secrets = service.secrets.known_values()
    for role in config.roles:
        for env in role.env.values():
            values.update(env.texts())
            values.update({n: secrets[source] for n, source in env.secrets().items() if source in secrets})
    found_services = [*services_of(values), *_mail(values, config, project)]
    return tuple({(one.host, one.port): one for one in reversed(found_services)}.values())[::-1]


def _mail(values: Mapping[str, str], config: Config, project: Project | None) -> Iterator[Needed]:
    """Yield the mail server that EMAIL_HOST names, as a variable or as a setting."""
    hidden = {name for role in config.roles for env in role.env.values() for name in env.secrets()}
    host, port = values.get("EMAIL_HOST", ""), values.get("EMAIL_PORT", "")
    source = "EMAIL_HOST"
    if project is not None and not host:
        backend = project.setting("EMAIL_BACKEND")
        if backend.is_set and not any(text.endswith("smtp.EmailBackend") for text in backend.texts):
            return
        host = next(iter(project.setting("EMAIL_HOST").texts), "")
        ports = [one for one in project.setting("EMAIL_PORT").values if isinstance(one, int)]
        port = port or (str(ports[0]) if ports else "")
    number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else _SMTP  # noqa: PLR2004  65535
    service = named_service(source, host, number, is_mail=True, is_shown=source not in hidden) if host else None
    if service is not None and not service.is_local:
        yield service


async def check_outside(around: Around) -> tuple[Finding, ...]:
    """Return what is wrong around the servers."""
    parts = await asyncio.gather(_names(around), _registry(around.service))
    return (*parts[0], *parts[1], *_services(around))


def _services(around: Around) -> Iterator[Finding]:
    config = around.service.config
    # What stands in the clear was told of with the project.
    clear = {name for role in config.roles for env in role.env.values() for name in env.clear}
    yield from check_local([one for one in around.local if one.source not in clear])
    there = {name for seen in around.seen.values() if seen.facts for name in seen.facts.names}
    # Accessories that were never started: setup does it, and nobody can have reached them.
    to_come = {one.service for one in config.accessories} - there
    for host, seen in around.seen.items():
        if seen.was_asked and seen.facts is not None:
            waits = not seen.facts.is_used
            answers = {
                n: said for n, said in seen.answers.items() if not (waits and around.services[n].host in to_come)
            }
            needed = () if seen.answers and not answers else around.services
            yield from check_services(host, needed, answers)


async def _names(around: Around) -> tuple[Finding, ...]:
    config = around.service.config
    proxies = [part.proxy for part in config.parts if part.proxy is not None]
    names = dict.fromkeys(name for proxy in proxies for name in proxy.names() if "*" not in name)
    looked = await asyncio.gather(*(look_up(name) for name in names))
    resolved = [Resolved(n, one.addresses, one.trouble) for n, one in zip(names, looked, strict=True)]
    addresses = await _addresses(around.service)
    ours = dict.fromkeys(one for known in addresses.values() for one in known)
    told = {one for seen in around.seen.values() if seen.facts for one in seen.facts.addresses}
    if config.transport == "local":
        return tuple(check_names(resolved, ()))
    findings = [*check_names(resolved, tuple(ours), told)]
    findings += await _ports(around, addresses)
    by_name = {one.name: one for one in resolved}
    findings += await _certificates(around, proxies, by_name)
    return tuple(dict.fromkeys(findings))


async def _addresses(service: Service) -> dict[str, tuple[str, ...]]:
    """Return the addresses of each host with a proxy as the SSH client finds them; none behind another host."""
    config = service.config
    if config.transport == "local":
        return {}
    settings = ssh_settings_of(service)
    hosts = config.proxy_hosts
    names = await asyncio.gather(*(asyncio.to_thread(ssh_address, settings, host) for host in hosts))
    looked = await asyncio.gather(*(look_up(name) for name in names if name))
    known = dict(zip([name for name in names if name], looked, strict=True))
    return {host: known[name].addresses for host, name in zip(hosts, names, strict=True) if name}


async def _ports(around: Around, addresses: Mapping[str, tuple[str, ...]]) -> list[Finding]:
    config = around.service.config
    asked = [(host, port) for host, known in addresses.items() if known for port in _open_ports(config, host)]
    # A host that SSH does not reach either is told of already.
    asked = [(h, port) for h, port in asked if h not in around.seen or around.seen[h].facts is not None]
    reached = await asyncio.gather(*(try_port(addresses[host][0], port) for host, port in asked))
    findings: list[Finding] = []
    for (host, port), said in zip(asked, reached, strict=True):
        seen = around.seen.get(host)
        who = seen.facts.ports.get(port, "") if seen and seen.facts else ""
        findings += check_port(host, port, said, listens=who in _PROXY_NAMES)
    return findings


def _open_ports(config: Config, host: str) -> tuple[int, ...]:
    """Return the ports of a proxy that visitors need: the second only with TLS."""
    ports = ports_of(config, host)
    is_tls = any(part.proxy is not None and part.proxy.is_tls for part in config.parts if host in part.hosts)
    return ports if is_tls else ports[:1]


async def _certificates(around: Around, proxies: list[Proxy], resolved: Mapping[str, Resolved]) -> list[Finding]:
    config = around.service.config
    wanted = {
        name: resolved[name].addresses[0]
        for proxy in proxies
        # An authority of one's own is not one that this machine must trust.
        if proxy.is_tls and proxy.tls is None and not (proxy.acme and proxy.acme.ca)
        for name in proxy.names()
        if name in resolved and resolved[name].addresses
    }
    host = next(iter(config.proxy_hosts), "")
    port = (ports_of(config, host) or (0, 443))[1]
    now_s = around.clock.now().timestamp()

    async def ask(name: str, address: str) -> Certificate | None:
        try:
            days, trouble = await certificate_days(name, address, port, now_s)
        except (OSError, TimeoutError):
            return None  # nothing speaks TLS there: the port is told of by itself
        return Certificate(name, days, trouble)

    certificates = await asyncio.gather(*(ask(name, address) for name, address in wanted.items()))
    return [finding for one in certificates if one is not None for finding in check_certificate(one)]


async def _registry(service: Service) -> tuple[Finding, ...]:
    """Log in with a configuration of docker that is thrown away, so that nothing changes here."""
    registry = service.config.registry
    if registry is None or is_delivered(registry) or not needs_login(registry):
        return ()
    name = registry.server or "Docker Hub"
    with tempfile.TemporaryDirectory(prefix="shipway-") as place:
        step = replace(login_step(registry), env=(("DOCKER_CONFIG", (place,)),), limit_s=_LOGIN_LIMIT_S)
        try:
            result = await HereRunner(service.secrets).run(step)
        except ConfigError as error:
            return (found("outside.registry_unknown", f"could not log in to {name}: {error.what}", error.where),)
    if result.ok:
        return ()
    said = (result.said.splitlines() or ["no answer"])[-1][:300]
    if result.status == 127:  # noqa: PLR2004  no such program (POSIX.1-2017, 2.8.2)
        return (found("outside.registry_unknown", "there is no docker client here to log in with", name),)
    kind = {"refused": "refuses the login", "unreachable": "cannot be reached", "certificate": "is not trusted"}
    what = f"the registry {name} {kind.get(trouble_of(said), 'does not take the login')}"
    return (found("outside.registry_login", what, said),)
