"""A fleet of three hosts and a small plan: what the tests of the executor's rules stand on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from shipway.core.events import Event
from shipway.core.layout import Layout
from shipway.core.record import parse_lines
from shipway.core.step import Plan, Stage, Step
from shipway.engine.executor import execute
from shipway.engine.outcome import Outcome
from shipway.engine.world import Author, World
from tests.engine.sim_host import Fleet, SimHost
from tests.engine.sim_runtime import sim
from tests.engine.sim_transport import SimClock, SimTransport, Switch

LEDGER = Layout("/srv", "shop").ledger


def ready(step_id: str, *, undo: bool = True, done: bool = True, repeatable: bool = False) -> Step:
    """A step that makes a host ready for something, named after itself; its undo is a switch that a test can watch."""
    host, _, name = step_id.partition("/")
    return Step(
        step_id,
        f"make {name} ready",
        host,
        do=(sim("make-ready", name),),
        done=sim("is-ready", name) if done else None,
        undo=(sim("switch", name, "taken back"),) if undo else (),
        repeatable=repeatable,
        harmless=not undo,
    )


def plan_of(*stages: Stage) -> Plan:
    return Plan("run-1", "deploy", "shop", "r2", "c2", "r1", "a", stages)


class Bench:
    """A fleet of three hosts, a plan, and everything a test wants to look at afterwards."""

    def __init__(self, *stages: Stage) -> None:
        self.fleet = Fleet({name: SimHost(name) for name in "abc"}, is_watched=False)
        self.plan = plan_of(*stages)
        self.events: list[Event] = []
        self.transport = SimTransport(self.fleet, Switch())
        layouts = {name: Layout("/srv", "shop") for name in "abc"}
        clock = SimClock(self.fleet)
        self.world = World(self.transport, clock, layouts, Author("ada", "laptop"), self.events.append)

    def run(self) -> Outcome:
        return asyncio.run(execute(self.plan, self.world))

    def fails(self, host: str, *words: str) -> None:
        def fault(where: str, argv: Sequence[str]) -> str:
            return "it broke" if where == host and set(words) <= set(argv) else ""

        self.fleet.fault = fault

    def lines(self, host: str) -> list[str]:
        records = parse_lines(self.fleet.hosts[host].files.get(LEDGER, ""))
        return [f"{r.kind} {r.step.partition('/')[2]}".strip() for r in records]

    def taken_back(self) -> list[str]:
        argvs = [argv for _, batch in self.transport.exchanges for argv in batch]
        return [argv[2] for argv in argvs if argv[:2] == ("sim", "switch")]


def stages(*groups: Sequence[Step], width: int = 0) -> tuple[Stage, ...]:
    """Stages of one-step tracks; the second last one commits."""
    last = len(groups) - 2
    return tuple(
        Stage(f"stage {n}", tuple((step,) for step in group), width, commits=n == last)
        for n, group in enumerate(groups)
    )
