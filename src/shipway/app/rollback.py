"""Go back to an earlier release."""

from __future__ import annotations

from shipway.app.answers import Report
from shipway.app.call import Caller, Choice
from shipway.app.change import Planner, Run, change
from shipway.app.context import Context, open_context
from shipway.app.signals import Interruption
from shipway.planning.rollback import plan_rollback, rollback_target


async def rollback(choice: Choice, release: str, caller: Caller, interruption: Interruption) -> Report:
    """Bring `release` ("": the last good one) back into service on every host, and report."""
    async with open_context(choice, caller) as context:
        run = Run.new(context, caller, interruption)
        return await change(run, rollback_planner(context, run.id, release))


def rollback_planner(context: Context, run: str, release: str) -> Planner:
    """Return what plans the way back to `release` ("": the last good one)."""
    site = context.site
    return lambda facts: plan_rollback(site, facts, run, rollback_target(site, facts, release))
