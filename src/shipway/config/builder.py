"""`builder`: how the image is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shipway.config.keys import ListOf, OneOf, Section, key
from shipway.config.kinds import Boolean, Plain, Schema, Text, wrong_type
from shipway.config.report import Report
from shipway.config.tree import MapNode, Node, Path, ScalarValue, is_null

BuilderKind = Literal["local", "remote", "hybrid", "pack", "cloud"]


@dataclass(frozen=True, slots=True)
class ArgsKind:
    """Build arguments; one without a value is passed on from the environment (`docker build --build-arg NAME`)."""

    words: str = "a hash"

    def accepts(self, node: Node) -> bool:
        """Return whether `node` is a map."""
        return isinstance(node, MapNode)

    def read(self, node: Node, path: Path, report: Report) -> Mapping[str, ScalarValue] | None:
        """Return the arguments; None stands for a value that comes from the environment."""
        if not isinstance(node, MapNode):
            wrong_type(self.words, node, path, report)
            return None
        return {
            name: None if is_null(entry.node) else Plain().read(entry.node, (*path, name), report)
            for name, entry in node.entries.items()
        }

    def schema(self) -> Schema:
        """Return the JSON Schema of the kind."""
        return {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildCache:
    """Where layers are kept between builds."""

    type: str | None = key(Text(), "`gha` (GitHub Actions) or `registry`.")
    options: str | None = key(Text(), "Options of the cache, with commas: `mode=max`.")
    image: str | None = key(Text(), "The image that holds the cache.", default="`<image>-build-cache`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A build with buildpacks instead of a Dockerfile."""

    builder: str | None = key(Text(), "The builder image.")
    buildpacks: tuple[str, ...] | None = key(ListOf(Text()), "The buildpacks to use.")


def _check_pack(pack: Pack, path: Path, report: Report) -> None:
    for name in ("builder", "buildpacks"):
        if not getattr(pack, name):
            report.add("required", (*path, name), "is required", next="name a builder image and its buildpacks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """How the image is built."""

    arch: tuple[str, ...] | str = key(
        OneOf((ListOf(Text()), Text())), "The architecture of the hosts: amd64, arm64, or a list.", value=()
    )
    remote: str | None = key(Text(), "A machine that builds for other architectures: `ssh://user@host`.")
    local: bool | None = key(Boolean(), "Whether to build on this machine.", default="true")
    driver: str | None = key(
        Text(), "The buildx driver: `docker-container`, `docker`, `cloud org/name`.", default="docker-container"
    )
    context: str | None = key(Text(), "The build context; unset: a clean clone of HEAD.", default="a git clone")
    dockerfile: str | None = key(Text(), "The Dockerfile.", default="Dockerfile")
    target: str | None = key(Text(), "The stage of the Dockerfile to build.")
    ssh: str | None = key(Text(), "An SSH agent or key for the build: `default=$SSH_AUTH_SOCK`.")
    provenance: str | None = key(Text(), "Provenance attestation: `mode=max`, true or false.")
    sbom: bool | None = key(Boolean(), "Whether to attach a list of packages to the image.")
    args: Mapping[str, ScalarValue] | None = key(
        ArgsKind(), "Build arguments; one without a value comes from the environment.", default="none"
    )
    secrets: tuple[str, ...] = key(ListOf(Text()), "Names of secrets given to the build.", value=())
    cache: BuildCache | None = key(Section(BuildCache), "Where layers are kept between builds.")
    pack: Pack | None = key(Section(Pack, check=_check_pack), "A build with buildpacks instead of a Dockerfile.")

    @property
    def arches(self) -> tuple[str, ...]:
        """The architectures to build for."""
        return (self.arch,) if isinstance(self.arch, str) else tuple(self.arch)

    def local_arches(self, machine: str) -> tuple[str, ...]:
        """Return the architectures that are built on this machine, whose own is `machine`."""
        if self.local is False:
            return ()
        return tuple(arch for arch in self.arches if arch == machine) if self.remote else self.arches

    def remote_arches(self, machine: str) -> tuple[str, ...]:
        """Return the architectures that are built on the remote machine."""
        here = self.local_arches(machine)
        return tuple(arch for arch in self.arches if arch not in here) if self.remote else ()

    def kind(self, machine: str) -> BuilderKind:
        """Return how the image is built, seen from a machine of architecture `machine`."""
        if self.remote_arches(machine):
            return "hybrid" if self.local_arches(machine) else "remote"
        if self.pack:
            return "pack"
        return "cloud" if (self.driver or "").startswith("cloud") else "local"


def check_builder(builder: Builder, path: Path, report: Report) -> None:
    """Report what Kamal refuses about a builder, and what it accepts and then cannot build."""
    if builder.cache and builder.cache.type and builder.cache.type not in ("gha", "registry"):
        report.add("value", path, f"Invalid cache type: {builder.cache.type}", next="write gha or registry")
    if not any(builder.arches):
        report.add("required", path, "Builder arch not set", next="write `arch: amd64`")
    if builder.pack and len(builder.arches) > 1:
        report.add("conflict", path, "buildpacks only support building for one arch", next="write one arch")
    if builder.local is False and not builder.remote:
        hint = "set `remote: ssh://user@host`, or remove `local: false`"
        report.add("conflict", path, "Cannot disable local builds, no remote is set", next=hint)
    if builder.driver == "docker":
        for what, is_there in (
            ("remote builders", builder.remote),
            ("caching", builder.cache),
            ("multiple arches", len(builder.arches) > 1),
        ):
            if is_there:
                report.warn("conflict", (*path, "driver"), f"the `docker` driver does not support {what}")
