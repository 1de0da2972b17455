"""Taking a host over from another tool (Kamal) whose proxy has the ports and whose release serves."""

from __future__ import annotations

from shipway.core.facts import Facts
from shipway.core.step import Plan, Stage
from shipway.planning.history import live_on
from shipway.planning.site import Site

_VERBS = frozenset({"deploy", "redeploy", "rollback"})


def take_over(site: Site, facts: Facts) -> tuple[Stage, ...]:
    """Return the stage that puts our proxy in the place of the other one, nothing where there is none.

    It stands between the start of the new release and the switch to it: a release that does not come up leaves the
    other tool's proxy as it was, and until the switch the traffic goes on to the other tool's release.
    """
    tracks = []
    for target in site.targets:
        host = facts.of(target.host)
        if target.proxy is not None and host.predecessor:
            tracks.append(target.proxy.take_over_steps(host.predecessor, live_on(site, host)))
    return (Stage("Take over from Kamal", tuple(tracks), site.boot_width),) if tracks else ()


def take_over_notes(facts: Facts) -> tuple[str, ...]:
    """Return what a person should know before a take-over."""
    notes = []
    for host in facts.hosts:
        if host.predecessor:
            notes.append(f"{host.host}: {host.predecessor} is stopped and Shipway's proxy takes its ports; it is kept")
        if host.predecessor and host.neighbours:
            names = ", ".join(host.neighbours)
            notes.append(f"{host.host}: {names} will not be reachable until deployed with Shipway too")
    return tuple(notes)


def needs_consent(plan: Plan, facts: Facts) -> bool:
    """Return whether `plan` takes a host over, which nobody may do without having been told."""
    return plan.verb in _VERBS and any(host.predecessor for host in facts.hosts)
