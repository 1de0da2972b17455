"""Remove old releases from the hosts."""

from __future__ import annotations

from shipway.app.answers import Report
from shipway.app.call import Caller, Choice
from shipway.app.change import Run, change
from shipway.app.context import open_context
from shipway.app.signals import Interruption
from shipway.planning.prune import plan_prune


async def prune(choice: Choice, caller: Caller, interruption: Interruption) -> Report:
    """Remove the releases that nobody needs any more, and the remains of failed ones, and report."""
    async with open_context(choice, caller) as context:
        run = Run.new(context, caller, interruption)
        return await change(run, lambda facts: plan_prune(context.site, facts, run.id))
