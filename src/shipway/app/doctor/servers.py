"""The part of `doctor` that asks the servers: one exchange for each, all at once. Nothing is changed there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shipway.adapters.process import is_gone
from shipway.app.accessory_specs import accessory_targets
from shipway.app.bootstrap import needs_of
from shipway.app.hosts import ROOT_DIRECTORY, HostBasics, basics_request, parse_basics
from shipway.app.proxy_site import is_nginx
from shipway.app.service import Service
from shipway.checks.outside.services import Said, connect, parse_connect
from shipway.checks.outside.services import Service as Needed
from shipway.checks.servers.check import Expected, check_server
from shipway.checks.servers.probe import ROOT_SCRIPT, ServerFacts
from shipway.checks.servers.probe import parse as parse_server
from shipway.checks.servers.probe import probe as probe_server
from shipway.checks.table import found
from shipway.config.model import Config
from shipway.core.action import Command
from shipway.core.errors import Finding, Level, ShipwayError
from shipway.core.ports import Clock, Request, Result, Transport
from shipway.core.upkeep import SHOW_SCRIPT
from shipway.engine.lock import Holder, parse_holder
from shipway.engine.observe import skew_s
from shipway.runtimes import bootstrap
from shipway.runtimes.docker import accessory_parse
from shipway.runtimes.docker.accessory import AccessorySpec

_HTTP, _HTTPS = 80, 443
LOCK_SCRIPT = ROOT_SCRIPT + 'set -- "$root/$2/lock";' + SHOW_SCRIPT
_DENIED = "permission denied"


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked of the servers, and how. `services` are those that the application's hosts must reach."""

    service: Service
    transport: Transport
    clock: Clock
    services: tuple[Needed, ...] = ()
    least_free_gb: float = 2.0
    options: str = ""

    @property
    def config(self) -> Config:
        """The configuration."""
        return self.service.config


@dataclass(frozen=True, slots=True)
class Seen:
    """One server: what it told (None: it was not reached), what is wrong with it, and which services it reaches."""

    facts: ServerFacts | None
    findings: tuple[Finding, ...]
    answers: Mapping[int, Said] = field(default_factory=dict)
    was_asked: bool = False


async def see_servers(asking: Asking, hosts: Sequence[str]) -> dict[str, Seen]:
    """Return what each of `hosts` is like; one that cannot be reached is a finding."""
    seen = await asyncio.gather(*(_see(asking, host) for host in hosts))
    return dict(zip(hosts, seen, strict=True))


async def _see(asking: Asking, host: str) -> Seen:
    asked_at = asking.clock.now()
    try:
        specs = _specs(asking.service, host, HostBasics(ROOT_DIRECTORY, home="/root"))
        questions = _questions(asking, host, specs)
        results = await asking.transport.exchange(host, [Request(one, "never") for one in questions.values()])
        answers = dict(zip(questions, results, strict=True))
        return Seen(*_judge(asking, host, answers, (asked_at, asking.clock.now())))
    except ShipwayError as error:
        said = error.said.strip().splitlines()[-1:]
        where = "; ".join(filter(None, (error.where or host, *said)))
        return Seen(None, (Finding(error.code, error.what, where=where, next=error.next),))


def _questions(asking: Asking, host: str, specs: Sequence[AccessorySpec]) -> dict[str, Command]:
    config = asking.config
    state = config.state_directory or ""
    questions = {
        "basics": basics_request().command,
        "server": probe_server(state, config.full_service, ports_of(config, host)),
        "programs": bootstrap.probe(state if state.startswith("/") else "/"),
    }
    if host == config.primary_host:
        questions["lock"] = Command(("sh", "-c", LOCK_SCRIPT, "sh", state, config.full_service), limit_s=20.0)
    if specs:
        questions["accessories"] = accessory_parse.probe(specs)
    if asking.services and host in config.app_hosts:
        questions["services"] = connect(asking.services, by_docker=config.runtime == "docker")
    return questions


def _specs(service: Service, host: str, basics: HostBasics) -> list[AccessorySpec]:
    return [target.spec for target in accessory_targets(service, {host: basics})]


def ports_of(config: Config, host: str) -> tuple[int, ...]:
    """Return the ports that the proxy of `host` takes; none where it has no proxy, or publishes nothing."""
    if host not in config.proxy_hosts:
        return ()
    run = config.proxy_run(host)
    if run is not None and run.publish is False:
        return ()
    return ((run.http_port if run else None) or _HTTP, (run.https_port if run else None) or _HTTPS)


def _judge(
    asking: Asking, host: str, answers: Mapping[str, Result], asked: tuple[datetime, datetime]
) -> tuple[ServerFacts, tuple[Finding, ...], Mapping[int, Said], bool]:
    config, facts = asking.config, parse_server(answers["server"])
    specs: list[AccessorySpec] = []
    if "accessories" in answers:
        specs = _specs(asking.service, host, parse_basics(host, config.state_directory or "", answers["basics"]))
    skew = skew_s(str(facts.date_s), asked) if facts.date_s >= 0 else 0.0
    findings = [*check_server(facts, _expected(asking, host, specs), skew)]
    if facts.is_whole:
        state = replace(bootstrap.parse(host, answers["programs"]), owns_state=facts.may_write_state)
        findings += _programs(config, host, state, is_used=facts.is_used)
    findings += _lock(parse_holder(answers["lock"]), host, asking.options) if "lock" in answers else ()
    for spec, one in zip(specs, accessory_parse.parse(specs, answers["accessories"]) if specs else (), strict=True):
        drift = accessory_parse.drift(spec, one, asking.options)
        findings += [drift] if drift else []
    reached = parse_connect(answers["services"], len(asking.services)) if "services" in answers else {}
    return facts, tuple(dict.fromkeys(findings)), reached, "services" in answers


def _expected(asking: Asking, host: str, specs: Sequence[AccessorySpec]) -> Expected:
    config = asking.config
    is_docker = config.runtime == "docker" and host in config.app_hosts
    return Expected(
        host=host,
        service=config.service,
        is_docker=is_docker or bool(specs),
        ports=ports_of(config, host),
        architectures=tuple(config.builder.arches) if config.builder and is_docker else (),
        accessories=tuple(spec.container for spec in specs),
        least_free_gb=asking.least_free_gb,
        today=f"{asking.clock.now():%Y-%m-%d}",
        proxy="nginx" if is_nginx(config, host) else "",
    )


def _programs(config: Config, host: str, state: bootstrap.HostState, *, is_used: bool) -> Iterator[Finding]:
    """Find programs that are missing or stopped; and whatever keeps `shipway setup` from putting it right.

    A server that is not set up yet lacks what setup brings: that is worth a warning.
    """
    needs = needs_of(config)[host]
    in_the_way = tuple(bootstrap.check(state, needs))
    level: Level | None = None if is_used or in_the_way else "warning"
    if needs.docker and not state.has_docker:
        yield found("docker.missing", f"Docker is not installed on {host}", host, level=level)
    elif needs.docker and not state.engine:
        is_denied = bool(state.sudo_engine) or _DENIED in state.said.lower()
        code = "docker.no_permission" if is_denied else "docker.stopped"
        what = f"{state.user or 'the login'} may not use Docker on {host}" if is_denied else ""
        where = f"{host}: {state.said[:200]}" if state.said else host
        yield found(code, what or f"Docker does not answer on {host}", where, level=level)
    if not state.has_python:
        yield found("python.missing", f"Python 3 is not installed on {host}", host, level=level)
    if needs.nginx and not state.has_nginx:
        yield found("nginx.missing", f"nginx is not installed on {host}", host, level=level)
    yield from in_the_way


def _lock(holder: Holder | None, host: str, options: str) -> Iterator[Finding]:
    if holder is None:
        return
    holder = replace(holder, is_gone=is_gone(holder.owner.process))
    if holder.is_stale:
        help_ = f"`shipway resume{options}` continues that run, `shipway lock release --stale{options}` gives it up"
        yield found("lock.stale", f"the lock of {holder} is stale: {holder.sign}", host, help_)
    else:
        yield found("lock.held", f"the lock is held by {holder}", host, f"shipway lock status{options}")
