"""Where a host gets an image from: a registry, or this machine through the host's own connection."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from shipway.config.registry import Registry

PULL_SCRIPT = (
    'umask 077; d=$(mktemp -d) || exit; trap \'rm -rf -- "$d"\' EXIT; cat >"$d/config.json";'
    ' [ -s "$d/config.json" ] || printf {} >"$d/config.json"; docker --config "$d" pull --quiet "$1" &&'
    ' { [ "$1" = "$2" ] || { docker tag "$1" "$2" && docker rmi "$1" >/dev/null; }; }'
)
"""`sh -c PULL_SCRIPT sh SOURCE IMAGE`: a configuration of Docker's client with a login is the input, or nothing is."""
_FIRST_PORT, _PORTS = 20_000, 10_000  # below what Linux gives to outgoing connections (32768 and up)


@dataclass(frozen=True, slots=True)
class PullFrom:
    """`source` is the repository that a host pulls (no tag), `repository` the name under which it keeps the image.

    They differ where the image comes through the host's connection (`localhost:PORT/<word>/<image>`): then the host
    tags what it pulled `<repository>:<version>` and forgets the name with the port. `registry`: to log in to first,
    None where there is nothing to log in to. A `source` of "" means that nothing is pulled: the host has the image.
    """

    source: str
    repository: str
    registry: Registry | None = None

    @property
    def is_delivered(self) -> bool:
        """Whether the image comes through the host's connection."""
        return self.source != self.repository


def from_registry(repository: str, registry: Registry) -> PullFrom:
    """Return the way over a registry."""
    has_login = registry.username is not None and registry.password is not None
    return PullFrom(repository, repository, registry if has_login else None)


def from_here(repository: str, port: int, word: str) -> PullFrom:
    """Return the way through the connection: `port` is that of the host's loopback, `word` keeps others out."""
    return PullFrom(f"localhost:{port}/{word}/{name_of(repository)}", repository)


def nowhere(repository: str) -> PullFrom:
    """Return what says that nothing is pulled: the host has the image already."""
    return PullFrom("", repository)


def name_of(repository: str) -> str:
    """Return the image's name without the address of a registry."""
    first, _, rest = repository.partition("/")
    return rest if rest and (":" in first or "." in first or first == "localhost") else repository


def is_delivered(registry: Registry) -> bool:
    """Whether hosts get images through their connections: there is no registry, or Kamal's local one."""
    return registry.is_none or registry.is_local


def wanted_port(registry: Registry, service: str) -> int:
    """Return the port to ask for on hosts: that of `localhost:PORT`, or one that is always the same for a service."""
    port = (registry.server or "").removeprefix("localhost:") if registry.is_local else ""
    if port.isascii() and port.isdigit() and 0 < int(port) < 65536:  # noqa: PLR2004  TCP
        return int(port)
    return _FIRST_PORT + int.from_bytes(hashlib.sha256(service.encode()).digest()[:4], "big") % _PORTS
