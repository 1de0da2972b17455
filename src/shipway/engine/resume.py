"""An open run: found by what the ledgers say, and brought to one of its ends.

`resume` goes on in the direction in which the run was going. `undo_open_run` takes it back while that may be done. A
run that has committed is always completed. Each of them may be killed and called again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from shipway.core.errors import Refused
from shipway.core.plan_codec import PlanFormatError, plan_from_json
from shipway.core.record import Record
from shipway.core.step import Plan
from shipway.engine.executor import execute
from shipway.engine.journal import Journal, append, last_words, require_tail, tail
from shipway.engine.observe import all_or_unreachable
from shipway.engine.orphans import wait_for_orphans
from shipway.engine.outcome import Outcome
from shipway.engine.reading import read_file
from shipway.engine.run_state import OPEN, RunState, replay
from shipway.engine.world import World

PLAN_LIMIT_BYTES = 33_554_432
"""A plan for a hundred hosts is a few megabytes."""


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run that began and did not end, or that ended mixed."""

    plan: Plan
    state: RunState


async def find_open_run(world: World, primary: str) -> OpenRun | None:
    """Return the last run of this service when it is open, else None.

    What that run began on a host and is still at work is waited for. Raises Unreachable when a host of the run does not
    answer, Refused when its stored plan cannot be read, Locked when something is at work for too long.
    """
    records = await _read(world, primary)
    run = open_run_id(records)
    if not run:
        return None
    if process := _process(records, run):
        await wait_for_orphans(world, process)
        records = await _read(world, primary)
    plan = await _load_plan(world, primary, run)
    others = [host for host in plan.hosts() if host != primary]

    found = await all_or_unreachable({host: _read(world, host) for host in others})
    return OpenRun(plan, replay(plan, [*records, *(record for host in others for record in found[host])]))


async def _read(world: World, host: str) -> tuple[Record, ...]:
    (result,) = await world.transport.exchange(host, [tail(world.layout(host))])
    return require_tail(host, result)


def _process(records: tuple[Record, ...], run: str) -> str:
    """Return the word of the process that began `run`; a ledger of another system has none."""
    begun = next((record for record in records if record.kind == "run.begin" and record.run == run), None)
    return str(begun.detail.get("process", "")) if begun else ""


def open_run_id(records: tuple[Record, ...]) -> str:
    """Return the id of the last run that the primary's ledger shows as begun and not as ended, "" when there is none.

    Only the last run can be open: a new one is not begun before the one before it is closed.
    """
    run = ""
    for record in records:
        if record.kind == "run.begin":
            run = record.run
        elif record.kind == "run.end" and record.run == run and record.detail.get("outcome") not in OPEN:
            run = ""
    return run


async def resume(world: World, primary: str) -> Outcome | None:
    """Go on with the open run, forward or back; None when there is none. The lock is the caller's."""
    found = await find_open_run(world, primary)
    if found is None:
        return None
    # Whoever was to plan the rest is gone: a first part alone leads nowhere but back.
    back = found.plan.is_partial and found.state.phase == "forward"
    state = replace(found.state, phase="unwinding") if back else found.state
    return await execute(found.plan, world, state=state)


async def undo_open_run(world: World, primary: str) -> Outcome | None:
    """Take the open run back, or complete it when it has committed; None when there is none. The lock is held."""
    found = await find_open_run(world, primary)
    if found is None:
        return None
    state = found.state if found.state.committed else replace(found.state, phase="unwinding")
    return await execute(found.plan, world, state=state)


async def abandon_open_run(world: World, primary: str, why: str) -> Plan | None:
    """Close the open run as it is, without a change on any server: for a host that will never answer again.

    Returns its plan; None when there is none. `why` goes into the ledger.
    """
    run = open_run_id(await _read(world, primary))
    if not run:
        return None
    plan = await _load_plan(world, primary, run)
    journal = Journal(plan, world)
    records = [journal.record("note", why=last_words(why), who=world.author.who), journal.end("abandoned", 0.0)]
    (result,) = await world.transport.exchange(primary, [append(world.layout(primary), records)])
    if not result.ok:
        raise Refused("ledger.unwritable", f"could not write the ledger on {primary}", said=last_words(result.said))
    return plan


async def _load_plan(world: World, primary: str, run: str) -> Plan:
    path = world.layout(primary).run_plan(run)
    text, said = await read_file(world.transport, primary, path, PLAN_LIMIT_BYTES)
    try:
        if not said:
            return plan_from_json(text)
    except PlanFormatError as error:
        said = str(error)
    raise Refused(
        "run.plan_unreadable",
        f"could not read the stored plan of run {run}",
        where=f"{primary}:{path}",
        said=said,
        next=world.command("audit") + " shows what the run did",
    )
