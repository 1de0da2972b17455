"""Which steps of a plan are true already, asked of the hosts without changing anything."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from shipway.core.ports import Request, Transport
from shipway.core.step import Plan, Step

_AT_ONCE = 100
"""Questions in one exchange; an exchange holds its answers in memory."""


async def true_already(transport: Transport, plan: Plan) -> frozenset[str]:
    """Return the ids of the steps of `plan` whose `done` holds now; all hosts are asked at once."""
    by_host: dict[str, list[Step]] = {}
    for step in plan.steps():
        if step.done is not None:
            by_host.setdefault(step.host, []).append(step)
    answers = await asyncio.gather(*(_ask(transport, host, steps) for host, steps in by_host.items()))
    return frozenset(step_id for found in answers for step_id in found)


async def _ask(transport: Transport, host: str, steps: list[Step]) -> list[str]:
    found: list[str] = []
    for part in _parts(steps):
        requests = [Request(step.done, "never") for step in part if step.done is not None]
        results = await transport.exchange(host, requests)
        found += [step.id for step, result in zip(part, results, strict=True) if result.ok]
    return found


def _parts(steps: list[Step]) -> Iterable[list[Step]]:
    return (steps[i : i + _AT_ONCE] for i in range(0, len(steps), _AT_ONCE))
