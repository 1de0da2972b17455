"""What a run that was cut short left at work on a host: a command goes on when whoever asked for it is gone.

It is waited for and not ended: half a migration is worse than a whole one. Until it is over, nothing may judge the step
that it belongs to, and nothing may begin that step again.
"""

from __future__ import annotations

import re

from shipway.core.action import Command
from shipway.core.errors import Locked
from shipway.core.ports import Request
from shipway.engine.observe import all_or_unreachable
from shipway.engine.world import World

PATIENCE_S = 120
"""Most steps take seconds. Whoever meets a longer one (a migration) is told, and asks again later."""
_STILL_THERE = 3
_WORD = re.compile(r"shipway-[0-9a-f-]{4,80}")

# Every shell of a run has the word of its process among its arguments. Here it comes by standard input, so that this
# script does not find itself.
WAIT_SCRIPT = (
    "IFS= read -r word || exit 0; left=$1; at_work() { if [ -r /proc/self/cmdline ]; then"
    ' printf "%s\\n" "$word" | grep -qsF -f - /proc/[0-9]*/cmdline; else ps -A -o args= | while IFS= read -r line; do'
    ' case $line in *"$word"*) echo yes;; esac; done | grep -q yes; fi; };'
    ' while at_work; do [ "$left" -gt 0 ] || exit 3; left=$((left - 1)); sleep 1; done'
)


async def wait_for_orphans(world: World, word: str) -> None:
    """Wait until nothing that the process `word` started is at work on any host of `world`.

    Raises Locked `lock.at_work` when that takes too long, Unreachable when a host does not answer. A word that is none
    of ours is passed over: older ledgers and other systems have none.
    """
    if not _WORD.fullmatch(word):
        return
    ended = await all_or_unreachable({host: _wait(world, host, word) for host in world.layouts})
    if busy := [host for host, has_ended in ended.items() if not has_ended]:
        raise Locked(
            "lock.at_work",
            f"what a run that was cut short began is still at work after {PATIENCE_S} s",
            where=", ".join(busy),
            next=f"{world.command('resume')} when it has ended",
        )


async def _wait(world: World, host: str, word: str) -> bool:
    """Return whether nothing is at work any more. A host that cannot look (without `grep`) is not waited for."""
    argv = ("sh", "-c", WAIT_SCRIPT, "sh", str(PATIENCE_S))
    command = Command(argv, stdin=(f"{word}\n",), limit_s=PATIENCE_S + 30.0)
    (result,) = await world.transport.exchange(host, [Request(command, "never")], track="orphans")
    return result.status != _STILL_THERE
