"""What a verb would do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shipway.app.answers import Preview
from shipway.app.build import planned_build
from shipway.app.call import Caller, Choice
from shipway.app.change import Planner
from shipway.app.consent import with_consents
from shipway.app.context import open_context
from shipway.app.deploy import preview_planner
from shipway.app.preview import true_already
from shipway.app.rollback import rollback_planner
from shipway.app.wanted import Wanted, choice_for, live_version
from shipway.app.way_back import Force, judge_of
from shipway.engine.resume import open_run_id
from shipway.planning.prune import plan_prune


async def preview(choice: Choice, verb: str, release: str, caller: Caller, wanted: Wanted | None = None) -> Preview:
    """Return the plan of `verb` (deploy, redeploy, rollback, prune) and which of its steps are true already."""
    wanted = replace(wanted or Wanted(), is_live=verb == "redeploy")
    choice, releases = await choice_for(choice, caller, wanted), verb.endswith("deploy")
    async with open_context(choice, caller, releases=releases, announces=not wanted.is_live) as opened:
        context = opened.at_version(await live_version(opened)) if wanted.is_live else opened
        here = await planned_build(context.service) if verb == "deploy" and not choice.version else ()
        run = context.new_run()
        planners: dict[str, Callable[[], Planner]] = {
            "deploy": lambda: preview_planner(context, run),
            "redeploy": lambda: preview_planner(context, run, "redeploy"),
            "rollback": lambda: rollback_planner(context, run, release),
            "prune": lambda: lambda facts: plan_prune(context.site, facts, run),
        }
        facts = await context.observe()
        if open_run_id(facts.primary.records):
            caller.say(f"A run was cut short before: {verb} would settle it first, and plan after that.")
        plan = planners[verb]()(facts)
        if verb == "rollback":
            plan = await judge_of(context, Force())(facts, plan)
        already = await true_already(context.transport, plan)
        if not releases:
            return Preview(plan, already, here)
        return with_consents(context, caller, facts, Preview(plan, already, here))
