"""The buildx builders, with Kamal's names: so that what Kamal made is used, and what we make is found by Kamal."""

from __future__ import annotations

import re

from shipway.core.here import HERE, HereStep
from shipway.runtimes.docker.images.spec import BuildSpec

_CREATE_LIMIT_S = 300.0  # the builder's own image may have to be pulled
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9_-]")


def builder_name(spec: BuildSpec) -> str:
    """Return the name of the builder (reference of Kamal, 1.7)."""
    remote = _NOT_IN_A_NAME.sub("-", spec.builder.remote or "")
    local = "-local-registry" if spec.is_delivered else ""
    match spec.kind:
        case "remote":
            return f"kamal-remote-{remote}{local}"
        case "hybrid":
            return f"kamal-hybrid-{spec.driver}-{remote}{local}"
        case "cloud":
            return re.sub(r"[ /]", "-", spec.driver)
        case "pack":
            return (spec.builder.pack.builder if spec.builder.pack else None) or ""
        case "local":
            return f"kamal-local{'-registry' if spec.is_delivered else ''}-{spec.driver}"


def create_steps(spec: BuildSpec) -> tuple[HereStep, ...]:
    """Return the steps that make the builder; each is skipped where its part is there."""
    if not spec.has_own_builder:
        return ()
    name, context = builder_name(spec), f"{builder_name(spec)}-context"
    host = spec.builder.remote or ""
    create = ("docker", "buildx", "create")
    network = ("--driver-opt", "network=host") if spec.is_delivered and spec.kind != "cloud" else ()
    is_there = ("docker", "buildx", "inspect", name)
    remote = HereStep(
        f"{HERE}/context",
        f"tell Docker of the machine that builds, {host}",
        ("docker", "context", "create", context, "--description", f"{name} host", "--docker", f"host={host}"),
        done=("docker", "context", "inspect", context),
        limit_s=_CREATE_LIMIT_S,
    )
    title = f"create the builder {name}"
    match spec.kind:
        case "remote":
            return remote, _create(title, (*create, "--name", name, *network, context), is_there)
        case "hybrid":
            here = _platform(spec.builder.local_arches(spec.machine))
            there = _platform(spec.builder.remote_arches(spec.machine))
            first = _create(title, (*create, *here, "--name", name, f"--driver={spec.driver}", *network), is_there)
            more = (*create, *there, "--append", "--name", name, *network, context)
            return remote, first, HereStep(f"{HERE}/append", f"add {host} to it", more, limit_s=_CREATE_LIMIT_S)
        case "cloud":
            return (_create(title, (*create, "--driver", *spec.driver.split()), is_there),)
        case _:
            return (_create(title, (*create, "--name", name, f"--driver={spec.driver}", *network), is_there),)


def remove_steps(spec: BuildSpec) -> tuple[HereStep, ...]:
    """Return the steps that remove the builder."""
    if not spec.has_own_builder:
        return ()
    name = builder_name(spec)
    steps = (HereStep(f"{HERE}/remove", f"remove the builder {name}", ("docker", "buildx", "rm", name)),)
    if spec.kind not in ("remote", "hybrid"):
        return steps
    context = ("docker", "context", "rm", "--force", f"{name}-context")
    return (*steps, HereStep(f"{HERE}/remove-context", f"remove the context {name}-context", context))


def details(spec: BuildSpec) -> tuple[tuple[str, ...], ...]:
    """Return the commands that tell about the builder."""
    if spec.kind == "pack":
        return (("pack", "builder", "inspect", builder_name(spec)),)
    if spec.has_own_builder:
        return (("docker", "context", "ls"), ("docker", "buildx", "inspect", builder_name(spec)))
    return (("docker", "context", "ls"), ("docker", "version"))


def _create(title: str, argv: tuple[str, ...], is_there: tuple[str, ...]) -> HereStep:
    return HereStep(f"{HERE}/builder", title, argv, done=is_there, limit_s=_CREATE_LIMIT_S)


def _platform(arches: tuple[str, ...]) -> tuple[str, ...]:
    return ("--platform", ",".join(f"linux/{arch}" for arch in arches)) if arches else ()
