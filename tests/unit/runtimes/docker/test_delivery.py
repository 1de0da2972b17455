"""Where hosts pull from."""

import pytest

from shipway.config.registry import Inline, Registry
from shipway.core.secret import SecretRef
from shipway.runtimes.docker.delivery import from_here, from_registry, is_delivered, name_of, nowhere, wanted_port

LOCAL, NONE = Registry(server="localhost:5000"), Registry(is_none=True)
HUB = Registry(username=Inline("ann", "registry/username"), password=SecretRef("PASSWORD"))


@pytest.mark.parametrize(
    ("repository", "name"),
    [("app", "app"), ("dhh/app", "dhh/app"), ("localhost:5000/dhh/app", "dhh/app"), ("r.example/a/b", "a/b")],
)
def test_the_name_without_a_registry(repository: str, name: str) -> None:
    assert name_of(repository) == name


def test_ways() -> None:
    way = from_here("localhost:5000/dhh/app", 23456, "0f")
    assert (way.source, way.repository) == ("localhost:23456/0f/dhh/app", "localhost:5000/dhh/app")
    assert way.is_delivered
    assert not from_registry("dhh/app", HUB).is_delivered
    assert from_registry("dhh/app", HUB).registry is HUB
    assert nowhere("dhh/app").source == ""
    assert [is_delivered(registry) for registry in (LOCAL, NONE, HUB)] == [True, True, False]


def test_the_port_that_is_asked_for() -> None:
    assert wanted_port(LOCAL, "shop") == 5000
    assert wanted_port(NONE, "shop") == wanted_port(NONE, "shop")
    assert wanted_port(NONE, "shop") != wanted_port(NONE, "shop-staging")
    assert 20_000 <= wanted_port(Registry(server="localhost:notaport"), "shop") < 30_000
