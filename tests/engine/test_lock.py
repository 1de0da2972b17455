"""The lock: its scripts by the real `sh`, its life with a run on the simulated fleet's clock."""

from __future__ import annotations

import asyncio
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from shipway.core.errors import Locked, Refused, Unreachable
from shipway.engine.lock import Owner, drop_lock, locked, read_lock, release_lock, remove_lock, renew_lock, try_lock
from shipway.engine.orphans import wait_for_orphans
from shipway.engine.run_lock import RunLock, Waiting
from shipway.engine.world import World
from tests.engine.client import world_of
from tests.engine.real_shell import shell_world
from tests.engine.sim_host import Fleet, SimHost
from tests.engine.sim_runtime import sim_site
from tests.engine.sim_transport import SimClock, SimTransport

ADA = Owner("ada", "laptop", "run-1", "aaaa1111")
BOB = Owner("bob", "ci", "run-2", "bbbb2222", message="say \"hi\" '$HOME'")
HAND = Owner("ada", "laptop", "", "cccc3333", message="moving the database", is_manual=True)


def held(world: World) -> Path:
    return Path(world.layout("here").lock, "held")


def make_old(world: World, seconds: int = 120) -> None:
    stat = held(world).stat()
    os.utime(held(world), (stat.st_atime - seconds, stat.st_mtime - seconds))


def test_one_of_many_takers_wins(tmp_path: Path) -> None:
    world = shell_world(str(tmp_path))
    owners = [Owner("ada", "laptop", f"run-{n}", f"token-{n:04}") for n in range(12)]

    async def main() -> list[object]:
        return list(await asyncio.gather(*(try_lock(world, "here", owner) for owner in owners)))

    answers = asyncio.run(main())
    assert answers.count(None) == 1
    assert {h.owner for h in answers if h is not None} == {owners[answers.index(None)]}  # type: ignore[attr-defined]
    assert [path.name for path in held(world).parent.iterdir()] == ["held"]
    assert held(world).stat().st_mode & 0o777 == 0o600


def test_who_holds_it_is_told(tmp_path: Path) -> None:
    world = shell_world(str(tmp_path))

    async def main() -> None:
        assert await read_lock(world, "here") is None
        assert await try_lock(world, "here", BOB) is None
        assert await try_lock(world, "here", BOB) is None, "asking again for one's own lock is not refused"
        holder = await try_lock(world, "here", ADA)
        assert holder is not None
        assert (holder.owner, holder.since, holder.is_stale) == (BOB, "2026-01-02T03:04:05Z", False)

    asyncio.run(main())


def test_renewing_and_releasing_ask_whose_it_is(tmp_path: Path) -> None:
    world = shell_world(str(tmp_path))

    async def main() -> None:
        assert await renew_lock(world, "here", ADA.token) is False
        await try_lock(world, "here", ADA)
        make_old(world)
        assert await renew_lock(world, "here", BOB.token) is False
        await drop_lock(world, "here", BOB.token)
        stale = await read_lock(world, "here")
        assert stale is not None
        assert stale.is_stale
        assert await renew_lock(world, "here", ADA.token) is True
        fresh = await read_lock(world, "here")
        assert fresh is not None
        assert not fresh.is_stale
        assert not await remove_lock(world, "here", stale, BOB.token), "it was renewed since it was looked at"
        await drop_lock(world, "here", ADA.token)
        assert await read_lock(world, "here") is None

    asyncio.run(main())


def test_a_lock_that_changed_hands_is_not_removed(tmp_path: Path) -> None:
    world = shell_world(str(tmp_path))

    async def main() -> None:
        await try_lock(world, "here", ADA)
        make_old(world)
        stale = await read_lock(world, "here")
        assert stale is not None
        assert await remove_lock(world, "here", stale, "dddd4444")
        await try_lock(world, "here", BOB)
        make_old(world)
        assert not await remove_lock(world, "here", stale, "eeee5555")
        now = await read_lock(world, "here")
        assert now is not None
        assert now.owner == BOB
        assert [path.name for path in held(world).parent.iterdir()] == ["held"]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("owner", "age", "stale", "code"),
    [
        (ADA, 0, False, "lock.held"),
        (ADA, 0, True, "lock.held"),
        (ADA, 120, False, "lock.stale"),
        (ADA, 120, True, ""),
        (HAND, 0, False, ""),
        (HAND, 9_999, False, ""),
    ],
)
def test_what_a_person_may_release(tmp_path: Path, owner: Owner, age: int, stale: bool, code: str) -> None:  # noqa: FBT001
    world = shell_world(str(tmp_path))

    async def main() -> None:
        await try_lock(world, "here", owner)
        make_old(world, age)
        if code:
            with pytest.raises(Locked) as caught:
                await release_lock(world, "here", "dddd4444", stale=stale)
            assert caught.value.code == code
            assert caught.value.next
        else:
            released = await release_lock(world, "here", "dddd4444", stale=stale)
            assert released is not None
            assert released.owner == owner
        assert held(world).exists() == bool(code)

    asyncio.run(main())


@pytest.mark.parametrize("text", ["", "garbage\n", "[]", '{"token": 5, "who": ["x"]}', "\x00\xff"])
def test_a_file_that_is_no_lock_of_ours_holds_it_until_it_is_stale(tmp_path: Path, text: str) -> None:
    world = shell_world(str(tmp_path))

    async def main() -> None:
        held(world).parent.mkdir(parents=True)
        held(world).write_text(text, encoding="latin-1")
        assert await try_lock(world, "here", ADA) is not None
        make_old(world)
        assert await release_lock(world, "here", "dddd4444", stale=True) is not None
        assert await try_lock(world, "here", ADA) is None

    asyncio.run(main())


def test_a_lock_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    world = shell_world(str(tmp_path))
    Path(world.layout("here").home).write_text("not a directory")
    with pytest.raises(Refused) as caught:
        asyncio.run(try_lock(world, "here", ADA))
    assert caught.value.code == "lock.unwritable"


GONE = "shipway-0123456789abcdef-77-1234"


@pytest.mark.parametrize(("owner", "is_stale"), [(ADA, True), (BOB, False), (HAND, False)])
def test_a_lock_whose_process_has_ended_is_stale_at_once(tmp_path: Path, owner: Owner, is_stale: bool) -> None:  # noqa: FBT001
    process = GONE if owner is not BOB else GONE.replace("77", "78")
    world = replace(shell_world(str(tmp_path)), is_gone=lambda word: word == GONE)

    async def main() -> None:
        assert await try_lock(world, "here", replace(owner, process=process)) is None
        holder = await try_lock(world, "here", Owner("cleo", "laptop", "run-3", "dddd4444"))
        assert holder is not None
        assert holder.is_stale == is_stale
        if is_stale:
            assert "its process has ended" in locked(world, "here", holder).what
            assert await remove_lock(world, "here", holder, "eeee5555")
            assert await read_lock(world, "here") is None

    asyncio.run(main())


def test_what_a_gone_process_left_at_work_is_waited_for(tmp_path: Path) -> None:
    """A command of the run outlives it; whoever takes its lock over does so after the command has ended."""
    world = replace(shell_world(str(tmp_path)), is_gone=lambda word: word == GONE)
    left = subprocess.Popen(("sh", "-c", 'sleep 1.5; : >"$1"', GONE, tmp_path / "ended"))

    async def main() -> None:
        await try_lock(world, "here", replace(ADA, process=GONE))
        async with RunLock(world, "here", BOB, take_stale=True):
            assert (tmp_path / "ended").exists()

    try:
        asyncio.run(main())
    finally:
        left.wait(10)


@pytest.mark.parametrize("word", ["", "sh", "shipway-x; rm -rf /", GONE])
def test_a_word_of_nobody_is_not_waited_for(tmp_path: Path, word: str) -> None:
    asyncio.run(wait_for_orphans(shell_world(str(tmp_path)), word))


class Sim:
    """A fleet of one host with a clock that tests move."""

    def __init__(self) -> None:
        self.fleet = Fleet({"app-1": SimHost("app-1")}, is_watched=False)
        self.world = world_of(sim_site(["app-1"]), self.fleet)
        assert isinstance(self.world.clock, SimClock)
        assert isinstance(self.world.transport, SimTransport)
        self.clock, self.transport = self.world.clock, self.world.transport

    def lock(self, owner: Owner = ADA, *, wait_s: float = 0.0, take_stale: bool = False) -> RunLock:
        return RunLock(self.world, "app-1", owner, wait=Waiting(wait_s), take_stale=take_stale)

    @property
    def is_held(self) -> bool:
        return any("held" in path for path in self.fleet.hosts["app-1"].files)


def test_a_living_run_keeps_its_lock_and_releases_it() -> None:
    async def main() -> None:
        sim = Sim()
        async with sim.lock():
            await sim.clock.advance(300)
            holder = await read_lock(sim.world, "app-1")
            assert holder is not None
            assert holder.age_s <= 15
            assert not sim.world.stop.is_set
        assert not sim.is_held

    asyncio.run(main())


@pytest.mark.parametrize("error", [RuntimeError("a bug"), asyncio.CancelledError(), SystemExit(1)])
def test_it_is_released_on_every_way_out(error: BaseException) -> None:
    sim = Sim()

    async def main() -> None:
        async with sim.lock():
            raise error

    with pytest.raises(type(error)):
        asyncio.run(main())
    assert not sim.is_held


def test_a_run_whose_lock_was_taken_over_is_asked_to_stop() -> None:
    async def main() -> None:
        sim = Sim()
        async with sim.lock():
            await drop_lock(sim.world, "app-1", ADA.token)
            await try_lock(sim.world, "app-1", BOB)
            await sim.clock.advance(20)
            assert "taken over" in sim.world.stop.why
        holder = await read_lock(sim.world, "app-1")
        assert holder is not None
        assert holder.owner == BOB

    asyncio.run(main())


def test_a_lock_that_cannot_be_renewed_for_a_minute_stops_the_run() -> None:
    async def main() -> None:
        sim = Sim()
        async with sim.lock():
            sim.transport.switch.unreachable.add("app-1")
            await sim.clock.advance(50)
            assert not sim.world.stop.is_set
            await sim.clock.advance(20)
            assert sim.world.stop.is_set
            sim.transport.switch.unreachable.clear()

    asyncio.run(main())


def test_waiting_ends_when_the_lock_is_released() -> None:
    async def main() -> None:
        sim = Sim()
        await try_lock(sim.world, "app-1", BOB)
        waiting = asyncio.create_task(sim.lock(wait_s=30).__aenter__())
        await sim.clock.advance(10)
        assert not waiting.done()
        await drop_lock(sim.world, "app-1", BOB.token)
        await sim.clock.advance(3)
        await (await waiting).__aexit__(None, None, None)

    asyncio.run(main())


def test_nobody_waits_for_a_lock_that_a_person_took() -> None:
    async def main() -> None:
        sim = Sim()
        await try_lock(sim.world, "app-1", HAND)
        with pytest.raises(Locked):
            await sim.lock(wait_s=30).__aenter__()

    asyncio.run(main())


@pytest.mark.parametrize(("inherit", "may"), [(BOB.run, True), ("run-9", False)])
def test_what_a_hook_starts_uses_the_lock_of_its_run_and_leaves_it(inherit: str, *, may: bool) -> None:
    async def main() -> None:
        sim = Sim()
        await try_lock(sim.world, "app-1", BOB)
        lock = RunLock(sim.world, "app-1", ADA, inherit=inherit)
        if not may:
            with pytest.raises(Locked):
                await lock.__aenter__()
            return
        async with lock:
            await sim.clock.advance(20)  # nothing is renewed
        holder = await read_lock(sim.world, "app-1")
        assert holder is not None
        assert (holder.owner, holder.age_s) == (BOB, 20)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("owner", "age", "code"), [(BOB, 5, "lock.held"), (BOB, 70, "lock.stale"), (HAND, 999, "lock.held")]
)
def test_refusals(owner: Owner, age: int, code: str) -> None:
    async def main() -> None:
        sim = Sim()
        await try_lock(sim.world, "app-1", owner)
        await sim.clock.advance(age)
        with pytest.raises(Locked) as caught:
            await sim.lock().__aenter__()
        assert caught.value.code == code
        assert owner.who in str(caught.value)
        if code == "lock.stale":
            assert "shipway resume" in caught.value.next
            assert "shipway lock release --stale" in caught.value.next

    asyncio.run(main())


def test_resume_takes_a_stale_lock_over_but_not_a_manual_one() -> None:
    async def main() -> None:
        sim = Sim()
        await try_lock(sim.world, "app-1", BOB)
        await sim.clock.advance(70)
        async with sim.lock(take_stale=True):
            holder = await read_lock(sim.world, "app-1")
            assert holder is not None
            assert holder.owner == ADA
        await try_lock(sim.world, "app-1", HAND)
        await sim.clock.advance(70)
        with pytest.raises(Locked):
            await sim.lock(take_stale=True).__aenter__()

    asyncio.run(main())


def test_an_unreachable_host_is_told_as_such() -> None:
    sim = Sim()
    sim.transport.switch.unreachable.add("app-1")
    with pytest.raises(Unreachable):
        asyncio.run(sim.lock().__aenter__())
