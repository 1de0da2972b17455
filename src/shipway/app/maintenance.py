"""The maintenance page."""

from __future__ import annotations

from shipway.app.answers import Report
from shipway.app.call import Caller, Choice
from shipway.app.change import Run, change
from shipway.app.context import open_context
from shipway.app.signals import Interruption
from shipway.planning.maintenance import plan_maintenance


async def maintenance(
    choice: Choice, caller: Caller, interruption: Interruption, *, on: bool, message: str = ""
) -> Report:
    """Show visitors the maintenance page (`on`) with `message`, or the site again, and report."""
    async with open_context(choice, caller) as context:
        run = Run.new(context, caller, interruption)
        return await change(run, lambda facts: plan_maintenance(context.site, facts, run.id, on=on, message=message))
