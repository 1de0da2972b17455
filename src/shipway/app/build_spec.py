"""What is to be built, from what this machine knows of a service."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path

from shipway.adapters.git import Tree, read_file, read_tree
from shipway.app.service import Service
from shipway.config.model import Config
from shipway.config.registry import Registry
from shipway.core.errors import ConfigError
from shipway.runtimes.docker.delivery import is_delivered
from shipway.runtimes.docker.images.spec import BuildSpec, Source

_DIGITS = 13  # of the digest of the project's directory, as Kamal has it
_DOCKERFILE = "Dockerfile"


def cache_home() -> Path:
    """Return the directory on this machine for what can be made again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "shipway")


def build_spec(service: Service, *, no_cache: bool = False, tag: str = "", skips: bool = False) -> BuildSpec:
    """Return what is to be built for `service`.

    With `tag` the working tree is built and the image stays here. With `skips` nothing is built, so nothing is cloned.
    Raises ConfigError `git.*`, `config.no_commit`, `build.no_dockerfile`.
    """
    config = service.config
    builder, registry = config.builder, config.registry
    if builder is None or config.repository is None:
        raise ConfigError(
            "build.nothing", f"`runtime: {config.runtime}` builds no image", where="builder",
            next="add `image`, `registry` and `builder`, or deploy without building",
        )  # fmt: skip
    registry = registry or Registry()
    is_tree = bool(tag) or skips or builder.context is not None
    source = _working_tree(service, config) if is_tree else _clone(service, config)
    return BuildSpec(
        service=config.service,
        destination=config.destination or "",
        repository=config.repository,
        version=service.release_version,
        builder=builder,
        registry=registry,
        source=source,
        machine="arm64" if platform.machine() in ("aarch64", "arm64") else "amd64",
        tag=tag,
        no_cache=no_cache,
        is_delivered=is_delivered(registry),
    )


def dockerfile_text(service: Service, spec: BuildSpec) -> str:
    """Return the text of the Dockerfile, "" for a build without one. Raises ConfigError `build.no_dockerfile`."""
    if spec.kind == "pack":
        return ""
    name = spec.builder.dockerfile or _DOCKERFILE
    if not spec.source.repository:
        try:
            return Path(service.directory, name).read_text("utf-8", "replace")
        except OSError:
            raise _missing(name, service.directory, "it is not there", f"ls {name}") from None
    try:
        return read_file(read_tree(service.directory), name)
    except ConfigError as error:
        if error.code != "git.no_file":
            raise
        is_there = Path(service.directory, name).is_file()
        why = "it is not committed, and HEAD is what is built" if is_there else "it is not in the commit at HEAD"
        hint = f"git add {name} && git commit" if is_there else "write one, or name it: `builder: {dockerfile: PATH}`"
        raise _missing(name, service.directory, why, hint) from None


def _missing(name: str, where: str, why: str, hint: str) -> ConfigError:
    return ConfigError("build.no_dockerfile", f"Missing {name}: {why}", where=where, next=hint)


def _working_tree(service: Service, config: Config) -> Source:
    del config
    return Source(service.directory)


def _clone(service: Service, config: Config) -> Source:
    tree: Tree = read_tree(service.directory)
    digest = hashlib.sha256(service.directory.encode("utf-8", "surrogateescape")).hexdigest()[:_DIGITS]
    clone = cache_home() / "clones" / f"{config.service}-{digest}" / Path(tree.repository).name
    return Source(str(clone / tree.project), tree.repository, str(clone), tree.version)
