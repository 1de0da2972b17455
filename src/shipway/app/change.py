"""The life of a run, the same for every verb that changes something.

observe → plan → show and ask (where somebody is to be asked) → lock → settle what was left open → observe → plan again,
which must be the plan that was agreed to → execute → report.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from shipway.app.answers import Preview, Report, Serving
from shipway.app.borders import Borders
from shipway.app.call import Caller
from shipway.app.context import Context
from shipway.app.drift import StateRider, record_rest
from shipway.app.hooks import outer_run
from shipway.app.preview import true_already
from shipway.app.run_hooks import RunHooks
from shipway.app.sequel import Sequel
from shipway.app.serving import all_units
from shipway.app.signals import Interruption
from shipway.app.task_gate import Talk
from shipway.app.timings import Timings
from shipway.app.verification.in_run import RunVerification
from shipway.app.way_back import Judge
from shipway.core.errors import Interrupted, Refused, ShipwayError
from shipway.core.events import Event
from shipway.core.facts import Facts
from shipway.core.plan_codec import plan_fingerprint
from shipway.core.step import Plan
from shipway.engine.executor import Around, execute
from shipway.engine.extend import go_on_with, store_extension, take_back
from shipway.engine.observe import Look
from shipway.engine.outcome import Outcome
from shipway.engine.resume import open_run_id, undo_open_run
from shipway.engine.rider import Rider
from shipway.engine.run_lock import RunLock, Waiting
from shipway.engine.world import World
from shipway.planning.takeover import needs_consent

Planner = Callable[[Facts], Plan]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one use case: its id, where it happens, and who is told."""

    id: str
    context: Context
    caller: Caller
    interruption: Interruption
    timings: Timings
    verification: RunVerification

    @classmethod
    def new(cls, context: Context, caller: Caller, interruption: Interruption, timings: Timings | None = None) -> Run:
        """Return a run with an id that no other run has. `timings` is given where something was timed before it."""
        run, timings = context.new_run(), timings or Timings(caller.listen)
        verification = RunVerification(context, run, caller, interruption, timings.listen)
        return cls(run, context, caller, interruption, timings, verification)

    @property
    def world(self) -> World:
        """What the engine needs."""
        note, borders = self.caller.note, Borders(self.hooks, self.verification)
        world = self.context.world(self.listen, self.interruption.stop, note=note, boundary=borders.at)
        return replace(world, waits_at=borders.waits_at)

    @property
    def hooks(self) -> RunHooks:
        """The hooks around this run."""
        return RunHooks(self.context.hooks, self.id, self.interruption, self.context.notice)

    def listen(self, event: Event) -> None:
        """Pass an event on to whoever displays the run, and to what tells others of it."""
        self.context.notice.listen(event)
        self.timings.listen(event)

    def lock(self, message: str, *, wait: Waiting | None = None) -> RunLock:
        """Return the lock for this run. The lock of a run whose owner is gone is taken over, and that is told."""
        owner = self.context.owner(self.id, message)
        wait = wait or Waiting(self.caller.lock_wait_s, self.caller.lock_every_s)
        inherit = outer_run(self.context.hooks.environ)
        return RunLock(self.world, self.context.site.primary, owner, wait=wait, take_stale=True, inherit=inherit)


async def change(
    run: Run,
    planner: Planner,
    *,
    is_enough: Callable[[Outcome], bool] = lambda _: False,
    sequel: Callable[[Facts, Plan], Sequel] | None = None,
    judge: Judge | None = None,
) -> Report:
    """Bring what `planner` plans to its end and report. Raises what refuses or fails it.

    A run that was cut short is settled first; nothing more is done when that `is_enough`. Where the plan is partial,
    `sequel` knows how it goes on. `judge` looks at a plan before it is shown or run: it refuses it, or adds to it.
    """
    agreed = await _agree(run, planner, judge) if run.caller.confirm is not None else ""
    before, after = run.context.look(), run.context.look()
    lock = run.lock("")
    lock.rider = before
    async with lock:
        facts = await run.context.observe(before)
        if open_run := open_run_id(facts.primary.records):
            _refuse_nested(run, open_run)
            settled = await _settle(run)
            if settled is not None and is_enough(settled):
                return await _settled_report(run, settled)
            facts = await run.context.observe()
        plan = _agreed(await _planned(planner, judge, facts), agreed)
        if not any(True for _ in plan.steps()):
            return _nothing(run, plan)
        if not agreed and needs_consent(plan, facts):
            await _consent(run, plan)
        if await run.hooks.before(plan):  # it may have changed something on the servers
            facts = await run.context.observe()
            plan = _agreed(await _planned(planner, judge, facts), agreed)
        with run.interruption.run_in_progress():
            follows = sequel(facts, plan) if sequel and plan.is_partial else None
            state = StateRider(run.context, plan)
            outcome, refusal = await _execute(run, plan, follows, (state, lock, after))
    if refusal is None:
        return await report_of(run, outcome, after, state)
    for note in await run.hooks.after(outcome, refusal):
        run.caller.say(f"warning: {note}")
    raise refusal


async def _execute(
    run: Run, plan: Plan, sequel: Sequel | None, riders: Sequence[Rider]
) -> tuple[Outcome, ShipwayError | None]:
    """Run `plan`, and what follows it; return how it ended. `riders` go with the last line of the run.

    Where the second part was refused, so that the first was taken back, the refusal is returned too.
    """
    run.context.notice.about(plan)
    if sequel is None:
        return await execute(plan, run.world, around=Around(riders=riders)), None
    sequel.talk = Talk(run.caller.say, run.interruption.stop)
    world = replace(run.world, listen=sequel.listening(run.listen))
    first = await execute(plan, world, around=Around(sequel.settle, riders=riders))
    if first.ending != "prepared":
        return first, None
    try:
        extension = await sequel.extend()
        await store_extension(extension.plan, world, extension.detail, extension.beside)
    except ShipwayError as error:
        taken_back = await take_back(first, world, str(error), riders)
        error.now = error.now or taken_back.now()
        return taken_back, error if taken_back.ending == "undone" else None
    return await go_on_with(extension.plan, first, world, riders), None


async def _planned(planner: Planner, judge: Judge | None, facts: Facts) -> Plan:
    plan = planner(facts)
    return await judge(facts, plan) if judge is not None else plan


def _agreed(plan: Plan, agreed: str) -> Plan:
    """Return `plan`; raises Refused when it is not the one with the fingerprint `agreed` ("": any will do)."""
    if agreed and plan_fingerprint(plan) != agreed:
        raise Refused(
            "run.world_changed",
            f"the servers changed while the plan of {plan.verb} {plan.release} was being read",
            next="the same command again shows the new plan",
        )
    return plan


def _refuse_nested(run: Run, open_run: str) -> None:
    """Raise Refused where the open run is the one whose hook called us: it is not cut short, it waits for us."""
    if open_run == outer_run(run.context.hooks.environ):
        raise Refused(
            "hook.nested_change",
            f"the run {open_run} is in progress and waits for this hook, so nothing else can be changed now",
            next="do it in the hook pre-deploy or post-deploy; verbs that look (status, logs, exec) always work",
        )


async def _agree(run: Run, planner: Planner, judge: Judge | None) -> str:
    """Show the plan and ask; return its fingerprint. Where a run is open nobody is asked: it is settled first."""
    facts = await run.context.observe()
    if open_run_id(facts.primary.records):
        return ""
    plan = await _planned(planner, judge, facts)
    preview = Preview(plan, await true_already(run.context.transport, plan))
    if run.caller.confirm is not None and not run.caller.confirm(preview):
        raise Interrupted("run.declined", f"{plan.verb} was not confirmed", now="nothing was changed")
    return plan_fingerprint(plan)


async def _consent(run: Run, plan: Plan) -> None:
    """Show a plan that takes hosts over and have it agreed to; the lock keeps the world as it was seen meanwhile."""
    if run.caller.consent is None:
        raise Refused(
            "takeover.unconfirmed",
            f"{plan.verb} {plan.release} would take the service over from Kamal, and nobody agreed to that",
            where="; ".join(plan.notes),
            next=f"`shipway plan deploy{run.context.choice.options}` shows it; `--yes` agrees to it",
        )
    if not run.caller.consent(Preview(plan, await true_already(run.context.transport, plan))):
        raise Interrupted("run.declined", f"{plan.verb} was not confirmed", now="nothing was changed")


async def _settle(run: Run) -> Outcome | None:
    """Take the open run back, or bring it to its end when it has committed. Raises when neither works."""
    run.caller.say("A run was cut short before; it is settled first.")
    # What has committed is only brought to its end: the release that comes next may be what mends it.
    world = replace(run, verification=replace(run.verification, is_off=True)).world
    with run.interruption.run_in_progress():
        outcome = await undo_open_run(world, run.context.site.primary)
    if outcome is None:
        return None
    error = outcome.error()
    for note in await run.hooks.after(outcome, error):
        run.caller.say(f"warning: {note}")
    if outcome.ending == "mixed" and error is not None:
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


async def report_of(run: Run, outcome: Outcome, look: Look | None = None, state: StateRider | None = None) -> Report:
    """Return the report of a run that ended well; raises the error of one that did not.

    `look` has what the primary host answered after the run; `state` recorded there what stands then.
    """
    error = outcome.error() or run.verification.error(outcome)
    if (
        error is not None
        and outcome.ending == "undone"
        and (said := await run.verification.after_way_back(outcome.plan))
    ):
        error.now = f"{error.now}; {said}"
    notes = await run.hooks.after(outcome, error)
    if error is not None:
        for note in notes:
            run.caller.say(f"warning: {note}")
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
        serving=await _serving(run, look, state or StateRider(run.context, plan)),
        stages=tuple(run.timings.stages),
        notes=(*plan.notes, *run.verification.notes(), *run.timings.notes, *notes),
        next=_next(run, plan),
    )


async def _serving(run: Run, look: Look | None = None, state: StateRider | None = None) -> tuple[Serving, ...]:
    """Return what runs now, and have it recorded. The run is over: hosts that do not answer are not its failure."""
    recording = asyncio.ensure_future(record_rest(run.context, state)) if state is not None else None
    try:
        return all_units(run.context.site, await run.context.observe(look))
    except ShipwayError as error:
        run.caller.say(f"could not look at the hosts afterwards: {error}")
        return ()
    finally:
        if recording is not None and (problem := await recording):
            run.caller.say(f"warning: {problem}")


def _next(run: Run, plan: Plan) -> str:
    options = run.context.choice.options
    if any(step.id.endswith(("/migrate-after", "/migrate-window")) for step in plan.steps()):
        return f"`shipway rollback --list{options}` shows where one can go back"
    if plan.verb in ("deploy", "redeploy") and plan.base and plan.run == run.id:
        return f"`shipway rollback{options}` goes back to {plan.base}"
    return f"`shipway status{options}` shows what serves"
