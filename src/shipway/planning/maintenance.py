"""`plan_maintenance`: the maintenance page on or off, on every host with a proxy."""

from __future__ import annotations

from collections.abc import Collection

from shipway.core.facts import Facts
from shipway.core.step import Plan
from shipway.planning.history import base_release
from shipway.planning.site import Site
from shipway.planning.stages import stage


def plan_maintenance(  # noqa: PLR0913  what, where, and what is said
    site: Site, facts: Facts, run: str, *, on: bool, message: str = "", hosts: Collection[str] | None = None
) -> Plan:
    """Return the plan that shows the maintenance page to everybody (`on`), or the site again; on `hosts` alone."""
    title = "Show the maintenance page" if on else "Show the site again"
    tracks = (
        target.proxy.maintenance_steps(on=on, message=message)
        for target in site.targets
        if target.proxy is not None and (hosts is None or target.host in hosts)
    )
    base = base_release(site, facts)
    return Plan(
        run=run,
        verb="maintenance",
        service=site.service,
        release=base,
        version="",
        base=base,
        primary=site.primary,
        stages=stage(title, tracks),
        notes=(f"maintenance mode is {'on' if on else 'off'}",),
    )
