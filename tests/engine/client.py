"""What the verbs do, in a dozen lines each: the lock, an open run, facts, a plan, its execution."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from shipway.core.errors import Refused
from shipway.core.facts import Facts
from shipway.core.ports import Request
from shipway.core.step import Plan
from shipway.engine.executor import execute
from shipway.engine.extend import go_on_with, store_extension, take_back
from shipway.engine.lock import Owner, release_lock
from shipway.engine.observe import observe
from shipway.engine.outcome import Outcome
from shipway.engine.resume import resume, undo_open_run
from shipway.engine.run_lock import RunLock
from shipway.engine.world import Author, World
from shipway.planning.deploy import plan_prepare, plan_release
from shipway.planning.history import next_release
from shipway.planning.migrate import Decided, migration_unit
from shipway.planning.rollback import plan_rollback, rollback_target
from shipway.planning.site import Site
from shipway.runtimes.base import Release
from tests.engine.sim_host import Fleet, SimHost
from tests.engine.sim_transport import Killed, SimClock, SimTransport, Switch

ADDITIVE = Decided(before=(("app", "m"),))
"""Every release but the first has one migration that the old code survives; it is recorded once and for all."""

Verb = Callable[[Site, World], Awaitable[Outcome | None]]


def world_of(site: Site, fleet: Fleet, switch: Switch | None = None) -> World:
    layouts = {target.host: target.layout for target in site.targets}
    return World(SimTransport(fleet, switch), SimClock(fleet), layouts, Author("ada", "laptop"))


async def look(site: Site, world: World) -> Facts:
    return await observe(site.targets, world.transport, world.clock)


def prepare_plan(site: Site, facts: Facts) -> Plan:
    name = next_release(facts)
    return plan_prepare(site, facts, f"run-{name}", Release(name, f"commit-{name}", "/repo"))


def deploy_plan(site: Site, facts: Facts, decided: Decided = ADDITIVE) -> Plan:
    return plan_release(prepare_plan(site, facts), site, facts, decided)


async def decide(site: Site, world: World, first: Plan) -> Decided:
    """Stand in for the gate: the release is asked on the primary, and says by its first migration what to do."""
    unit = migration_unit(site, first.release, first.version)
    assert unit is not None
    asked = site.target(unit.host).runtime.one_off(unit, ("python", "-"))
    (answer,) = await world.transport.exchange(unit.host, [Request(asked, "never")])
    if not answer.ok:
        raise Refused("migrations.refused", answer.said)
    return Decided() if first.release == "r1" else ADDITIVE


async def deploy(site: Site, world: World) -> Outcome | None:
    async with _lock(site, world):
        closed = await undo_open_run(world, site.primary)
        if closed is not None and closed.ending == "mixed":
            return closed
        facts = await look(site, world)
        first = await execute(prepare_plan(site, facts), world)
        if first.ending != "prepared":
            return first
        try:
            plan = plan_release(first.plan, site, facts, await decide(site, world, first.plan))
            await store_extension(plan, world, {"before": "m"})
        except Refused as error:
            return await take_back(first, world, str(error))
        return await go_on_with(plan, first, world)


async def roll_back(site: Site, world: World) -> Outcome | None:
    async with _lock(site, world):
        closed = await undo_open_run(world, site.primary)
        if closed is not None and closed.ending != "done":
            return closed
        facts = await look(site, world)
        try:
            release = rollback_target(site, facts)
        except Refused:
            return None
        return await execute(plan_rollback(site, facts, f"run-back-{len(facts.primary.records)}", release), world)


async def go_on(site: Site, world: World) -> Outcome | None:
    async with _lock(site, world, take_stale=True):
        return await resume(world, site.primary)


def _lock(site: Site, world: World, *, take_stale: bool = False) -> RunLock:
    owner = Owner("ada", "laptop", "run", "token1234")
    return RunLock(world, site.primary, owner, take_stale=take_stale)


def run_client(verb: Verb, site: Site, fleet: Fleet, switch: Switch | None = None) -> Outcome | None:
    """Run one client to its end. Raises Killed when it was killed."""

    async def main() -> Outcome | None:
        try:
            return await verb(site, world_of(site, fleet, switch))
        except BaseExceptionGroup as group:
            if group.subgroup(Killed):
                raise Killed from None
            raise

    return asyncio.run(main())


def recover(verb: Verb, site: Site, fleet: Fleet, switch: Switch | None = None) -> Outcome | None:
    """What a person does after a crash: a minute later, give up the stale lock where that is needed, run a verb."""
    fleet.now_s += 61
    if verb is not go_on:
        asyncio.run(release_lock(world_of(site, fleet), site.primary, "token9999", stale=True))
    return run_client(verb, site, fleet, switch)


def installed(site: Site, *, deploys: int = 1) -> Fleet:
    """A fleet on which r1 (or more) was deployed."""
    fleet = Fleet({target.host: SimHost(target.host) for target in site.targets})
    for _ in range(deploys):
        outcome = run_client(deploy, site, fleet)
        assert outcome is not None
        assert outcome.ending == "done", outcome.error()
    assert not fleet.broken
    return fleet


def assert_serves(site: Site, fleet: Fleet, allowed: set[str]) -> str:
    """Check that exactly one release of `allowed` serves everywhere and nothing else runs; return it."""
    serving = {endpoint.rpartition("-")[2] for host in fleet.hosts.values() for endpoint in host.live.values()}
    assert len(serving) == 1, f"the hosts serve {serving}"
    (release,) = serving
    assert release in allowed, f"{release} serves, expected {allowed}"
    for target in site.targets:
        host = fleet.hosts[target.host]
        expected = {(role.name, release): role.kind for role in site.roles if target.host in role.hosts}
        assert host.running == expected, f"{host.name} runs {host.running}"
        assert host.live == {"web": f"web-{release}"}
        assert "partial" not in host.releases.values(), f"{host.name} has {host.releases}"
    assert not fleet.broken, fleet.broken[0]
    return release
