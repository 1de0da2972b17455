"""What runs on the hosts, read from facts."""

from __future__ import annotations

from shipway.app.answers import Serving
from shipway.core.facts import Facts, HostFacts
from shipway.planning.history import serving_on, version_of
from shipway.planning.site import Site


def units_of(site: Site, facts: Facts, host: HostFacts) -> tuple[Serving, ...]:
    """Return the units alive on one host, by role; those that the proxy sends to are marked."""
    live = serving_on(site, host)
    return tuple(
        Serving(
            host=host.host,
            role=role,
            release=release,
            version=version_of(release, facts.primary.records),
            is_live=live.get(role) == release,
        )
        for role, release in sorted(host.running)
    )


def all_units(site: Site, facts: Facts) -> tuple[Serving, ...]:
    """Return the units alive on every host, the primary first."""
    return tuple(unit for host in facts.hosts for unit in units_of(site, facts, host))
