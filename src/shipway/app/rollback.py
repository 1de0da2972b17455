"""Go back to an earlier release."""

from __future__ import annotations

from shipway.app.answers import Report, WayBackRow
from shipway.app.call import Caller, Choice
from shipway.app.change import Planner, Run, change
from shipway.app.consent import with_hold
from shipway.app.context import Context, open_context
from shipway.app.signals import Interruption
from shipway.app.way_back import Force, judge_of, ways_back
from shipway.core.facts import Facts
from shipway.core.step import Plan
from shipway.engine.outcome import Outcome
from shipway.planning.rollback import plan_rollback, rollback_target


async def rollback(
    choice: Choice, release: str, caller: Caller, interruption: Interruption, force: Force | None = None
) -> Report:
    """Bring `release` ("": the last good one) back into service on every host, and report.

    Raises Refused `rollback.refused` where its code does not work on the database as it is, unless that is forced.

    Where a deploy had been cut short, taking that back is the way back: going one release further would surprise.
    """

    def is_enough(settled: Outcome) -> bool:
        return (
            settled.ending == "undone"
            and settled.plan.verb in ("deploy", "redeploy")
            and release in ("", settled.plan.base)
        )

    force = force or Force()
    force.check()
    async with open_context(choice, caller) as context:
        run = Run.new(context, caller, interruption)
        planner, judge = rollback_planner(context, run.id, release), judge_of(context, force)

        async def judge_held(facts: Facts, plan: Plan) -> Plan:
            return with_hold(await judge(facts, plan), facts)

        return await change(run, planner, is_enough=is_enough, judge=judge_held)


async def list_ways_back(choice: Choice, caller: Caller) -> tuple[WayBackRow, ...]:
    """Return for each kept release whether code may go back to it."""
    async with open_context(choice, caller) as context:
        return await ways_back(context)


def rollback_planner(context: Context, run: str, release: str) -> Planner:
    """Return what plans the way back to `release` ("": the last good one)."""
    site = context.site
    return lambda facts: plan_rollback(site, facts, run, rollback_target(site, facts, release))
