"""The maintenance page."""

from __future__ import annotations

from shipway.app.answers import Report
from shipway.app.call import Caller, Choice
from shipway.app.change import Run, change
from shipway.app.context import open_context
from shipway.app.signals import Interruption
from shipway.core.facts import Facts
from shipway.core.step import Plan
from shipway.planning.maintenance import plan_maintenance


async def maintenance(
    choice: Choice, caller: Caller, interruption: Interruption, *, on: bool, message: str = ""
) -> Report:
    """Show visitors the maintenance page (`on`) with `message`, or the site again, on the chosen hosts, and report."""
    async with open_context(choice, caller) as context:
        run, hosts = Run.new(context, caller, interruption), context.chosen_hosts()

        def plan(facts: Facts) -> Plan:
            return plan_maintenance(context.site, facts, run.id, on=on, message=message, hosts=hosts)

        return await change(run, plan)
