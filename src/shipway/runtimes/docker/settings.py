"""What the docker runtime must know besides the units: the image, where it comes from, and the flags of containers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from shipway.core.secret import Text

Scalar = str | int | float | bool | None
OptionValue = Scalar | tuple[Scalar, ...]
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,400}\Z")
_NETWORK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}\Z")
DOCKER_HUB = "https://index.docker.io/v1/"
"""The name under which Docker's configuration keeps the credentials of Docker Hub (registry.IndexServer of moby)."""


@dataclass(frozen=True, slots=True)
class Login:
    """The credentials of a registry; `server` is "" for Docker Hub."""

    server: str
    username: Text
    password: Text


@dataclass(frozen=True, slots=True)
class Logs:
    """Where Docker keeps what a container prints: `--log-driver` ("" leaves it to Docker) and `--log-opt`."""

    driver: str = ""
    options: Mapping[str, OptionValue] = field(default_factory=lambda: MappingProxyType({"max-size": "10m"}))


@dataclass(frozen=True, slots=True)
class RoleSettings:
    """What is particular to the containers of one role.

    `labels` without a value are None. `asset_path` is a directory of the image ("" for none), mounted with
    `asset_options`. `app_port` is where a proxied role listens.
    """

    options: Mapping[str, OptionValue] = field(default_factory=dict)
    labels: Mapping[str, Scalar] = field(default_factory=dict)
    logs: Logs = field(default_factory=Logs)
    restart: str = "unless-stopped"
    asset_path: str = ""
    asset_options: str = ""
    app_port: int = 80


@dataclass(frozen=True, slots=True)
class DockerSettings:
    """A service as Docker runs it.

    `repository` is the image's name with its registry and without a tag. `pull_from` is the repository that hosts pull
    from where it is another one ("" for `repository`); nothing is pulled with `pulls` False. `readiness_s` is how long
    a container that cannot be asked must stay up, `deploy_limit_s` in which time one must work.
    """

    service: str
    repository: str
    destination: str = ""
    login: Login | None = None
    pull_from: str = ""
    pulls: bool = True
    network: str = "kamal"
    volumes: tuple[str, ...] = ()
    roles: Mapping[str, RoleSettings] = field(default_factory=dict)
    readiness_s: float = 7.0
    deploy_limit_s: float = 30.0

    def __post_init__(self) -> None:
        for name in (self.repository, *filter(None, (self.pull_from,))):
            if not _IMAGE.match(name):
                raise ValueError(f"`{name}` cannot be the name of an image")
        if not _NETWORK.match(self.network):
            raise ValueError(f"`{self.network}` cannot be the name of a network")

    def role(self, name: str) -> RoleSettings:
        """Return what is particular to a role; nothing for one that the configuration does not have (any more)."""
        return self.roles.get(name, RoleSettings())

    def image(self, version: str) -> str:
        """Return the image of a version, as it is named on hosts."""
        return f"{self.repository}:{version}"

    def source(self, version: str) -> str:
        """Return the image of a version as hosts pull it, "" where it comes to them in another way."""
        return f"{self.pull_from or self.repository}:{version}" if self.pulls else ""

    @property
    def latest(self) -> str:
        """The image that served last, as Kamal names it."""
        return f"{self.repository}:latest-{self.destination}" if self.destination else f"{self.repository}:latest"
