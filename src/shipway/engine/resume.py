"""An open run: found by what the ledgers say, and brought to one of its ends.

`resume` goes on in the direction in which the run was going. `undo_open_run` takes it back while that may be done. A
run that has committed is always completed. Each of them may be killed and called again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from shipway.core.action import Command
from shipway.core.errors import Refused
from shipway.core.plan_codec import PlanFormatError, plan_from_json
from shipway.core.ports import Request
from shipway.core.record import Record
from shipway.core.step import Plan
from shipway.engine.executor import execute
from shipway.engine.journal import Journal, append, last_words, require_tail, tail
from shipway.engine.observe import all_or_unreachable
from shipway.engine.outcome import Outcome
from shipway.engine.run_state import RunState, replay
from shipway.engine.world import World

# A plan is read in pieces, since a transport keeps a bounded part of what one command prints.
PIECE_SCRIPT = '[ -r "$1" ] || exit 1; tail -c "+$2" -- "$1" | head -c "$3"'
PIECE_BYTES = 524_288
PLAN_LIMIT_BYTES = 33_554_432
"""A plan for a hundred hosts is a few megabytes."""


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run that began and did not end, or that ended mixed."""

    plan: Plan
    state: RunState


async def find_open_run(world: World, primary: str) -> OpenRun | None:
    """Return the last run of this service when it is open, else None.

    Raises Unreachable when a host of the run does not answer, Refused when its stored plan cannot be read.
    """
    (answer,) = await world.transport.exchange(primary, [tail(world.layout(primary))])
    records = require_tail(primary, answer)
    run = open_run_id(records)
    if not run:
        return None
    plan = await _load_plan(world, primary, run)
    others = [host for host in plan.hosts() if host != primary]

    async def read(host: str) -> tuple[Record, ...]:
        (result,) = await world.transport.exchange(host, [tail(world.layout(host))])
        return require_tail(host, result)

    found = await all_or_unreachable({host: read(host) for host in others})
    return OpenRun(plan, replay(plan, [*records, *(record for host in others for record in found[host])]))


def open_run_id(records: tuple[Record, ...]) -> str:
    """Return the id of the last run that the primary's ledger shows as begun and not as ended, "" when there is none.

    Only the last run can be open: a new one is not begun before the one before it is closed.
    """
    run = ""
    for record in records:
        if record.kind == "run.begin":
            run = record.run
        elif record.kind == "run.end" and record.run == run and record.detail.get("outcome") != "mixed":
            run = ""
    return run


async def resume(world: World, primary: str) -> Outcome | None:
    """Go on with the open run, forward or back; None when there is none. The lock is the caller's."""
    found = await find_open_run(world, primary)
    return None if found is None else await execute(found.plan, world, state=found.state)


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
    (answer,) = await world.transport.exchange(primary, [tail(world.layout(primary))])
    run = open_run_id(require_tail(primary, answer))
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
    text, said = "", ""
    while len(text) < PLAN_LIMIT_BYTES:
        argv = ("sh", "-c", PIECE_SCRIPT, "sh", path, str(len(text) + 1), str(PIECE_BYTES))
        (result,) = await world.transport.exchange(primary, [Request(Command(argv), "never")])
        if not result.ok or result.truncated:
            said = last_words(result.said)
            break
        text += result.stdout.decode("ascii", "replace")
        if len(result.stdout) < PIECE_BYTES:
            break
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
