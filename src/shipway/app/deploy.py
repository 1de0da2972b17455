"""Deploy the commit at HEAD, or a version that was built before."""

from __future__ import annotations

from shipway.adapters.git import Tree
from shipway.app.answers import Report
from shipway.app.call import Caller, Choice
from shipway.app.change import Planner, Run, change
from shipway.app.context import Context, open_context
from shipway.app.signals import Interruption
from shipway.app.wanted import Wanted, choice_for, live_version
from shipway.core.facts import Facts
from shipway.core.step import Plan, Verb
from shipway.planning.deploy import plan_deploy
from shipway.planning.history import next_release
from shipway.runtimes.base import Release


async def deploy(choice: Choice, caller: Caller, interruption: Interruption, wanted: Wanted | None = None) -> Report:
    """Put the commit at HEAD, or what is `wanted`, into service on every host, and report."""
    wanted = wanted or Wanted()
    choice = await choice_for(choice, caller, wanted)
    async with open_context(choice, caller, releases=True) as opened:
        context = opened.at_version(await live_version(opened)) if wanted.is_live else opened
        caller.say(context.tree.sentence)
        if not (wanted.skips_build or context.service.version):
            await context.hooks.run("pre-build")
        run = Run.new(context, caller, interruption)
        return await change(run, deploy_planner(context, run.id, "redeploy" if wanted.is_live else "deploy"))


def deploy_planner(context: Context, run: str, verb: Verb = "deploy") -> Planner:
    """Return what plans the deploy of the tree of `context`."""
    tree = context.tree

    def plan(facts: Facts) -> Plan:
        release = Release(next_release(facts), tree.version, tree.repository, tree.project)
        return plan_deploy(context.site, facts, run, release, tree_notes(tree), verb=verb)

    return plan


def tree_notes(tree: Tree) -> tuple[str, ...]:
    """Return what should be said about the tree before its HEAD is deployed."""
    return (tree.sentence,) if tree.uncommitted else ()
