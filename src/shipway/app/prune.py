"""Remove old releases from the hosts."""

from __future__ import annotations

from dataclasses import replace

from shipway.app.answers import Report
from shipway.app.call import Caller, Choice
from shipway.app.change import Run, change
from shipway.app.context import open_context
from shipway.app.signals import Interruption
from shipway.planning.prune import plan_prune


async def prune(choice: Choice, caller: Caller, interruption: Interruption, *, retain: int | None = None) -> Report:
    """Remove the releases that nobody needs any more, and the remains of failed ones, and report.

    `retain`: how many releases stay, where it is not what the configuration says.
    """
    async with open_context(choice, caller) as context:
        run, hosts = Run.new(context, caller, interruption), context.chosen_hosts()
        site = context.site if retain is None else replace(context.site, retain=retain)
        return await change(run, lambda facts: plan_prune(site, facts, run.id, hosts))
