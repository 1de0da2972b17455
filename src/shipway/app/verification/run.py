"""Runs checks side by side, each with its time limit and its tries."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from shipway.core.errors import ShipwayError
from shipway.core.ports import Clock
from shipway.verification.outcome import Answer, Check, CheckOutcome, failed, skipped

SIDE_BY_SIDE = 8
"""How many batches run at once: the first requests to a fresh release are dear, and visitors wait beside us."""
PAUSE_S = 1.0
"""How long after a failure a check is tried again."""

Ask = Callable[[Sequence[Check]], Awaitable[Mapping[Check, Answer]]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Checks that one `ask` answers together (one request, or one process in the release).

    `ask` gets the checks that are still to be answered: all of them first, then those that failed and may be tried
    again. One that it leaves out has failed. What it raises as ShipwayError fails them all.
    """

    checks: tuple[Check, ...]
    ask: Ask


async def run_checks(
    batches: Sequence[Batch],
    clock: Clock,
    *,
    heard: Callable[[CheckOutcome], None] = lambda _: None,
    width: int = SIDE_BY_SIDE,
) -> tuple[CheckOutcome, ...]:
    """Return what came of every check, in the order of `batches`. `heard` is told each as soon as it is settled."""
    room = asyncio.Semaphore(width)

    async def one(batch: Batch) -> tuple[CheckOutcome, ...]:
        async with room:
            return await _run(batch, clock, heard)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(batch)) for batch in batches]
    return tuple(outcome for task in tasks for outcome in task.result())


async def _run(batch: Batch, clock: Clock, heard: Callable[[CheckOutcome], None]) -> tuple[CheckOutcome, ...]:
    begun_s, attempt = clock.monotonic(), 0
    settled: dict[Check, CheckOutcome] = {}
    left = list(batch.checks)
    while left:
        attempt += 1
        answers = await _try(batch, left)
        took_s = clock.monotonic() - begun_s
        again = []
        for check in left:
            answer = answers.get(check) or failed("was not answered")
            if answer.state == "failed" and attempt <= check.retries:
                again.append(check)
                continue
            settled[check] = CheckOutcome(check, answer, took_s, attempt)
            heard(settled[check])
        left = again
        if left:
            await clock.sleep(PAUSE_S)
    return tuple(settled[check] for check in batch.checks)


async def _try(batch: Batch, checks: Sequence[Check]) -> Mapping[Check, Answer]:
    limit_s = max(check.limit_s for check in checks)
    try:
        async with asyncio.timeout(limit_s):
            return await batch.ask(checks)
    except TimeoutError:
        answer = failed(f"there was no answer in {limit_s:g} s")
    except ShipwayError as error:
        answer = failed(error.what, *filter(None, error.said.splitlines()[-5:]), next=error.next)
    except Exception as error:  # noqa: BLE001  a mistake of ours says nothing about the release
        answer = skipped(f"could not be asked, by a mistake in Shipway: {type(error).__name__}: {error}")
    return dict.fromkeys(checks, answer)
