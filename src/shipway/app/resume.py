"""Settle a run that was cut short."""

from __future__ import annotations

from shipway.app.answers import Report
from shipway.app.call import Caller, Choice
from shipway.app.change import Run, report_of
from shipway.app.context import open_context
from shipway.app.signals import Interruption
from shipway.core.step import Plan
from shipway.core.upkeep import RENEW_S, STALE_S
from shipway.engine.resume import abandon_open_run
from shipway.engine.resume import resume as resume_run
from shipway.engine.run_lock import Waiting

_PATIENCE = Waiting(STALE_S + RENEW_S)
"""The time after which the lock of a run that died is recognised as stale."""


async def resume(choice: Choice, caller: Caller, interruption: Interruption, unverified: str = "") -> Report:
    """Go on with the open run in the direction in which it was going, and report; nothing to do without one.

    `unverified`: why a person brings it to its end without a verification; it goes into the ledger.
    Waits until the lock of a run that died is recognised as stale.
    """
    async with open_context(choice, caller) as context:
        run = Run.new(context, caller, interruption)
        run.verification.is_off, run.verification.why = bool(unverified), unverified
        async with run.lock("resume", wait=_PATIENCE):
            with interruption.run_in_progress():
                outcome = await resume_run(run.world, context.site.primary)
        return _none_open(run) if outcome is None else await report_of(run, outcome)


async def abandon(choice: Choice, caller: Caller, interruption: Interruption, why: str) -> Report:
    """Close the open run as it is, without a change on any host; `why` goes into the ledger."""
    async with open_context(choice, caller) as context:
        run = Run.new(context, caller, interruption)
        async with run.lock("resume --abandon", wait=_PATIENCE):
            plan = await abandon_open_run(run.world, context.site.primary, why)
        return _none_open(run) if plan is None else _abandoned(plan, context.choice.options)


def _none_open(run: Run) -> Report:
    return Report("resume", run.id, "nothing", "", "", "", notes=("no run is open",))


def _abandoned(plan: Plan, options: str) -> Report:
    return Report(
        plan.verb,
        plan.run,
        "abandoned",
        plan.release,
        plan.version,
        plan.base,
        next=f"`shipway status{options}` shows what serves",
    )
