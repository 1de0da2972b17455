"""A run in two parts: what follows the first part is planned when that is done, from what the hosts can tell by then.

There is one run with one id: one first line, one last line, one stored plan at any moment. The second plan begins with
the stages of the first, so that all of it is taken back together. A client that is killed before the second plan is
stored leaves a partial plan, which is always taken back; one that is killed after leaves an ordinary open run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from shipway.core.action import Upload, lower
from shipway.core.errors import ConnectionLost, Refused
from shipway.core.plan_codec import plan_to_json
from shipway.core.ports import Request
from shipway.core.step import Plan
from shipway.engine.executor import Around, execute
from shipway.engine.journal import Journal, last_words
from shipway.engine.outcome import Outcome
from shipway.engine.rider import Rider
from shipway.engine.world import World


async def store_extension(plan: Plan, world: World, detail: Mapping[str, str], beside: Sequence[Request] = ()) -> None:
    """Put `plan` in the place of the partial plan of its run, and say so in the ledger with `detail`.

    `beside` is stored before, in the same exchange: files whose second writing does no harm.

    Raises Refused or Unreachable when that is not possible; the run is then still to be taken back.
    """
    journal, layout = Journal(plan, world), world.layout(plan.primary)
    store = Request(lower(Upload(layout.run_plan(plan.run), (plan_to_json(plan),))))
    requests = (*beside, store, journal.append(plan.primary, [journal.record("run.extended", **detail)]))
    try:
        results = await world.transport.exchange(plan.primary, requests)
    except ConnectionLost:  # the same again does no harm: one plan, and two equal lines
        results = await world.transport.exchange(plan.primary, requests)
    if len(results) < len(requests) or not results[-1].ok:
        raise Refused(
            "ledger.unwritable",
            f"could not write the ledger on {plan.primary}",
            where=layout.ledger,
            said=last_words(results[-1].said) if results else "",
        )


async def go_on_with(plan: Plan, first: Outcome, world: World, riders: Sequence[Rider] = ()) -> Outcome:
    """Run what `plan` (stored by `store_extension`) has besides the part that ended as `first`."""
    return await execute(plan, world, state=replace(first.state, ran_s=first.took_s), around=Around(riders=riders))


async def take_back(first: Outcome, world: World, why: str, riders: Sequence[Rider] = ()) -> Outcome:
    """Take back the first part of a run that is not to go on; `why` goes into the ledger."""
    state = replace(first.state, phase="unwinding", ran_s=first.took_s)
    return await execute(first.plan, world, state=state, around=Around(why=last_words(why), riders=riders))
