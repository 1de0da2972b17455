"""The protocol of a proxy. Every method is pure. An instance belongs to one service on one host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from shipway.core.action import Command
from shipway.core.logs import LogsAsked
from shipway.core.ports import Result
from shipway.core.step import Step


@dataclass(frozen=True, slots=True)
class ProxyFacts:
    """What a proxy read from the answers of a host. The names are those of `HostFacts`.

    `is_settled`: every host step is true already, so that a plan need not hold them.
    """

    live: Mapping[str, str] = field(default_factory=dict)
    is_proxy_up: bool = False
    is_in_maintenance: bool = False
    config_hash: str = ""
    is_settled: bool = False
    predecessor: str = ""
    neighbours: tuple[str, ...] = ()


class Proxy(Protocol):
    """What takes public traffic on one host for one service."""

    def probes(self) -> Mapping[str, Command]:
        """Return read-only commands by name; their results go to `parse`."""
        ...

    def parse(self, answers: Mapping[str, Result]) -> ProxyFacts:
        """Return what the answers to `probes` tell. Malformed or missing answers are read as "nothing there"."""
        ...

    def host_steps(self) -> tuple[Step, ...]:
        """Return what the proxy needs on the host for this service: installed, running, its site configured.

        Each step has `done`, so that a deploy with an unchanged proxy section never reloads the proxy.
        """
        ...

    def prepare_steps(self) -> tuple[Step, ...]:
        """Return those of `host_steps` that can be done while another program has the ports."""
        ...

    def upkeep_steps(self) -> tuple[Step, ...]:
        """Return what is to be looked at on a settled host too: certificates that come from secrets."""
        ...

    def take_over_steps(self, predecessor: str, live: Mapping[str, str]) -> tuple[Step, ...]:
        """Return the steps that put this proxy, prepared before, in the place of `predecessor` in one short step.

        Traffic goes to the addresses of `live` (by role) then, those of the releases that served. Undo gives the ports
        back to the predecessor. Raises Bug on a host whose facts never name a predecessor.
        """
        ...

    def remove_steps(self) -> tuple[Step, ...]:
        """Return the steps that take this service out of the proxy, and remove the proxy when no service is left."""
        ...

    def stop_steps(self) -> tuple[Step, ...]:
        """Return the steps that stop the proxy of the host, for every service; `host_steps` start it again."""
        ...

    def log_command(self, asked: LogsAsked) -> Command:
        """Return a command that prints the proxy's own log. Raises ValueError for what it cannot tell."""
        ...

    def switch_steps(self, role: str, endpoint: str, before: str) -> tuple[Step, ...]:
        """Return the steps that send `role`'s traffic to `endpoint`. Undo sends it to `before` ("": to nothing)."""
        ...

    def drain_steps(self, role: str, endpoint: str, limit_s: float) -> tuple[Step, ...]:
        """Return the steps that wait until `endpoint` holds no request, or the time is over (not a failure)."""
        ...

    def maintenance_steps(self, *, on: bool, message: str = "") -> tuple[Step, ...]:
        """Return the steps that switch maintenance mode on or off."""
        ...
