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
    `is_proxy_settled`: the proxy runs as configured. `predecessor`: the proxy of another tool (Kamal) that still has
    the ports, `neighbours`: other services that this tool runs there. `clock_skew_s`: the host's clock less the
    operator's.
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
    schedule: str = ""
    schedule_hosts: tuple[str, ...] = ()
    predecessor: str = ""
    neighbours: tuple[str, ...] = ()
    proxy_config_hash: str = ""
    records: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class AccessoryFacts:
    """The container of one accessory on one host. `state` is Docker's word for it, "" where there is none.

    `config`: the digest of what it was started with, "" for a container that Shipway did not start. `binds`, `ports`
    (`ip:port:container-port/protocol`) and `restart` are what it runs with. `unkept`: paths in it whose data stands in
    a volume without a name, which the next container does not get. `is_set_aside`: an older container stands beside it.
    """

    name: str
    host: str
    state: str = ""
    image: str = ""
    config: str = ""
    health: str = ""
    exit_code: int = 0
    restarts: int = 0
    started_at: str = ""
    networks: tuple[str, ...] = ()
    binds: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    restart: str = ""
    unkept: tuple[str, ...] = ()
    is_set_aside: bool = False

    @property
    def is_there(self) -> bool:
        """Whether there is a container, running or not."""
        return bool(self.state)

    @property
    def is_running(self) -> bool:
        """Whether it runs (`restarting` does not)."""
        return self.state == "running"


@dataclass(frozen=True, slots=True)
class Facts:
    """Every host of a service, the primary first; and its accessories, where they were asked for."""

    hosts: tuple[HostFacts, ...]
    accessories: tuple[AccessoryFacts, ...] = ()

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

    def accessory(self, name: str, host: str) -> AccessoryFacts:
        """Return what was found of an accessory on `host`; one that was not asked for counts as missing."""
        found = (facts for facts in self.accessories if (facts.name, facts.host) == (name, host))
        return next(found, AccessoryFacts(name, host))
