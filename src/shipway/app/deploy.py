"""Deploy the commit at HEAD, or a version that was built before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shipway.adapters.git import Tree
from shipway.app.answers import Report
from shipway.app.build import Building, BuildOrder
from shipway.app.call import Caller, Choice
from shipway.app.change import Planner, Run, change
from shipway.app.consent import consents_of, judge_deploy
from shipway.app.context import Context, open_context
from shipway.app.sequel import Sequel
from shipway.app.service import Service
from shipway.app.signals import Interruption
from shipway.app.timings import Timings
from shipway.app.wanted import Wanted, choice_for, live_version
from shipway.core.facts import Facts
from shipway.core.step import Plan, Verb
from shipway.planning.deploy import plan_deploy, plan_prepare
from shipway.planning.gate import Rules
from shipway.planning.history import next_release
from shipway.runtimes.base import Release

NOT_KNOWN_YET = (
    "which migrations are pending is known when {release} is on the hosts and can be asked: they run before the start"
    " or when the old release is gone, or the deploy ends there with nothing changed"
)


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
        return await _again(choice, caller, interruption, wanted)
    choice = await choice_for(choice, caller, wanted)
    timings = Timings(caller.listen)
    order = BuildOrder(no_cache=wanted.no_cache, skips=wanted.skips_build or bool(choice.version))
    building = Building(timings.listen, caller, order)
    async with building, open_context(choice, caller, releases=True, building=building, service=service) as context:
        run = Run.new(context, caller, interruption, timings)
        if await building.result() is None and not order.skips:
            await context.hooks.run("pre-build")  # a runtime without images: the release is made on the hosts
        judge = judge_deploy(context, caller, _command(choice, wanted))
        return await change(
            run, deploy_planner(context, run.id), sequel=sequel_of(context, wanted, caller), judge=judge
        )


async def _again(choice: Choice, caller: Caller, interruption: Interruption, wanted: Wanted) -> Report:
    """Put what serves into service once more, with today's configuration and secrets."""
    building = Building(caller.listen, caller, BuildOrder(skips=True))
    async with building, open_context(choice, caller, releases=True, announces=False) as opened:
        context = await _with_image(opened, building, await live_version(opened))
        caller.say(context.tree.sentence)
        run = Run.new(context, caller, interruption)
        planner = deploy_planner(context, run.id, "redeploy")
        judge = judge_deploy(context, caller, _command(choice, wanted))
        return await change(run, planner, sequel=sequel_of(context, wanted, caller), judge=judge)


async def _with_image(opened: Context, building: Building, version: str) -> Context:
    """Return the context for a version that was built before; where no registry has it, hosts get it from here."""
    building.begin(replace(opened.service, version=version))
    ways = await building.ways(opened.transport, tuple(opened.service.config.app_hosts))
    basics = {host: replace(known, pull=ways.get(host)) for host, known in opened.basics.items()}
    return replace(opened, basics=basics).at_version(version)


def deploy_planner(context: Context, run: str, verb: Verb = "deploy") -> Planner:
    """Return what plans the first part of the deploy of the tree of `context`."""

    def plan(facts: Facts) -> Plan:
        first = plan_prepare(context.site, facts, run, _release(context, facts), tree_notes(context.tree))
        return replace(first, verb=verb)

    return plan


def preview_planner(context: Context, run: str, verb: Verb = "deploy") -> Planner:
    """Return what plans the deploy as far as it can be told before the new release is on a host."""

    def plan(facts: Facts) -> Plan:
        release = _release(context, facts)
        notes = (*tree_notes(context.tree), NOT_KNOWN_YET.format(release=release.release))
        return replace(plan_deploy(context.site, facts, run, release, notes), verb=verb)

    return plan


def sequel_of(context: Context, wanted: Wanted, caller: Caller) -> Callable[[Facts, Plan], Sequel]:
    """Return what knows how the deploy goes on after its first part."""
    rules = Rules(
        context.site.migrations, wanted.approve, wanted.window, _command(context.choice, wanted),
        approve=f"shipway approve {{fingerprint}}{context.choice.options}",
    )  # fmt: skip

    def follow(facts: Facts, first: Plan) -> Sequel:
        return Sequel(context, facts, first, replace(rules, consents=consents_of(context, caller, facts)))

    return follow


def _command(choice: Choice, wanted: Wanted) -> str:
    """Return the command that releases the same once more, to be given with an approval."""
    if wanted.is_live:
        return f"shipway redeploy{choice.options}"
    version = f" --version {choice.version}" if choice.version else ""
    return f"shipway deploy{version}{' --skip-push' if wanted.skips_build else ''}{choice.options}"


def _release(context: Context, facts: Facts) -> Release:
    tree = context.tree
    return Release(next_release(facts), context.service.release_version, tree.repository, tree.project)


def tree_notes(tree: Tree) -> tuple[str, ...]:
    """Return what should be said about the tree before its HEAD is deployed."""
    return (tree.sentence,) if tree.uncommitted else ()
