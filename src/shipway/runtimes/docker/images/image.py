"""The commands that build an image and push it."""

from __future__ import annotations

from collections.abc import Iterator

from shipway.config.builder import BuildCache
from shipway.core.here import HERE, HereStep
from shipway.core.secret import Text
from shipway.runtimes.docker.images.builder import builder_name
from shipway.runtimes.docker.images.spec import BuildSpec
from shipway.runtimes.docker.images.tools import BuildTools

_PUSH_LIMIT_S = 1800.0
_PUSH_AGAIN_S = (1.0, 3.0)  # a registry that restarts, or that two pushes met in
_GHA_FROM = ("url", "url_v2", "token", "scope", "timeout")
"""The options of a gha cache that reading takes (Kamal's list; the others are for writing)."""
_CLIENTS_OWN = ("PATH", "HOME", "TMPDIR")
_CLIENTS_PREFIXES = ("DOCKER_", "BUILDX_", "BUILDKIT_", "SSH_", "LD_")
"""Variables that steer the docker client: a build argument of such a name cannot travel by the environment."""
LABEL = "service"


def build_step(spec: BuildSpec, tools: BuildTools) -> HereStep:
    """Return the step that builds the image; where a builder of its own can push, it pushes too. Raises ValueError."""
    if spec.kind == "pack":
        return _pack(spec)
    words: list[str]
    env: list[tuple[str, Text]] = []
    match tools.way:
        case "buildx":
            words = ["docker", "buildx", "build", *_output(spec), "--progress=plain"]
        case "buildkit":
            words, env = ["docker", "build", "--progress=plain"], [("DOCKER_BUILDKIT", ("1",))]
        case _:
            words, env = ["docker", "build"], [("DOCKER_BUILDKIT", ("0",))]
    if tools.way != "buildx":
        _need_buildx(spec, is_classic=tools.way == "classic")
    if tools.way != "classic":
        words += ["--platform", ",".join(f"linux/{arch}" for arch in spec.builder.arches)]
    if tools.way == "buildx" and spec.has_own_builder:
        words += ["--builder", builder_name(spec)]
    words += ["-t", spec.image, "-t", spec.latest, *_options(spec)]
    env += [(name, (ref,)) for ref in spec.secrets for name in (ref.name,)]
    env += [(name, (value,)) for name, value in _args(spec) if value is not None and _can_travel(name)]
    title = f"build {spec.image}" + (" and push it" if pushes_itself(spec, tools) else "")
    argv = (*words, spec.builder.context or ".")
    return HereStep(f"{HERE}/build", title, argv, env=tuple(env), directory=spec.source.directory)


def pushes_itself(spec: BuildSpec, tools: BuildTools) -> bool:
    """Whether the build pushes: the image is then never in the engine of this machine."""
    return tools.way == "buildx" and spec.has_own_builder and not spec.is_delivered and not spec.tag


def push_steps(spec: BuildSpec) -> tuple[tuple[HereStep, ...], ...]:
    """Return one track that pushes both tags.

    Not side by side: the two have the same configuration blob, and a registry that stores it twice at the same moment
    may fail (seen: docker-registry 2.8 with files answered 500). The second tag has nothing left to send.
    """
    return (
        tuple(
            HereStep(
                f"{HERE}/push-{number}", f"push {image}", ("docker", "push", image), limit_s=_PUSH_LIMIT_S,
                passing=("registry.unreachable",), again_after_s=_PUSH_AGAIN_S,
            )
            for number, image in enumerate((spec.image, spec.latest))
        ),
    )  # fmt: skip


def _output(spec: BuildSpec) -> tuple[str, ...]:
    return (
        ("--output=type=registry",) if spec.has_own_builder and not spec.is_delivered and not spec.tag else ("--load",)
    )


def _options(spec: BuildSpec) -> Iterator[str]:
    builder = spec.builder
    if spec.no_cache:
        yield "--no-cache"
    if builder.cache and builder.cache.type:
        yield from ("--cache-to", _cache_to(spec, builder.cache), "--cache-from", _cache_from(spec, builder.cache))
    yield from ("--label", f"{LABEL}={spec.service}")
    for name, value in _args(spec):
        is_clear = value is not None and not _can_travel(name)
        yield from ("--build-arg", f"{name}={value}" if is_clear else name)
    for ref in spec.secrets:
        yield from ("--secret", f"id={ref.name}")
    yield from ("--file", builder.dockerfile or "Dockerfile")
    for option, text in (("--target", builder.target), ("--ssh", builder.ssh), ("--provenance", builder.provenance)):
        if text:
            yield from (option, text)
    if builder.sbom is not None:
        yield from ("--sbom", "true" if builder.sbom else "false")


def _args(spec: BuildSpec) -> Iterator[tuple[str, str | None]]:
    """Yield the build arguments; None for one whose value is that of our own environment."""
    for name, value in (spec.builder.args or {}).items():
        if value is None:
            yield name, None
        else:
            yield name, ("true" if value else "false") if isinstance(value, bool) else str(value)


def _can_travel(name: str) -> bool:
    return name.isidentifier() and name not in _CLIENTS_OWN and not name.startswith(_CLIENTS_PREFIXES)


def _cache_ref(spec: BuildSpec, cache: BuildCache) -> str:
    name = cache.image or f"{spec.repository}-build-cache"
    server = spec.registry.server
    return f"{server}/{name}" if cache.image and server else name


def _cache_to(spec: BuildSpec, cache: BuildCache) -> str:
    ref = f"ref={_cache_ref(spec, cache)}" if cache.type == "registry" else ""
    return ",".join(filter(None, (f"type={cache.type}", cache.options, ref)))


def _cache_from(spec: BuildSpec, cache: BuildCache) -> str:
    if cache.type == "registry":
        return f"type=registry,ref={_cache_ref(spec, cache)}"
    options = [part for part in (cache.options or "").split(",") if part.partition("=")[0] in _GHA_FROM]
    return ",".join(("type=gha", *options))


def _need_buildx(spec: BuildSpec, *, is_classic: bool) -> None:
    """Raise ValueError for what the configuration asks of the build and this builder does not know."""
    builder = spec.builder
    wants = {
        f"`driver: {spec.builder.driver}`": builder.driver not in (None, "docker"),
        "`remote`": spec.kind in ("remote", "hybrid"),
        "`cache`": builder.cache is not None,
        "`provenance`": builder.provenance is not None,
        "`sbom`": builder.sbom is not None,
        "more than one `arch`": len(builder.arches) > 1,
        "`secrets`": is_classic and bool(builder.secrets),
        "`ssh`": is_classic and bool(builder.ssh),
        f"`arch: {', '.join(builder.arches)}`": is_classic and spec.machine not in builder.arches,
    }
    asked = [what for what, is_wanted in wants.items() if is_wanted]
    if asked:
        raise ValueError(f"builder: {', '.join(asked)} cannot be had without buildx, which is not installed here")


def _pack(spec: BuildSpec) -> HereStep:
    pack = spec.builder.pack
    assert pack is not None  # noqa: S101  the kind says so
    packs = [
        word for name in (*(pack.buildpacks or ()), "paketo-buildpacks/image-labels") for word in ("--buildpack", name)
    ]
    args = dict(_args(spec))
    names = (*args, *(ref.name for ref in spec.secrets))
    env: list[tuple[str, Text]] = [(name, (value,)) for name, value in args.items() if value is not None]
    env += [(ref.name, (ref,)) for ref in spec.secrets]
    argv = (
        *("pack", "build", spec.repository, "--platform", f"linux/{spec.builder.arches[0]}"),
        *("--creation-time", "now", "--builder", pack.builder or "", *packs, "-t", spec.image, "-t", spec.latest),
        *(("--clear-cache",) if spec.no_cache else ()),
        *("--env", f"BP_IMAGE_LABELS={LABEL}={spec.service}"),
        *(word for name in names for word in ("--env", name)),
        *("--path", spec.builder.context or "."),
    )
    return HereStep(
        f"{HERE}/build", f"build {spec.image} with buildpacks", argv, env=tuple(env), directory=spec.source.directory
    )
