"""What was observed before planning: plain values, no clients, nothing that can answer later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shipway.core.errors import Finding
from shipway.core.record import Record


@dataclass(frozen=True, slots=True)
class HostFacts:
    """One host as it was found.

    `releases`: releases that are whole on disk. `leftovers`: releases begun and not whole. `running`: units alive, as
    (role, release). `live`: for each proxied role the address that the proxy sends to. `tools`: programs found, by
    name. `trouble`: why the runtime can run nothing there. `is_runtime_settled`: what the runtime needs once is there.
    `is_proxy_settled`: the proxy runs as configured. `clock_skew_s`: the host's clock less the operator's.
    """

    host: str
    user: str = ""
    home: str = ""
    system: str = ""
    free_bytes: int = -1
    clock_skew_s: float = 0.0
    tools: Mapping[str, str] = field(default_factory=dict)
    releases: tuple[str, ...] = ()
    leftovers: tuple[str, ...] = ()
    running: frozenset[tuple[str, str]] = frozenset()
    live: Mapping[str, str] = field(default_factory=dict)
    is_keeper_up: bool = False
    is_runtime_settled: bool = False
    trouble: tuple[Finding, ...] = ()
    is_proxy_up: bool = False
    is_proxy_settled: bool = False
    is_in_maintenance: bool = False
    proxy_config_hash: str = ""
    records: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """Every host of a service, the primary first."""

    hosts: tuple[HostFacts, ...]

    @property
    def primary(self) -> HostFacts:
        """The host that holds the lock and the lines of each run."""
        return self.hosts[0]

    def of(self, host: str) -> HostFacts:
        """Return the facts of `host`; raises KeyError for a host that was not observed."""
        for facts in self.hosts:
            if facts.host == host:
                return facts
        raise KeyError(host)
