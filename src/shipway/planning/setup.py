"""The first of the plans of `setup`, what bare servers lack, and the one that takes that back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from shipway.core.errors import Refused
from shipway.core.facts import Facts
from shipway.core.step import Plan
from shipway.planning.site import Site
from shipway.planning.stages import plan_in_place, stage
from shipway.runtimes import bootstrap, unbootstrap
from shipway.runtimes.bootstrap import HostState, Needs
from shipway.runtimes.unbootstrap import Changed


def check_bootstrap(states: Sequence[HostState], needs: Mapping[str, Needs]) -> None:
    """Raise one Refused for all servers that Shipway cannot make ready by itself."""
    found = tuple(finding for state in states for finding in bootstrap.check(state, needs[state.host]))
    if not found:
        return
    hosts = ", ".join(dict.fromkeys(finding.where for finding in found))
    codes = {finding.code for finding in found}
    raise Refused(
        codes.pop() if len(codes) == 1 else "setup.not_possible",
        found[0].what if len(found) == 1 else f"Shipway cannot make {hosts} ready by itself",
        where=hosts,
        next=found[0].next,
        findings=found,
    )


def plan_bootstrap(site: Site, facts: Facts, run: str, states: Sequence[HostState], needs: Mapping[str, Needs]) -> Plan:
    """Return the plan that installs what servers lack. It has no step when they lack nothing."""
    tracks = (bootstrap.steps(state, needs[state.host]) for state in states)
    stages = stage("Install what the servers lack", tracks)
    return replace(plan_in_place(site, facts, run, "bootstrap", stages), release="", version="")


def check_unbootstrap(found: Sequence[Changed]) -> None:
    """Raise one Refused for all servers where something still needs what was installed."""
    findings = tuple(finding for one in found for finding in unbootstrap.check(one))
    if findings:
        hosts = ", ".join(dict.fromkeys(finding.where for finding in findings))
        what = findings[0].what if len(findings) == 1 else f"{hosts} are still in use"
        raise Refused(findings[0].code, what, where=hosts, next=findings[0].next, findings=findings)


def plan_unbootstrap(site: Site, facts: Facts, run: str, found: Sequence[Changed], roots: Mapping[str, str]) -> Plan:
    """Return the plan that takes back what `plan_bootstrap` changed; `roots` are the state directories of hosts."""
    stages = stage("Take back what was installed", (unbootstrap.steps(one) for one in found))
    plan = plan_in_place(site, facts, run, "unbootstrap", stages)
    notes = tuple(note for one in found for note in unbootstrap.notes(one, roots[one.host]))
    return replace(plan, release="", version="", notes=notes)
