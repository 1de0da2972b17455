"""Bringing an image to hosts without a registry: they pull it from this process, through their own connections."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shipway.adapters.here import HereRunner
from shipway.adapters.registry.server import LOOPBACK, RegistryServer
from shipway.adapters.registry.store import BlobStore
from shipway.app.build_spec import cache_home
from shipway.app.here_run import HereRun
from shipway.config.registry import Registry
from shipway.core.here import HERE, HereStage, HereStep
from shipway.core.ports import Transport
from shipway.runtimes.docker.delivery import PullFrom, from_here, name_of, nowhere, wanted_port
from shipway.runtimes.docker.images.spec import BuildSpec

_PUSH_LIMIT_S = 1800.0


@dataclass(slots=True)
class Delivery:
    """One image on its way to the hosts of a service. It begins with `begin` and ends with `close`.

    `is_empty`: there is no image to be had here, so hosts have to have it.
    """

    service: str
    repository: str
    registry: Registry
    is_empty: bool = False
    _server: RegistryServer | None = None

    async def begin(self) -> RegistryServer:
        """Begin to answer hosts; there is nothing for them until `take`."""
        if self._server is None:
            store = await asyncio.to_thread(BlobStore, cache_home() / "blobs")
            self._server = RegistryServer(store, store.word())
            # The same port each time, where it is free: the engine remembers what it pushed by the registry's name.
            await self._server.start(wanted_port(Registry(), f"{self.service} here"))
        return self._server

    async def open(self, transport: Transport, hosts: Sequence[str]) -> Mapping[str, PullFrom]:
        """Open the way for every host and return where each pulls from. Raises Unreachable and Refused."""
        if self.is_empty:
            return dict.fromkeys(hosts, nowhere(self.repository))
        server = await self.begin()
        wanted = wanted_port(self.registry, self.service)
        ports = await asyncio.gather(*(transport.tunnel(host, server.port, wanted) for host in hosts))
        return {
            host: from_here(self.repository, port, server.pull_word) for host, port in zip(hosts, ports, strict=True)
        }

    async def take(self, spec: BuildSpec, run: HereRun, runner: HereRunner) -> None:
        """Take the image out of this machine's engine and offer it to the hosts. Raises what `run` explains."""
        server = await self.begin()
        name = name_of(spec.repository)
        source = f"{LOOPBACK}:{server.port}/{server.push_word}/{name}"
        image = f"{source}:{spec.version}"
        try:
            await run.run(take_stages(spec, image))
        finally:
            await asyncio.shield(runner.ask(("docker", "rmi", image)))
        manifest = server.pushed[f"{name}", spec.version]
        server.offer(name, spec.version, manifest)
        server.store.use(manifest.blobs)
        await asyncio.to_thread(server.store.clean, manifest.blobs)

    @property
    def sentence(self) -> str:
        """What travelled, for a person."""
        if self.is_empty:
            return "nothing was sent: the image is not in the engine here, so the hosts have to have it"
        sent = self._server.sent if self._server is not None else None
        if sent is None or not sent.blobs:
            return "the hosts had every layer of the image already"
        return f"{sent.size_bytes / 1e6:.1f} MB in {sent.blobs} layers and configurations went to the hosts"

    async def close(self) -> None:
        """End it. Never raises."""
        if self._server is not None:
            await self._server.close()


def take_stages(spec: BuildSpec, image: str) -> tuple[HereStage, ...]:
    """Return what takes the image out of the engine, under the name `image`."""
    steps = (
        HereStep(f"{HERE}/name", "name the image for its way to the hosts", ("docker", "tag", spec.image, image)),
        HereStep(f"{HERE}/take", "take new layers out of the engine", ("docker", "push", image), limit_s=_PUSH_LIMIT_S),
    )
    return (HereStage("make the image ready for the hosts", (steps,)),)
