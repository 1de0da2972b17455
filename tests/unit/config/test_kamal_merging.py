"""What Kamal 2.12 does with a base file and a destination's, where its own tests look at neither."""

import pytest

from shipway.config.load import load_config
from shipway.config.summary import summary
from shipway.core.errors import ConfigError

BASE = """\
service: app
image: dhh/app
registry: {username: user, password: [REGISTRY_PASSWORD]}
builder: {arch: amd64}
servers: {web: [1.1.1.1]}
"""


def load(base: str, destination: str = "{}\n"):
    texts = {"config/deploy.yml": BASE + base, "config/deploy.test.yml": destination}
    return load_config(texts, destination="test")


@pytest.mark.parametrize(
    ("base", "destination", "said"),
    [
        ("proxy: {host: a.example}\n", "proxy: {hosts: [b.example]}\n", "Specify one of 'host' or 'hosts', not both"),
        ("env: {clear: {A: x}}\n", "env: {B: y}\n", "env: unknown key: B"),
        ("labels: {a: b}\n", "labels:\n", "labels: should be a hash"),
        ("accessories: {db: {image: p, host: h}}\n", "accessories: {db: }\n", "accessories/db: should be a hash"),
    ],
)
def test_what_cannot_be_merged_is_told(base: str, destination: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(base, destination)
    assert any(said in finding.what for finding in caught.value.findings), caught.value.findings


def test_maps_are_merged_and_everything_else_is_replaced() -> None:
    config = load(
        "env: {clear: {A: x, B: x}}\nvolumes: [/a:/a, /b:/b]\n",
        "env: {clear: {B: y}}\nvolumes: [/c:/c]\nservers: {web: [2.2.2.2]}\n",
    )
    (role,) = summary(config)["roles"].values()  # type: ignore[attr-defined]
    assert role["env_clear"] == {"2.2.2.2": {"A": "x", "B": "y"}}
    assert config.volumes == ("/c:/c",)


def test_an_extension_below_servers_is_a_role() -> None:
    found = summary(load("", "servers: {x-jobs: {hosts: [3.3.3.3], cmd: work}}\n"))
    assert set(found["roles"]) == {"web", "x-jobs"}  # type: ignore[call-overload]


def test_the_run_directory_is_accepted_and_passed_over() -> None:
    (found,) = load("run_directory: /elsewhere\n").warnings
    assert found.where.endswith("run_directory")
