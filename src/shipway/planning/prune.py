"""`plan_prune`: old releases and the remains of failed ones off the hosts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from shipway.core.facts import Facts
from shipway.core.step import Plan
from shipway.planning.history import base_release, last_good, whole_everywhere
from shipway.planning.ready import check_ready
from shipway.planning.site import Site
from shipway.planning.stages import clean_up


def plan_prune(site: Site, facts: Facts, run: str, hosts: Collection[str] | None = None) -> Plan:
    """Return the plan that keeps what serves, the way back, and the newest `site.retain` releases; nothing else.

    With `hosts` it happens on them alone.
    """
    check_ready(facts)
    base = base_release(site, facts)
    way_back = last_good(facts.primary.records, base, whole_everywhere(facts))
    running = {release for host in facts.hosts for _, release in host.running}
    stages = clean_up(site, facts, keep=running | {r for r in (base, way_back) if r})
    if hosts is not None:
        kept = [(one, tuple(track for track in one.tracks if track[0].host in hosts)) for one in stages]
        stages = tuple(replace(one, tracks=tracks) for one, tracks in kept if tracks)
    return Plan(
        run=run,
        verb="prune",
        service=site.service,
        release=base,
        version="",
        base=base,
        primary=site.primary,
        stages=stages,
    )
