"""What is to be built: plain values, from the configuration and the git repository."""

from __future__ import annotations

from dataclasses import dataclass

from shipway.config.builder import Builder, BuilderKind
from shipway.config.registry import Registry
from shipway.core.secret import SecretRef

DEFAULT_DRIVER = "docker-container"
"""Kamal's, where the configuration names none."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the files come from.

    `directory`: where the build runs. With a `repository` it is first made a clean clone of it at `commit`, in
    `clone`. Without one it is the working tree.
    """

    directory: str
    repository: str = ""
    clone: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """One image to be built. `machine` is the architecture of this machine.

    `is_delivered`: hosts get the image through their SSH connections, so that it is to stand in the engine here and is
    pushed nowhere. `tag` follows the version (`-dirty` for a try). `no_cache`: every layer is made again.
    """

    service: str
    destination: str
    repository: str
    version: str
    builder: Builder
    registry: Registry
    source: Source
    machine: str
    tag: str = ""
    no_cache: bool = False
    is_delivered: bool = False

    @property
    def image(self) -> str:
        """The image with its version."""
        return f"{self.repository}:{self.version}{self.tag}"

    @property
    def latest(self) -> str:
        """The image with the tag that moves: `latest`, or `latest-<destination>`."""
        name = f"latest-{self.destination}" if self.destination else "latest"
        return f"{self.repository}:{name}{self.tag}"

    @property
    def kind(self) -> BuilderKind:
        """How it is built, seen from this machine."""
        return self.builder.kind(self.machine)

    @property
    def driver(self) -> str:
        """The buildx driver."""
        return self.builder.driver or DEFAULT_DRIVER

    @property
    def secrets(self) -> tuple[SecretRef, ...]:
        """The secrets that the build gets."""
        return tuple(SecretRef(name) for name in self.builder.secrets)

    @property
    def has_own_builder(self) -> bool:
        """Whether a buildx builder of its own is needed, beside the one inside the engine.

        The engine's own is faster, since the image is where it is needed. So it is taken where the configuration
        names no driver and asks for nothing that only another builder can do.
        """
        builder = self.builder
        if self.kind in ("remote", "hybrid", "cloud"):
            return True
        if self.kind == "pack" or self.driver == "docker":
            return False
        asks = (builder.driver, builder.cache, builder.provenance, builder.sbom, len(builder.arches) > 1)
        return any(ask not in (None, False) for ask in asks)
