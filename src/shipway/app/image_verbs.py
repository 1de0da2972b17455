"""Building, pushing and pulling an image without a deploy; the builder; the registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from shipway.adapters.here import HereRunner
from shipway.adapters.redact import Redactor
from shipway.app.answers import Ran
from shipway.app.build import Building, BuildOrder
from shipway.app.build_spec import build_spec
from shipway.app.call import Caller, Choice
from shipway.app.docker_settings import login_of
from shipway.app.here_run import HereRun
from shipway.app.select import select
from shipway.app.service import Service, load_service
from shipway.app.transport import transport_of
from shipway.core.action import Command
from shipway.core.errors import ConfigError, Unreachable, UsageError
from shipway.core.here import HERE, HereStage, HereStep
from shipway.core.ports import Request, Transport
from shipway.engine.observe import all_or_unreachable
from shipway.runtimes.docker.delivery import PULL_SCRIPT, PullFrom, is_delivered
from shipway.runtimes.docker.images.builder import create_steps, details, remove_steps
from shipway.runtimes.docker.images.failure import failure_of
from shipway.runtimes.docker.images.login import HUB, login_step
from shipway.runtimes.docker.images.spec import BuildSpec
from shipway.runtimes.docker.runtime import credentials

_PULL_LIMIT_S = 1800.0
_LOGIN_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Brought:
    """What was built and where it went. `builder` is a sentence on what built it, "" where nothing was built."""

    image: str
    version: str
    builder: str = ""
    is_pushed: bool = False
    hosts: tuple[str, ...] = ()


async def bring(choice: Choice, caller: Caller, order: BuildOrder, *, pulls: bool) -> Brought:
    """Build (unless the order skips that) and let the hosts pull if `pulls`. Raises as a deploy does."""
    service = _load(choice, caller)
    spec = build_spec(service, tag=order.tag, skips=order.skips)
    if spec.is_delivered and not pulls:  # it stays in the engine here until hosts pull it
        order = replace(order, keeps=True)
    transport = transport_of(service)
    hosts = select(choice.hosts, service.config.app_hosts, "host") if pulls else ()
    try:
        async with Building(caller.listen, caller, order) as building:
            building.begin(service)
            ways = await building.ways(transport, hosts) if hosts else {}
            built = await building.result()
            if hosts:
                await _pull(service, spec, ways, hosts, transport)
        is_pushed = built is not None and not order.skips and not (order.keeps or order.tag or spec.is_delivered)
        sentence = built.tools.sentence if built is not None and not order.skips else ""
        return Brought(spec.image, spec.version, sentence, is_pushed, tuple(hosts))
    finally:
        await transport.close()


async def _pull(
    service: Service, spec: BuildSpec, ways: Mapping[str, PullFrom], hosts: Sequence[str], transport: Transport
) -> None:
    login = None if spec.is_delivered else login_of(service.config.registry)

    async def pull(host: str) -> None:
        source = ways[host].source if host in ways else spec.repository
        if not source:
            return
        words = ("sh", "-c", PULL_SCRIPT, "sh", f"{source}:{spec.version}", spec.image)
        command = Command(words, stdin=credentials(login) if login else (), limit_s=_PULL_LIMIT_S)
        (result,) = await transport.exchange(host, [Request(command, "never")])
        if not result.ok:
            raise Unreachable(
                "image.not_pulled", f"could not pull {spec.image}", where=host, said=result.said,
                next="shipway build push",
            )  # fmt: skip

    await all_or_unreachable({host: pull(host) for host in hosts})


async def create_builder(choice: Choice, caller: Caller) -> tuple[str, ...]:
    """Make the builder that the configuration asks for; return the titles of what was to be done."""
    return await _here(choice, caller, "create the builder", create_steps)


async def remove_builder(choice: Choice, caller: Caller) -> tuple[str, ...]:
    """Remove the builder; return the titles of what was done."""
    return await _here(choice, caller, "remove the builder", remove_steps)


async def builder_details(choice: Choice, caller: Caller) -> tuple[Ran, ...]:
    """Return what the tools tell about the builder."""
    service = _load(choice, caller, checks=False)
    runner = HereRunner(service.secrets)
    found = []
    for argv in details(build_spec(service, skips=True)):
        result = await runner.ask(argv)
        found.append(
            Ran(HERE, " ".join(argv), "", result.status, result.text, result.stderr.decode("utf-8", "replace"))
        )
    return tuple(found)


async def log_in(choice: Choice, caller: Caller, *, here: bool, hosts: bool) -> tuple[str, ...]:
    """Log in to the registry, here and on the hosts; return where. Raises Unreachable `registry.*`, UsageError."""
    service, spec = _with_registry(choice, caller)
    step = login_step(spec.registry)
    if here:
        await _run_here(service, caller, spec, HereStage(step.title, ((step,),)))
    command = Command(step.argv, stdin=step.stdin, limit_s=_LOGIN_LIMIT_S)
    return ((HERE,) if here else ()) + (await _on_hosts(service, choice, command, spec, step) if hosts else ())


async def log_out(choice: Choice, caller: Caller, *, here: bool, hosts: bool) -> tuple[str, ...]:
    """Log out of the registry, here and on the hosts; return where."""
    service, spec = _with_registry(choice, caller)
    server = (spec.registry.server,) if spec.registry.server else ()
    argv = ("docker", "logout", *server)
    step = HereStep(f"{HERE}/logout", f"log out of {spec.registry.server or HUB}", argv, limit_s=_LOGIN_LIMIT_S)
    if here:
        await _run_here(service, caller, spec, HereStage(step.title, ((step,),)))
    command = Command(argv, limit_s=_LOGIN_LIMIT_S)
    return ((HERE,) if here else ()) + (await _on_hosts(service, choice, command, spec, step) if hosts else ())


def has_registry(choice: Choice) -> bool:
    """Whether there is a registry to log in to: not with `none` and `localhost:`, where hosts pull from here."""
    registry = load_service(choice).config.registry
    return registry is not None and not is_delivered(registry)


def _with_registry(choice: Choice, caller: Caller) -> tuple[Service, BuildSpec]:
    service = _load(choice, caller)
    spec = build_spec(service, skips=True)
    if spec.is_delivered:
        raise UsageError(
            "registry.none", "there is no registry to log in to: hosts get images through their SSH connections",
            where="registry",
        )  # fmt: skip
    return service, spec


async def _on_hosts(
    service: Service, choice: Choice, command: Command, spec: BuildSpec, step: HereStep
) -> tuple[str, ...]:
    transport = transport_of(service)
    hosts = select(choice.hosts, service.config.app_hosts, "host")

    async def ask(host: str) -> None:
        (result,) = await transport.exchange(host, [Request(command, "never")])
        if not result.ok:
            error = failure_of(step, result, spec)
            raise Unreachable(error.code, error.what, where=host, said=error.said, next=error.next)

    try:
        await all_or_unreachable({host: ask(host) for host in hosts})
    finally:
        await transport.close()
    return tuple(hosts)


async def _here(
    choice: Choice, caller: Caller, title: str, steps: Callable[[BuildSpec], tuple[HereStep, ...]]
) -> tuple[str, ...]:
    service = _load(choice, caller, checks=False)
    spec = build_spec(service, skips=True)
    wanted = steps(spec)
    if wanted:
        await _run_here(service, caller, spec, HereStage(title, (wanted,)))
    return tuple(step.title for step in wanted)


async def _run_here(service: Service, caller: Caller, spec: BuildSpec, stage: HereStage) -> None:
    run = HereRun(HereRunner(service.secrets), caller.listen, lambda step, result: failure_of(step, result, spec))
    await run.run((stage,))


def _load(choice: Choice, caller: Caller, *, checks: bool = True) -> Service:
    service = load_service(choice)
    if service.config.runtime != "docker":
        what = f"`runtime: {service.config.runtime}` has no image"
        raise ConfigError("build.nothing", what, where="runtime", next="shipway deploy")
    if checks:
        service.secrets.check()
    redactor = Redactor.of(service.secrets)
    caller.on_secrets(lambda text: redactor.clean(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace"))
    return service
