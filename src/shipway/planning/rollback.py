"""`plan_rollback`: an earlier release, still whole on the hosts, back into service."""

from __future__ import annotations

from collections.abc import Sequence

from shipway.core.errors import Refused
from shipway.core.facts import Facts
from shipway.core.step import Plan
from shipway.planning.history import (
    base_release,
    by_number,
    in_order,
    last_good,
    live_on,
    release_number,
    version_of,
    whole_everywhere,
)
from shipway.planning.ready import check_ready
from shipway.planning.site import Site
from shipway.planning.stages import roll_out


def rollback_target(site: Site, facts: Facts, wanted: str = "") -> str:
    """Return the release to go back to: `wanted`, or the last good one.

    Raises Refused when it is not whole on every host, serves already, or when there is nothing to go back to.
    """
    check_ready(facts)
    base, whole = base_release(site, facts), whole_everywhere(facts)
    choice = wanted or last_good(facts.primary.records, base, whole)
    kept = ", ".join(r for r in in_order(whole) if r != base) or "none"
    if not choice:
        raise Refused(
            "rollback.nothing",
            "there is no earlier release to go back to",
            where=f"{site.service}: {base or 'nothing'} serves; kept on all hosts besides it: {kept}",
            next="`shipway releases` lists what was released",
        )
    if choice == base and _serves_alone(site, facts, base):
        raise Refused("rollback.serves_already", f"{choice} serves already", next="`shipway status` shows it")
    if choice not in whole:
        missing = ", ".join(host.host for host in facts.hosts if choice not in host.releases)
        hint = f"did you mean `{_nearest(choice, whole)}`?" if whole else "`shipway releases` lists what was released"
        raise Refused(
            "rollback.unknown_release",
            f"{choice} is not kept on {missing}",
            where=f"kept on all hosts: {kept}",
            next=hint,
        )
    return choice


def plan_rollback(site: Site, facts: Facts, run: str, release: str, notes: Sequence[str] = ()) -> Plan:
    """Return the plan that brings `release` (from `rollback_target`) back into service. The database stays as it is."""
    version = version_of(release, facts.primary.records)
    return Plan(
        run=run,
        verb="rollback",
        service=site.service,
        release=release,
        version=version,
        base=base_release(site, facts),
        primary=site.primary,
        stages=roll_out(site, facts, release, version),
        notes=tuple(notes),
    )


def _serves_alone(site: Site, facts: Facts, base: str) -> bool:
    """Whether `base` is what every proxy sends to and nothing else runs."""
    for host in facts.hosts:
        runtime = site.target(host.host).runtime
        live = live_on(site, host)
        if any(address != runtime.endpoint(site.unit(role, host.host, base)) for role, address in live.items()):
            return False
        if any(release != base for _, release in host.running):
            return False
    return True


def _nearest(release: str, whole: frozenset[str]) -> str:
    return min(by_number(whole), key=lambda r: abs(release_number(r) - release_number(release)), default="")
