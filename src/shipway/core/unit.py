"""Unit: one role of one release on one host. The thing that a runtime starts, checks and stops."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from shipway.core.secret import Text

KAMAL = "kamal-"
"""Begins the name of a release that Kamal made; its version follows."""

Kind = Literal["web", "worker", "scheduler"]


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How a web unit is asked whether it works: `path` with the header `Host: host`, over HTTP, by its own host.

    A status from 200 to 299 is healthy. `https` sends `X-Forwarded-Proto: https`, as a proxy does where TLS ends.
    """

    path: str = "/up"
    host: str = "localhost"
    https: bool = False
    interval_s: float = 1.0
    timeout_s: float = 5.0
    limit_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Unit:
    """One role of one release on one host.

    `service` is the full name (`shop`, or `shop-staging` for a destination). `cmd` is the role's command line as the
    user wrote it ("" asks the runtime for its default). `env` holds clear values and references to secrets.
    `proxied` units receive public traffic and have a `health` check. `stop_s` is how long a unit may take to finish
    its work when asked to stop.
    """

    service: str
    role: str
    host: str
    release: str
    version: str
    kind: Kind = "web"
    cmd: str = ""
    proxied: bool = False
    stop_s: float = 30.0
    stop_signal: str = "TERM"
    health: HealthCheck | None = None
    env: tuple[tuple[str, Text], ...] = field(default=())

    @property
    def name(self) -> str:
        """`<service>-<role>-<release>`, unique on its host."""
        return f"{self.service}-{self.role}-{self.release}"


def patience(unit: Unit) -> str:
    """Return what the title of a stop says about a worker: that it may take long, and how long at most."""
    return f": it ends its tasks first, {unit.stop_s:.0f} s at most" if unit.kind == "worker" else ""
