"""What a person or a test needs to know of a lab that runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tests.lab.keys import USERS
from tests.lab.places import ADDRESSES, REGISTRY_PASSWORD, REGISTRY_USER, Places
from tests.lab.servers import Server


@dataclass(frozen=True)
class HostFacts:
    """One server. `bare` ones have no Docker until somebody installs it."""

    name: str
    address: str
    port: int
    ssh_user: str
    users: tuple[str, ...]
    container: str
    bare: bool


@dataclass(frozen=True)
class RegistryFacts:
    """The private registry; `ca` is the certificate that its clients have to trust (engines of the lab do)."""

    server: str
    username: str
    password: str
    ca: str


@dataclass(frozen=True)
class Facts:
    """The lab. `environment` is what an operator's shell has to export."""

    hosts: tuple[HostFacts, ...]
    ssh_config: str
    key: str
    known_hosts: str
    registry: RegistryFacts
    docker_host: str
    environment: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self)


def facts_of(places: Places, servers: Sequence[Server]) -> Facts:
    """The facts of the lab with these servers."""
    return Facts(
        hosts=tuple(
            HostFacts(each.name, each.address, 22, USERS[0], USERS, each.container, each.bare) for each in servers
        ),
        ssh_config=str(places.ssh_config),
        key=str(places.key),
        known_hosts=str(places.known_hosts),
        registry=RegistryFacts(ADDRESSES.registry_server, REGISTRY_USER, REGISTRY_PASSWORD, str(places.ca)),
        docker_host=places.docker_host,
        environment={
            "DOCKER_HOST": places.docker_host,
            "DOCKER_CONFIG": str(places.docker_config),
            "DOCKER_BUILDKIT": "1",
        },
    )
