"""Names and commands of builders: Kamal's, so that both find what the other made."""

# ruff: noqa: E501, ISC004  commands and messages stand in one piece, as they are read and recorded

import pytest

from shipway.runtimes.docker.images.builder import builder_name, create_steps, details, remove_steps
from tests.unit.runtimes.docker.images.specs import HUB, LOCAL, builder, spec

REMOTE = "ssh://app@1.1.1.5:2122"
CASES = [
    ("local", {}, HUB, "kamal-local-docker-container", []),
    (
        "a driver that is named",
        {"driver": "docker-container"},
        HUB,
        "kamal-local-docker-container",
        ["docker buildx create --name kamal-local-docker-container --driver=docker-container"],
    ),
    ("the engine's own", {"driver": "docker"}, HUB, "kamal-local-docker", []),
    (
        "a local registry",
        {"arch": ("amd64", "arm64")},
        LOCAL,
        "kamal-local-registry-docker-container",
        [
            "docker buildx create --name kamal-local-registry-docker-container --driver=docker-container"
            " --driver-opt network=host"
        ],
    ),
    (
        "remote",
        {"arch": "arm64", "remote": REMOTE},
        HUB,
        "kamal-remote-ssh---app-1-1-1-5-2122",
        [
            "docker context create kamal-remote-ssh---app-1-1-1-5-2122-context"
            f" --description 'kamal-remote-ssh---app-1-1-1-5-2122 host' --docker host={REMOTE}",
            "docker buildx create --name kamal-remote-ssh---app-1-1-1-5-2122 kamal-remote-ssh---app-1-1-1-5-2122-context",
        ],
    ),
    (
        "remote with a local registry",
        {"arch": "arm64", "remote": "ssh://app@1.1.1.5"},
        LOCAL,
        "kamal-remote-ssh---app-1-1-1-5-local-registry",
        None,
    ),
    (
        "hybrid",
        {"arch": ("amd64", "arm64"), "remote": "ssh://app@1.1.1.5"},
        HUB,
        "kamal-hybrid-docker-container-ssh---app-1-1-1-5",
        [
            "docker context create kamal-hybrid-docker-container-ssh---app-1-1-1-5-context"
            " --description 'kamal-hybrid-docker-container-ssh---app-1-1-1-5 host' --docker host=ssh://app@1.1.1.5",
            "docker buildx create --platform linux/amd64 --name kamal-hybrid-docker-container-ssh---app-1-1-1-5"
            " --driver=docker-container",
            "docker buildx create --platform linux/arm64 --append --name"
            " kamal-hybrid-docker-container-ssh---app-1-1-1-5 kamal-hybrid-docker-container-ssh---app-1-1-1-5-context",
        ],
    ),
    (
        "cloud",
        {"driver": "cloud example_org/cloud_builder"},
        HUB,
        "cloud-example_org-cloud_builder",
        ["docker buildx create --driver cloud example_org/cloud_builder"],
    ),
]


@pytest.mark.parametrize(("section", "registry", "name", "commands"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_names_and_commands(section: dict, registry: object, name: str, commands: list[str] | None) -> None:
    made = spec(builder(**section), registry)
    assert builder_name(made) == name
    steps = create_steps(made)
    if commands is not None:
        assert [step.shell() for step in steps] == commands
    for step in steps:
        assert step.done or "--append" in step.argv  # whatever is there already is used as it is
    assert bool(remove_steps(made)) == bool(steps)
    assert details(made)


@pytest.mark.parametrize(
    ("section", "is_own"),
    [
        ({}, False),
        ({"driver": "docker", "provenance": "false"}, False),
        ({"cache": {"type": "gha"}}, True),
        ({"sbom": True}, True),
        ({"sbom": False}, False),
        ({"provenance": "mode=max"}, True),
        ({"pack": {"builder": "heroku/builder:24", "buildpacks": ("heroku/python",)}}, False),
    ],
)
def test_a_builder_of_its_own_only_where_something_asks_for_it(section: dict, *, is_own: bool) -> None:
    assert spec(builder(**section)).has_own_builder is is_own
