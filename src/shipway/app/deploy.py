"""Deploy the commit at HEAD."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shipway.adapters.git import Tree
from shipway.app.answers import Report
from shipway.app.build import Building
from shipway.app.call import Caller, Choice
from shipway.app.change import Planner, Run, change
from shipway.app.context import Context, open_context
from shipway.app.sequel import Sequel
from shipway.app.signals import Interruption
from shipway.app.timings import Timings
from shipway.core.facts import Facts
from shipway.core.step import Plan
from shipway.planning.deploy import plan_deploy, plan_prepare
from shipway.planning.gate import Rules
from shipway.planning.history import next_release
from shipway.runtimes.base import Release

NOT_KNOWN_YET = (
    "which migrations are pending is known when {release} is on the hosts and can be asked: they run before the start"
    " or when the old release is gone, or the deploy ends there with nothing changed"
)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What whoever deploys allows its migrations: a fingerprint that was printed, a maintenance window."""

    approve: str = ""
    window: bool = False


async def deploy(choice: Choice, caller: Caller, interruption: Interruption, allowed: Allowed | None = None) -> Report:
    """Put the commit at HEAD into service on every host, and report."""
    timings = Timings(caller.listen)
    building = Building(timings.listen, caller)
    async with building, open_context(choice, caller, releases=True, building=building) as context:
        run = Run.new(context, caller, interruption, timings)
        await building.result()
        return await change(run, deploy_planner(context, run.id), sequel=sequel_of(context, allowed or Allowed()))


def deploy_planner(context: Context, run: str) -> Planner:
    """Return what plans the first part of the deploy of the tree of `context`."""

    def plan(facts: Facts) -> Plan:
        return plan_prepare(context.site, facts, run, _release(context, facts), tree_notes(context.tree))

    return plan


def preview_planner(context: Context, run: str) -> Planner:
    """Return what plans the deploy as far as it can be told before the new release is on a host."""

    def plan(facts: Facts) -> Plan:
        release = _release(context, facts)
        notes = (*tree_notes(context.tree), NOT_KNOWN_YET.format(release=release.release))
        return plan_deploy(context.site, facts, run, release, notes)

    return plan


def sequel_of(context: Context, allowed: Allowed) -> Callable[[Facts, Plan], Sequel]:
    """Return what knows how the deploy goes on after its first part."""
    command = f"shipway deploy{context.choice.options}"
    rules = Rules(context.site.migrations, allowed.approve, allowed.window, command)
    return lambda facts, first: Sequel(context, facts, first, rules)


def _release(context: Context, facts: Facts) -> Release:
    tree = context.tree
    return Release(next_release(facts), context.service.release_version, tree.repository, tree.project)


def tree_notes(tree: Tree) -> tuple[str, ...]:
    """Return what should be said about the tree before its HEAD is deployed."""
    return (tree.sentence,) if tree.uncommitted else ()
