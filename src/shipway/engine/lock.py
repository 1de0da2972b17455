"""The lock of a service: one file on the primary host, taken by link(2), so that exactly one of several takers wins.

A run holds it with `RunLock`, which renews it while the run lives. A lock that was not renewed for a minute, by the
clock of its own host, is stale: its owner is gone. So is, at once, one whose owner was a process of this machine that
has ended. A lock taken by hand never becomes stale.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace

from shipway.core.action import Command
from shipway.core.errors import ConnectionLost, Locked, Refused
from shipway.core.ports import Request, Result
from shipway.core.upkeep import RELEASE_SCRIPT, RENEW_SCRIPT, SHOW_SCRIPT, STALE_S, TAKE_SCRIPT
from shipway.engine.journal import last_words
from shipway.engine.rider import Rider
from shipway.engine.world import World

_LIMIT_S = 20.0
_TRACK = "lock"
"""The shell of the renewals, which come while the run is at work in the others; it is opened with the first one."""
_TOKEN = re.compile(r"[0-9a-zA-Z-]{4,64}")

# Somebody else's lock is moved aside first, which only one of several can do, and is put back when it is no longer
# the one that was looked at. $2: its token ("" for a file that is no lock of ours), $3: a name, $4: its least age.
REMOVE_SCRIPT = (
    'f=$1/held; m=$1/$3.gone; then=$(date -r "$f" +%s) || exit 3;'
    ' [ -z "$4" ] || [ "$(( $(date +%s) - then ))" -ge "$4" ] || exit 3; mv -f -- "$f" "$m" 2>/dev/null || exit 3;'
    ' if [ -z "$2" ] || grep -qF -- "\\"token\\":\\"$2\\"" "$m"; then exec rm -f -- "$m"; fi;'
    ' ln -- "$m" "$f" 2>/dev/null; rm -f -- "$m"; exit 3'
)


@dataclass(frozen=True, slots=True)
class Owner:
    """Who takes the lock: `run` is the run it is for, `token` a random word of theirs alone, `message` why.

    `process` is the word of the process that takes it (`World.author`).
    """

    who: str
    origin: str
    run: str
    token: str
    message: str = ""
    is_manual: bool = False
    process: str = ""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the lock. `age_s` is how long ago it was taken or renewed, by the clock of its host.

    `is_gone`: the owner was a process of this machine, and has ended.
    """

    owner: Owner
    since: str
    age_s: int
    is_gone: bool = False

    @property
    def is_stale(self) -> bool:
        """Whether the owner is gone."""
        return not self.owner.is_manual and (self.is_gone or self.age_s >= STALE_S)

    @property
    def sign(self) -> str:
        """What shows that the owner is gone, as a clause."""
        return "its process has ended" if self.is_gone else f"not renewed for {self.age_s} s"

    def __str__(self) -> str:
        owner = self.owner
        what = f", run {owner.run}" if owner.run else ""
        why = f": {owner.message}" if owner.message else ""
        return f"{owner.who} since {self.since} from {owner.origin}{what}{why}"


async def read_lock(world: World, host: str) -> Holder | None:
    """Return who has the lock, None when nobody has."""
    (result,) = await world.transport.exchange(host, [_request(world, host, SHOW_SCRIPT)])
    return _judged(world, parse_holder(result))


def _judged(world: World, holder: Holder | None) -> Holder | None:
    return holder and replace(holder, is_gone=world.is_gone(holder.owner.process))


def parse_holder(result: Result) -> Holder | None:
    """Return the holder in the answer to `SHOW_SCRIPT`. A file that is no lock of ours still holds the lock."""
    age, _, text = result.text.partition("\n")
    if not result.ok or not re.fullmatch(r"-?[0-9]{1,12}", age):
        return None
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    body = body if isinstance(body, dict) else {}

    def word(key: str, default: str) -> str:
        value = body.get(key, default)
        return value[:200] if isinstance(value, str) else default

    token = word("token", "")
    owner = Owner(
        who=word("who", "somebody unknown"),
        origin=word("from", "somewhere"),
        run=word("run", ""),
        token=token if _TOKEN.fullmatch(token) else "",
        message=word("message", ""),
        is_manual=body.get("manual") is True,
        process=word("process", ""),
    )
    return Holder(owner, word("since", "an unknown time"), max(0, int(age)))


async def try_lock(world: World, host: str, owner: Owner, rider: Rider | None = None) -> Holder | None:
    """Take the lock, once. Return None when it is ours now, else who has it. Raises Refused when it is unwritable.

    `rider` rides in the same exchange, after the lock was taken.
    """
    if not _TOKEN.fullmatch(owner.token):
        raise ValueError(f"not a token: {owner.token!r}")
    body = {
        "who": owner.who,
        "since": world.stamp(),
        "from": owner.origin,
        "run": owner.run,
        "token": owner.token,
        "message": owner.message,
        "manual": owner.is_manual,
        "process": owner.process,
    }
    text = json.dumps(body, separators=(",", ":")) + "\n"
    requests = (
        _request(world, host, TAKE_SCRIPT, owner.token, stdin=text),
        _request(world, host, SHOW_SCRIPT),
        *(rider.requests() if rider is not None else ()),
    )
    try:
        results = await world.transport.exchange(host, requests)
    except ConnectionLost:  # asking again tells whether the first attempt had taken it
        results = await world.transport.exchange(host, requests)
    holder = _judged(world, parse_holder(results[1]))
    if results[0].ok or (holder is not None and holder.owner.token == owner.token):
        if rider is not None:
            rider.take(results[2:])
        return None
    if holder is None:
        raise Refused(
            "lock.unwritable",
            f"could not take the lock on {host}",
            where=f"{host}:{world.layout(host).lock}",
            said=last_words(results[0].said),
            next=world.command("lock status"),
        )
    return holder


async def renew_lock(world: World, host: str, token: str) -> bool | None:
    """Renew the lock. Return True when it is ours and renewed, False when it is ours no more, None when unknown."""
    (result,) = await world.transport.exchange(host, [_request(world, host, RENEW_SCRIPT, token)], track=_TRACK)
    if result.ok:
        return True
    return False if result.status == 3 else None  # noqa: PLR2004  the script's own word for "not ours"


def drop_request(world: World, host: str, token: str) -> Request:
    """Return the request that releases the lock if it is the one with `token`; anybody else's stays."""
    return _request(world, host, RELEASE_SCRIPT, token)


async def drop_lock(world: World, host: str, token: str) -> None:
    """Release the lock if it is the one with `token`; anybody else's stays."""
    await world.transport.exchange(host, [drop_request(world, host, token)])


async def remove_lock(world: World, host: str, holder: Holder, name: str) -> bool:
    """Remove the lock of `holder`, unless it has changed hands or was renewed. Return whether it is gone.

    `name` is a random word of the caller.
    """
    least = "" if holder.owner.is_manual or holder.is_gone else str(round(STALE_S))
    request = _request(world, host, REMOVE_SCRIPT, holder.owner.token, name, least)
    (result,) = await world.transport.exchange(host, [request])
    return result.ok


async def release_lock(world: World, host: str, name: str, *, stale: bool = False) -> Holder | None:
    """Release the lock for a person: one taken by hand, or with `stale` one whose run is gone.

    Returns whose it was, None when there was none. Raises Locked for the lock of a run that lives.
    """
    holder = await read_lock(world, host)
    if holder is None:
        return None
    may = holder.owner.is_manual or (stale and holder.is_stale)
    if not may or not await remove_lock(world, host, holder, name):
        raise locked(world, host, holder)
    return holder


def locked(world: World, host: str, holder: Holder) -> Locked:
    """Return the error that says who has the lock and what helps."""
    where = f"{host}:{world.layout(host).lock}/held"
    if holder.is_stale:
        what = f"the lock of {holder} is stale: {holder.sign}"
        help_ = f"{world.command('resume')} continues that run, {world.command('lock release --stale')} gives it up"
        return Locked("lock.stale", what, where=where, next=help_)
    help_ = f"{world.command('lock status')} shows whether it is still held"
    if holder.owner.is_manual:
        help_ = f"{world.command('lock release')} when the reason is gone"
    return Locked("lock.held", f"the lock is held by {holder}", where=where, next=help_)


def _request(world: World, host: str, script: str, *args: str, stdin: str = "") -> Request:
    argv = ("sh", "-c", script, "sh", world.layout(host).lock, *args)
    return Request(Command(argv, stdin=(stdin,) if stdin else (), limit_s=_LIMIT_S), "never")
