"""The build command for every key of `builder`, with each of the three builders."""

# ruff: noqa: E501, ISC004  commands and messages stand in one piece, as they are read and recorded

import shlex

import pytest

from shipway.core.secret import SecretRef
from shipway.runtimes.docker.images.image import build_step, push_steps, pushes_itself
from shipway.runtimes.docker.images.phase import build_stages, push_stages
from shipway.runtimes.docker.images.spec import BuildSpec
from tests.unit.runtimes.docker.images.specs import BUILDKIT, BUILDX, CLASSIC, LOCAL, builder, spec

TAGS = "-t dhh/app:999 -t dhh/app:latest"
OWN = "--builder kamal-local-docker-container"
CASES = {
    "plain": (spec(), BUILDX, f"docker buildx build --load --progress=plain --platform linux/amd64 {TAGS} --label service=app --file Dockerfile ."),
    "BuildKit in the client": (spec(), BUILDKIT, f"docker build --progress=plain --platform linux/amd64 {TAGS} --label service=app --file Dockerfile ."),
    "classic": (spec(), CLASSIC, f"docker build {TAGS} --label service=app --file Dockerfile ."),
    "destination": (spec(destination="staging"), CLASSIC, "docker build -t dhh/app:999 -t dhh/app:latest-staging --label service=app --file Dockerfile ."),
    "no cache, target, Dockerfile, context": (
        spec(builder(target="run", dockerfile="ops/Dockerfile.web", context="web"), no_cache=True),
        CLASSIC,
        f"docker build {TAGS} --no-cache --label service=app --file ops/Dockerfile.web --target run web",
    ),
    "arguments, secrets, ssh": (
        spec(builder(args={"COLOUR": "blue", "EMPTY": None, "PATH": "/x"}, secrets=("TOKEN",), ssh="default=/run/agent")),
        BUILDKIT,
        f"docker build --progress=plain --platform linux/amd64 {TAGS} --label service=app --build-arg COLOUR --build-arg EMPTY"
        " --build-arg PATH=/x --secret id=TOKEN --file Dockerfile --ssh default=/run/agent .",
    ),
    "several architectures": (
        spec(builder(arch=("amd64", "arm64"))),
        BUILDX,
        f"docker buildx build --output=type=registry --progress=plain --platform linux/amd64,linux/arm64 {OWN} {TAGS}"
        " --label service=app --file Dockerfile .",
    ),
    "a cache in a registry": (
        spec(builder(cache={"type": "registry", "options": "mode=max", "image": "dhh/cache"})),
        BUILDX,
        f"docker buildx build --output=type=registry --progress=plain --platform linux/amd64 {OWN} {TAGS}"
        " --cache-to type=registry,mode=max,ref=dhh/cache --cache-from type=registry,ref=dhh/cache"
        " --label service=app --file Dockerfile .",
    ),
    "a cache of GitHub": (
        spec(builder(cache={"type": "gha", "options": "mode=max,scope=app,timeout=5m"})),
        BUILDX,
        f"docker buildx build --output=type=registry --progress=plain --platform linux/amd64 {OWN} {TAGS}"
        " --cache-to type=gha,mode=max,scope=app,timeout=5m --cache-from type=gha,scope=app,timeout=5m"
        " --label service=app --file Dockerfile .",
    ),
    "attestations": (
        spec(builder(provenance="mode=max", sbom=True)),
        BUILDX,
        f"docker buildx build --output=type=registry --progress=plain --platform linux/amd64 {OWN} {TAGS}"
        " --label service=app --file Dockerfile --provenance mode=max --sbom true .",
    ),
    "an own builder for hosts that pull from here": (
        spec(builder(driver="docker-container"), LOCAL),
        BUILDX,
        "docker buildx build --load --progress=plain --platform linux/amd64 --builder kamal-local-registry-docker-container"
        " -t localhost:5000/dhh/app:999 -t localhost:5000/dhh/app:latest --label service=app --file Dockerfile .",
    ),
    "a try": (
        spec(tag="-dirty"),
        CLASSIC,
        "docker build -t dhh/app:999-dirty -t dhh/app:latest-dirty --label service=app --file Dockerfile .",
    ),
    "buildpacks": (
        spec(builder(pack={"builder": "heroku/builder:24", "buildpacks": ("heroku/python",)}, args={"A": 1}, secrets=("TOKEN",))),
        CLASSIC,
        "pack build dhh/app --platform linux/amd64 --creation-time now --builder heroku/builder:24 --buildpack heroku/python"
        f" --buildpack paketo-buildpacks/image-labels {TAGS} --env BP_IMAGE_LABELS=service=app --env A --env TOKEN --path .",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_command(name: str) -> None:
    made, tools, words = CASES[name]
    step = build_step(made, tools)
    assert shlex.join(step.argv) == words
    assert step.directory == "/clones/app"


def test_values_travel_by_the_environment() -> None:
    made = spec(builder(args={"COLOUR": "blue", "ON": True, "HOME": "/x"}, secrets=("TOKEN",)))
    env = dict(build_step(made, BUILDKIT).env)
    assert env == {
        "DOCKER_BUILDKIT": ("1",),
        "TOKEN": (SecretRef("TOKEN"),),
        "COLOUR": ("blue",),
        "ON": ("true",),
    }
    assert "blue" not in build_step(made, BUILDKIT).shell()


@pytest.mark.parametrize(
    ("section", "tools", "said"),
    [
        ({"secrets": ("TOKEN",)}, CLASSIC, "`secrets`"),
        ({"ssh": "default"}, CLASSIC, "`ssh`"),
        ({"arch": "arm64"}, CLASSIC, "`arch: arm64`"),
        ({"cache": {"type": "gha"}}, BUILDKIT, "`cache`"),
        ({"driver": "docker-container"}, BUILDKIT, "`driver: docker-container`"),
        ({"arch": ("amd64", "arm64")}, BUILDKIT, "more than one `arch`"),
        ({"sbom": True, "provenance": "true"}, CLASSIC, "`provenance`, `sbom`"),
    ],
)
def test_what_a_builder_cannot_do_is_said(section: dict, tools: object, said: str) -> None:
    with pytest.raises(ValueError, match="without buildx") as caught:
        build_step(spec(builder(**section)), tools)
    assert said in str(caught.value)


def titles(made: BuildSpec, tools: object) -> list[str]:
    stages = (*build_stages(made, tools), *push_stages(made, tools))
    return [step.id for stage in stages for track in stage.tracks for step in track]


def test_the_stages() -> None:
    assert titles(spec(), BUILDX) == ["here/login", "here/clone", "here/build", "here/push-0", "here/push-1"]
    own = spec(builder(driver="docker-container"))
    assert titles(own, BUILDX) == ["here/login", "here/clone", "here/builder", "here/build"]
    assert pushes_itself(own, BUILDX)
    assert titles(spec(registry=LOCAL), BUILDX) == ["here/clone", "here/build"]
    assert titles(spec(tag="-dirty"), BUILDX) == ["here/clone", "here/build"]


def test_both_tags_are_pushed_one_after_the_other() -> None:
    (track,) = push_steps(spec())
    assert [step.shell() for step in track] == [
        "docker push dhh/app:999",
        "docker push dhh/app:latest",
    ]
