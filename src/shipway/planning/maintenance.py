"""`plan_maintenance`: the maintenance page on or off, on every host with a proxy."""

from __future__ import annotations

from shipway.core.facts import Facts
from shipway.core.step import Plan
from shipway.planning.history import base_release
from shipway.planning.site import Site
from shipway.planning.stages import stage


def plan_maintenance(site: Site, facts: Facts, run: str, *, on: bool, message: str = "") -> Plan:
    """Return the plan that shows the maintenance page to everybody (`on`), or the site again."""
    title = "Show the maintenance page" if on else "Show the site again"
    tracks = (t.proxy.maintenance_steps(on=on, message=message) for t in site.targets if t.proxy is not None)
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
