"""`RunLock`: the lock held for as long as a run lives."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from shipway.core.errors import Interrupted, ShipwayError
from shipway.core.events import Event
from shipway.core.ports import Request, Result
from shipway.core.upkeep import RENEW_S, STALE_S
from shipway.engine.lock import (
    Holder,
    Owner,
    drop_lock,
    drop_request,
    locked,
    remove_lock,
    renew_lock,
    try_lock,
)
from shipway.engine.orphans import wait_for_orphans
from shipway.engine.rider import Rider
from shipway.engine.world import World

_ASK_AGAIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long a lock is waited for, and how often it is asked for, in seconds."""

    limit_s: float = 0.0
    every_s: float = _ASK_AGAIN_S


class RunLock:
    """An async context manager around a run: takes the lock, renews it, releases it on every way out.

    Waits up to `wait.limit_s` seconds for the live lock of another run, not for one that a person took: nobody knows
    how long that will be. A stale one is taken over when `take_stale` is set (for `resume`), else refused. The lock of
    the run `inherit` is used and left to it: a hook of that run started us. When the lock turns out to be somebody
    else's, or could not be renewed for so long that somebody may have taken it, the run is asked to stop. `rider` rides
    in the exchange in which the lock is taken.

    The lock is itself a rider: with the last line of a run it is released in the same exchange.
    """

    def __init__(  # noqa: PLR0913  who, where, and how
        self,
        world: World,
        host: str,
        owner: Owner,
        *,
        wait: Waiting | None = None,
        take_stale: bool = False,
        inherit: str = "",
    ) -> None:
        self._world, self._host, self._owner = world, host, owner
        self._wait, self._take_stale, self._inherit = wait or Waiting(), take_stale, inherit
        self.rider: Rider | None = None
        self._is_ours, self._is_dropped = True, False
        self._busy = asyncio.Lock()
        self._renewal: asyncio.Task[None] | None = None
        self._tried: set[str] = set()

    async def __aenter__(self) -> Self:
        """Take the lock. Raises Locked, Refused, Unreachable, Interrupted."""
        try:
            await self._take()
        except asyncio.CancelledError:
            await self._drop()
            raise
        if self._is_ours:
            self._renewal = asyncio.create_task(self._keep())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the lock if it is still ours."""
        if self._renewal is not None:
            async with self._busy:  # a renewal on its way is not cut off
                self._renewal.cancel()
            with suppress(asyncio.CancelledError):
                await self._renewal
        if self._is_ours and not self._is_dropped:
            await self._drop()

    def requests(self) -> tuple[Request, ...]:
        """Return the release of the lock, where it is ours."""
        return (drop_request(self._world, self._host, self._owner.token),) if self._is_ours else ()

    def take(self, results: Sequence[Result]) -> None:
        """Note that the lock was released."""
        self._is_dropped = len(results) == 1 and results[0].ok
        if self._is_dropped and self._renewal is not None:
            self._renewal.cancel()

    async def _take(self) -> None:
        clock = self._world.clock
        until_s = clock.monotonic() + self._wait.limit_s
        while (holder := await try_lock(self._world, self._host, self._owner, self.rider)) is not None:
            if self._inherit and holder.owner.run == self._inherit:
                self._is_ours = False
                return
            if holder.is_stale:
                await self._take_over(holder)
                continue
            left_s = until_s - clock.monotonic()
            if left_s <= 0 or holder.owner.is_manual:
                raise locked(self._world, self._host, holder)
            if self._world.stop.is_set:
                raise Interrupted("run.interrupted", f"waiting for the lock ended: {self._world.stop.why}")
            await clock.sleep(min(self._wait.every_s, left_s))

    async def _take_over(self, holder: Holder) -> None:
        """Remove a stale lock, or refuse. Whoever is quicker at taking it then has it."""
        if not self._take_stale or holder.owner.token in self._tried:
            raise locked(self._world, self._host, holder)
        self._tried.add(holder.owner.token)
        await wait_for_orphans(self._world, holder.owner.process)
        await remove_lock(self._world, self._host, holder, self._owner.token)
        self._warn(f"took over the lock of {holder}")

    async def _keep(self) -> None:
        clock = self._world.clock
        renewed_s = clock.monotonic()
        while True:
            await clock.sleep(RENEW_S)
            async with self._busy:
                asked_s = clock.monotonic()
                is_ours = await self._renew()
            if is_ours:
                renewed_s = asked_s
            elif is_ours is False:
                self._world.stop.request("the lock was taken over or released by somebody else")
                return
            elif clock.monotonic() - renewed_s >= STALE_S:
                self._world.stop.request(f"the lock on {self._host} could not be renewed for {STALE_S:g} s")
                return

    async def _renew(self) -> bool | None:
        try:
            return await renew_lock(self._world, self._host, self._owner.token)
        except ShipwayError:
            return None

    async def _drop(self) -> None:
        try:
            await drop_lock(self._world, self._host, self._owner.token)
        except ShipwayError as error:
            self._warn(f"could not release the lock, it ends by itself in {STALE_S:g} s: {error}")

    def _warn(self, detail: str) -> None:
        event = Event("warning", self._owner.run, self._world.clock.monotonic(), host=self._host, detail=detail)
        with suppress(Exception):  # a display that breaks must not keep the lock
            self._world.listen(event)
