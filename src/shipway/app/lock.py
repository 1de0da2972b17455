"""The lock, for a person."""

from __future__ import annotations

from shipway.app.answers import LockView
from shipway.app.call import Caller, Choice
from shipway.app.context import Context, open_context
from shipway.core.record import Record
from shipway.engine.journal import append
from shipway.engine.lock import Holder, locked, read_lock, release_lock, try_lock


async def lock_status(choice: Choice, caller: Caller) -> LockView:
    """Return who holds the lock."""
    async with open_context(choice, caller) as context:
        return view_of(await read_lock(context.world(), context.site.primary))


async def lock_acquire(choice: Choice, caller: Caller, message: str) -> LockView:
    """Take the lock by hand, because of `message`. Raises Locked when somebody has it."""
    async with open_context(choice, caller) as context:
        world, primary = context.world(), context.site.primary
        holder = await try_lock(world, primary, context.owner("", message, is_manual=True))
        if holder is not None:
            raise locked(world, primary, holder)
        await _note(context, f"lock taken: {message}")
        return view_of(await read_lock(world, primary))


async def lock_release(choice: Choice, caller: Caller, *, stale: bool) -> LockView:
    """Give back a lock that was taken by hand, or with `stale` one whose run is gone. Raises Locked for a live one."""
    async with open_context(choice, caller) as context:
        holder = await release_lock(context.world(), context.site.primary, context.token(), stale=stale)
        if holder is None:
            return LockView(is_held=False, sentence="nobody holds the lock", detail={})
        await _note(context, f"lock released; it was held by {holder}")
        return LockView(is_held=False, sentence=f"released the lock of {holder}", detail={})


def view_of(holder: Holder | None) -> LockView:
    """Return the lock as a verb shows it."""
    if holder is None:
        return LockView(is_held=False, sentence="nobody holds the lock", detail={})
    owner = holder.owner
    state = "stale: its owner is gone" if holder.is_stale else "taken by hand" if owner.is_manual else "in use"
    detail = {
        "who": owner.who,
        "since": holder.since,
        "from": owner.origin,
        "run": owner.run,
        "message": owner.message,
        "age_s": str(holder.age_s),
        "state": state,
    }
    return LockView(is_held=True, sentence=f"held by {holder} ({state})", detail=detail)


async def _note(context: Context, text: str) -> None:
    author, primary = context.author, context.site.primary
    detail = {"who": author.who, "from": author.origin, "note": text}
    record = Record("note", "", context.world().stamp(), detail=detail)
    await context.transport.exchange(primary, [append(context.layouts[primary], [record])])
