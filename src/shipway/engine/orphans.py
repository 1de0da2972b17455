"""What a run that was cut short left at work on the hosts. Until it is over nothing may judge or repeat its step."""

from __future__ import annotations

import re

from shipway.core.at_work import STILL_AT_WORK, wait_until_idle
from shipway.core.errors import Locked
from shipway.core.ports import Request
from shipway.engine.observe import all_or_unreachable
from shipway.engine.world import World

PATIENCE_S = 120
"""Most steps take seconds. Whoever meets a longer one (a migration) is told, and asks again later."""
_WORD = re.compile(r"shipway-[0-9a-f-]{4,80}")


async def wait_for_orphans(world: World, process: str) -> None:
    """Wait until nothing that `process` (`Author.process`) started is at work on any host of `world`.

    Raises Locked `lock.at_work` when that takes too long, Unreachable when a host does not answer. A word that is none
    of ours is passed over: older ledgers and other systems have none.
    """
    if not _WORD.fullmatch(process):
        return
    ended = await all_or_unreachable({host: _wait(world, host, process) for host in world.layouts})
    if busy := [host for host, has_ended in ended.items() if not has_ended]:
        raise Locked(
            "lock.at_work",
            f"what a run that was cut short began is still at work after {PATIENCE_S} s",
            where=", ".join(busy),
            next=f"{world.command('resume')} when it has ended",
        )


async def _wait(world: World, host: str, process: str) -> bool:
    request = Request(wait_until_idle(process, PATIENCE_S), "never")
    (result,) = await world.transport.exchange(host, [request], track="orphans")
    return result.status != STILL_AT_WORK
