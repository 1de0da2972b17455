"""The life of a run, the same for every verb that changes something.

observe → plan → show and ask (where somebody is to be asked) → lock → settle what was left open → observe → plan again,
which must be the plan that was agreed to → execute → report.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shipway.app.answers import Preview, Report, Serving
from shipway.app.call import Caller
from shipway.app.context import Context
from shipway.app.preview import true_already
from shipway.app.serving import all_units
from shipway.app.signals import Interruption
from shipway.app.timings import Timings
from shipway.core.errors import Interrupted, Refused, ShipwayError
from shipway.core.facts import Facts
from shipway.core.plan_codec import plan_fingerprint
from shipway.core.step import Plan
from shipway.engine.executor import execute
from shipway.engine.observe import Look
from shipway.engine.outcome import Outcome
from shipway.engine.resume import open_run_id, undo_open_run
from shipway.engine.run_lock import RunLock
from shipway.engine.world import World

Planner = Callable[[Facts], Plan]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one use case: its id, where it happens, and who is told."""

    id: str
    context: Context
    caller: Caller
    interruption: Interruption
    timings: Timings

    @classmethod
    def new(cls, context: Context, caller: Caller, interruption: Interruption) -> Run:
        """Return a run with an id that no other run has."""
        return cls(context.new_run(), context, caller, interruption, Timings(caller.listen))

    @property
    def world(self) -> World:
        """What the engine needs."""
        return self.context.world(self.timings.listen, self.interruption.stop, note=self.caller.note)

    def lock(self, message: str, *, wait_s: float = 0.0) -> RunLock:
        """Return the lock for this run. The lock of a run whose owner is gone is taken over, and that is told."""
        owner = self.context.owner(self.id, message)
        return RunLock(self.world, self.context.site.primary, owner, wait_s=wait_s, take_stale=True)


async def change(run: Run, planner: Planner, *, is_enough: Callable[[Outcome], bool] = lambda _: False) -> Report:
    """Bring what `planner` plans to its end and report. Raises what refuses or fails it.

    A run that was cut short is settled first; nothing more is done when that `is_enough`.
    """
    agreed = await _agree(run, planner) if run.caller.confirm is not None else ""
    before, after = run.context.look(), run.context.look()
    lock = run.lock("")
    lock.rider = before
    async with lock:
        facts = await run.context.observe(before)
        if open_run_id(facts.primary.records):
            settled = await _settle(run)
            if settled is not None and is_enough(settled):
                return await _settled_report(run, settled)
            facts = await run.context.observe()
        plan = planner(facts)
        if agreed and plan_fingerprint(plan) != agreed:
            raise Refused(
                "run.world_changed",
                f"the servers changed while the plan of {plan.verb} {plan.release} was being read",
                next="the same command again shows the new plan",
            )
        if not any(True for _ in plan.steps()):
            return _nothing(run, plan)
        with run.interruption.run_in_progress():
            outcome = await execute(plan, run.world, riders=(lock, after))
    return await report_of(run, outcome, after)


async def _agree(run: Run, planner: Planner) -> str:
    """Show the plan and ask; return its fingerprint. Where a run is open nobody is asked: it is settled first."""
    facts = await run.context.observe()
    if open_run_id(facts.primary.records):
        return ""
    plan = planner(facts)
    preview = Preview(plan, await true_already(run.context.transport, plan))
    if run.caller.confirm is not None and not run.caller.confirm(preview):
        raise Interrupted("run.declined", f"{plan.verb} was not confirmed", now="nothing was changed")
    return plan_fingerprint(plan)


async def _settle(run: Run) -> Outcome | None:
    """Take the open run back, or bring it to its end when it has committed. Raises when neither works."""
    run.caller.say("A run was cut short before; it is settled first.")
    with run.interruption.run_in_progress():
        outcome = await undo_open_run(run.world, run.context.site.primary)
    if outcome is None:
        return None
    if outcome.ending == "mixed" and (error := outcome.error()):
        raise error
    how = "brought to its end" if outcome.ending == "done" else "taken back"
    run.caller.say(f"{outcome.plan.verb} {outcome.plan.release} was {how}: {outcome.now()}.")
    return outcome


async def _settled_report(run: Run, settled: Outcome) -> Report:
    plan = settled.plan
    return Report(
        verb="rollback",
        run=plan.run,
        outcome="done",
        release=plan.base,
        version="",
        base=plan.release,
        took_s=round(settled.took_s, 3),
        serving=await _serving(run),
        stages=tuple(run.timings.stages),
        notes=(f"{plan.verb} {plan.release} had been cut short, and taking it back was all there was to do",),
        next=_next(run, plan),
    )


def _nothing(run: Run, plan: Plan) -> Report:
    return Report(plan.verb, run.id, "nothing", plan.release, plan.version, plan.base, notes=plan.notes)


async def report_of(run: Run, outcome: Outcome, look: Look | None = None) -> Report:
    """Return the report of a run that ended well; raises the error of one that did not.

    `look` has what the primary host answered after the run.
    """
    error = outcome.error()
    if error is not None:
        raise error
    plan = outcome.plan
    return Report(
        verb=plan.verb,
        run=plan.run,
        outcome=outcome.ending,
        release=plan.release,
        version=plan.version,
        base=plan.base,
        took_s=round(outcome.took_s, 3),
        serving=await _serving(run, look),
        stages=tuple(run.timings.stages),
        notes=plan.notes,
        next=_next(run, plan),
    )


async def _serving(run: Run, look: Look | None = None) -> tuple[Serving, ...]:
    """Return what runs now. The run is over: hosts that do not answer any more are not its failure."""
    try:
        return all_units(run.context.site, await run.context.observe(look))
    except ShipwayError as error:
        run.caller.say(f"could not look at the hosts afterwards: {error}")
        return ()


def _next(run: Run, plan: Plan) -> str:
    options = run.context.choice.options
    if plan.verb == "deploy" and plan.base and plan.run == run.id:
        return f"`shipway rollback{options}` goes back to {plan.base}"
    return f"`shipway status{options}` shows what serves"
