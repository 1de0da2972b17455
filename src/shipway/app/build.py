"""Building an image here and pushing it: before any lock and plan, while hosts are being connected to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from shipway.adapters.here import HereRunner
from shipway.app.build_spec import build_spec, dockerfile_text
from shipway.app.call import Caller
from shipway.app.delivery import Delivery
from shipway.app.here_run import HereRun
from shipway.app.image_check import check_in_engine, check_pushed
from shipway.app.service import Service
from shipway.core.errors import ConfigError, Finding, Refused, ShipwayError
from shipway.core.events import Event, Listener
from shipway.core.here import HERE, HereStage, HereStep
from shipway.core.ports import Result, Transport
from shipway.runtimes.docker.delivery import PullFrom
from shipway.runtimes.docker.images.check import INSPECT
from shipway.runtimes.docker.images.failure import failure_of
from shipway.runtimes.docker.images.image import pushes_itself
from shipway.runtimes.docker.images.phase import build_stages, push_stages
from shipway.runtimes.docker.images.spec import BuildSpec
from shipway.runtimes.docker.images.tools import PROBES, BuildTools, read_tools

Before = Callable[[], Awaitable[None]]


async def _nothing() -> None:
    """Do nothing before a build."""


@dataclass(frozen=True, slots=True)
class BuildOrder:
    """How to build.

    `tag` follows the version (`-dirty`: the working tree, kept here). `keeps`: the image is pushed nowhere. `skips`:
    nothing is built; hosts get what was built before.
    """

    no_cache: bool = False
    tag: str = ""
    keeps: bool = False
    skips: bool = False


@dataclass(frozen=True, slots=True)
class Built:
    """What was built, and with what."""

    spec: BuildSpec
    tools: BuildTools


class Building:
    """A build that goes on while something else is done. Leaving the `async with` ends what still runs."""

    def __init__(self, listen: Listener, caller: Caller, order: BuildOrder | None = None) -> None:
        self._listen, self._caller = listen, caller
        self._order = order or BuildOrder()
        self._task: asyncio.Task[Built] | None = None
        self._delivery: Delivery | None = None

    def begin(self, service: Service, before: Before = _nothing) -> None:
        """Begin to build for `service`, where its runtime has an image; `before` runs first (a hook).

        Raises ConfigError for what cannot be built.
        """
        if service.config.runtime != "docker":
            return
        order = self._order
        spec = build_spec(service, no_cache=order.no_cache, tag=order.tag, skips=order.skips)
        if spec.is_delivered and not spec.tag and not order.keeps:
            self._delivery = Delivery(service.config.full_service, spec.repository, spec.registry)
        if not order.skips:
            work = self._build(service, spec, dockerfile_text(service, spec), before)
            self._task = asyncio.create_task(work)
        elif self._delivery is not None:
            self._task = asyncio.create_task(self._offer(service, spec))

    async def ways(self, transport: Transport, hosts: Sequence[str]) -> Mapping[str, PullFrom]:
        """Return where each host gets the image from, where that is not what the configuration says.

        Raises Unreachable and Refused.
        """
        if self._order.skips and self._task is not None:
            await self._task
        return await self._delivery.open(transport, hosts) if self._delivery is not None else {}

    async def result(self) -> Built | None:
        """Wait for the end of the build; None where none was begun. Raises what ended it."""
        return None if self._task is None else await self._task

    async def _offer(self, service: Service, spec: BuildSpec) -> Built:
        """Offer what was built before. Where it is not in the engine here, the hosts have to have it."""
        runner = HereRunner(service.secrets)
        run = HereRun(runner, self._listen, lambda step, result: failure_of(step, result, spec))
        assert self._delivery is not None  # noqa: S101  the caller looked
        if (await runner.ask((*INSPECT, spec.image))).ok:
            await self._delivery.take(spec, run, runner)
        else:
            self._delivery.is_empty = True
        return Built(spec, BuildTools())

    async def _build(self, service: Service, spec: BuildSpec, dockerfile: str, before: Before) -> Built:
        await before()
        runner = HereRunner(service.secrets)
        tools = await find_tools(runner)
        stages = stages_of(spec, tools)
        self._caller.say(f"{spec.image}: {tools.sentence}")

        def explain(step: HereStep, result: Result) -> ShipwayError:
            return failure_of(step, result, spec, dockerfile)

        run = HereRun(runner, self._listen, explain)
        await run.run(stages)
        check = check_pushed if pushes_itself(spec, tools) else check_in_engine
        for finding in await check(service, spec.image, runner):
            self._warn(finding)
        if not self._order.keeps:
            await run.run(push_stages(spec, tools))
        if self._delivery is not None:
            await self._delivery.take(spec, run, runner)
        return Built(spec, tools)

    def _warn(self, finding: Finding) -> None:
        detail = f"{finding.what} ({finding.next})"
        self._listen(Event("warning", "", time.monotonic(), host=HERE, title=f"[{finding.code}]", detail=detail))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._delivery is not None:
            if error is None:
                self._caller.say(self._delivery.sentence)
            await self._delivery.close()


async def find_tools(runner: HereRunner) -> BuildTools:
    """Return which tools build here. Raises Refused `build.no_docker` or `build.no_engine`."""
    names = tuple(PROBES)
    answers = await asyncio.gather(*(runner.ask(PROBES[name]) for name in names))
    found = dict(zip(names, answers, strict=True))
    tools = read_tools(found)
    if found["version"].status == 127:  # noqa: PLR2004  what a shell says of a program that is not there
        raise Refused(
            "build.no_docker", "docker is not installed on this machine, and images are built here",
            next="install Docker (https://docs.docker.com/engine/install/), or build elsewhere and deploy --skip-push",
        )  # fmt: skip
    if not tools.server:
        raise Refused(
            "build.no_engine", "the Docker engine of this machine did not answer", said=tools.said, next="docker info"
        )
    return tools


def stages_of(spec: BuildSpec, tools: BuildTools) -> tuple[HereStage, ...]:
    """Return what builds the image. Raises ConfigError for what these tools cannot build."""
    if spec.is_delivered and len(spec.builder.arches) > 1:
        raise ConfigError(
            "build.many_arches", "an image for several architectures cannot be kept by the engine of this machine",
            where="builder/arch", next="write one `arch`, or use a registry",
        )  # fmt: skip
    try:
        return build_stages(spec, tools)
    except ValueError as error:
        raise ConfigError("build.impossible", str(error), where="builder", next="apt install docker-buildx") from error


async def planned_build(service: Service) -> tuple[HereStage, ...]:
    """Return what a deploy would run on this machine before it touches the servers; nothing without an image."""
    if service.config.runtime != "docker":
        return ()
    spec = build_spec(service)
    dockerfile_text(service, spec)
    tools = await find_tools(HereRunner(service.secrets))
    return (*stages_of(spec, tools), *push_stages(spec, tools))
