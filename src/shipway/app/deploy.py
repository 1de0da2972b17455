"""Deploy the commit at HEAD."""

from __future__ import annotations

from shipway.adapters.git import Tree
from shipway.app.answers import Report
from shipway.app.build import Building
from shipway.app.call import Caller, Choice
from shipway.app.change import Planner, Run, change
from shipway.app.context import Context, open_context
from shipway.app.service import Service
from shipway.app.signals import Interruption
from shipway.app.timings import Timings
from shipway.core.facts import Facts
from shipway.core.step import Plan
from shipway.planning.deploy import plan_deploy
from shipway.planning.history import next_release
from shipway.runtimes.base import Release


async def deploy(choice: Choice, caller: Caller, interruption: Interruption, service: Service | None = None) -> Report:
    """Put the commit at HEAD into service on every host, and report. `service`: it was loaded already."""
    timings = Timings(caller.listen)
    building = Building(timings.listen, caller)
    async with building, open_context(choice, caller, releases=True, building=building, service=service) as context:
        run = Run.new(context, caller, interruption, timings)
        await building.result()
        return await change(run, deploy_planner(context, run.id))


def deploy_planner(context: Context, run: str) -> Planner:
    """Return what plans the deploy of the tree of `context`."""
    tree = context.tree

    def plan(facts: Facts) -> Plan:
        release = Release(next_release(facts), context.service.release_version, tree.repository, tree.project)
        return plan_deploy(context.site, facts, run, release, tree_notes(tree))

    return plan


def tree_notes(tree: Tree) -> tuple[str, ...]:
    """Return what should be said about the tree before its HEAD is deployed."""
    return (tree.sentence,) if tree.uncommitted else ()
