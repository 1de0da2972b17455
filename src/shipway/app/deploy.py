"""Deploy the commit at HEAD, or a version that was built before."""

from __future__ import annotations

from shipway.adapters.git import Tree
from shipway.app.answers import Report
from shipway.app.build import Building, BuildOrder
from shipway.app.call import Caller, Choice
from shipway.app.change import Planner, Run, change
from shipway.app.context import Context, open_context
from shipway.app.service import Service
from shipway.app.signals import Interruption
from shipway.app.timings import Timings
from shipway.app.wanted import Wanted, choice_for, live_version
from shipway.core.facts import Facts
from shipway.core.step import Plan, Verb
from shipway.planning.deploy import plan_deploy
from shipway.planning.history import next_release
from shipway.runtimes.base import Release


async def deploy(
    choice: Choice,
    caller: Caller,
    interruption: Interruption,
    wanted: Wanted | None = None,
    service: Service | None = None,
) -> Report:
    """Put the commit at HEAD, or what is `wanted`, into service on every host, and report.

    `service`: it was loaded already.
    """
    wanted = wanted or Wanted()
    if wanted.is_live:
        return await _again(choice, caller, interruption)
    choice = await choice_for(choice, caller, wanted)
    timings = Timings(caller.listen)
    order = BuildOrder(no_cache=wanted.no_cache, skips=wanted.skips_build or bool(choice.version))
    building = Building(timings.listen, caller, order)
    async with building, open_context(choice, caller, releases=True, building=building, service=service) as context:
        run = Run.new(context, caller, interruption, timings)
        if await building.result() is None and not order.skips:
            await context.hooks.run("pre-build")  # a runtime without images: the release is made on the hosts
        return await change(run, deploy_planner(context, run.id))


async def _again(choice: Choice, caller: Caller, interruption: Interruption) -> Report:
    """Put what serves into service once more, with today's configuration and secrets."""
    async with open_context(choice, caller, releases=True, announces=False) as opened:
        context = opened.at_version(await live_version(opened))
        caller.say(context.tree.sentence)
        run = Run.new(context, caller, interruption)
        return await change(run, deploy_planner(context, run.id, "redeploy"))


def deploy_planner(context: Context, run: str, verb: Verb = "deploy") -> Planner:
    """Return what plans the deploy of the tree of `context`."""
    tree = context.tree

    def plan(facts: Facts) -> Plan:
        release = Release(next_release(facts), context.service.release_version, tree.repository, tree.project)
        return plan_deploy(context.site, facts, run, release, tree_notes(tree), verb=verb)

    return plan


def tree_notes(tree: Tree) -> tuple[str, ...]:
    """Return what should be said about the tree before its HEAD is deployed."""
    return (tree.sentence,) if tree.uncommitted else ()
