"""The stages of a build on the operator's machine."""

from __future__ import annotations

from shipway.core.here import HereStage, HereStep
from shipway.runtimes.docker.images.builder import create_steps
from shipway.runtimes.docker.images.image import build_step, push_steps, pushes_itself
from shipway.runtimes.docker.images.login import login_step, needs_login
from shipway.runtimes.docker.images.source import clone_step
from shipway.runtimes.docker.images.spec import BuildSpec
from shipway.runtimes.docker.images.tools import BuildTools


def build_stages(spec: BuildSpec, tools: BuildTools) -> tuple[HereStage, ...]:
    """Return what makes the image: login, clone and builder side by side, then the build. Raises ValueError."""
    build = build_step(spec, tools)
    tracks: list[tuple[HereStep, ...]] = []
    if needs_login(spec.registry) and not spec.is_delivered and not spec.tag:
        tracks.append((login_step(spec.registry),))
    if spec.source.repository:
        tracks.append((clone_step(spec.source),))
    creation = create_steps(spec)
    if creation:
        tracks.append(creation)
    first = (HereStage("get ready to build", tuple(tracks)),) if tracks else ()
    return (*first, HereStage("build the image", ((build,),)))


def push_stages(spec: BuildSpec, tools: BuildTools) -> tuple[HereStage, ...]:
    """Return what sends the image to its registry; nothing where the build did that, or hosts get it from here."""
    if spec.is_delivered or spec.tag or pushes_itself(spec, tools):
        return ()
    return (HereStage("push the image", push_steps(spec)),)
