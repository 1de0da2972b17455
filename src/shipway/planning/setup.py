"""`plan_bootstrap`, the first of the plans of `setup`: what bare servers lack. The others are those of other verbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shipway.core.errors import Refused
from shipway.core.facts import Facts
from shipway.core.step import Plan
from shipway.planning.history import base_release
from shipway.planning.site import Site
from shipway.planning.stages import stage
from shipway.runtimes import bootstrap
from shipway.runtimes.bootstrap import HostState, Needs


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
    return Plan(
        run=run,
        verb="bootstrap",
        service=site.service,
        release="",
        version="",
        base=base_release(site, facts),
        primary=site.primary,
        stages=stage("Install what the servers lack", tracks),
    )
