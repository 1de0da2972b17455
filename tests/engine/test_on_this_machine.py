"""The engine over the real local transport: real shells, real files."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from shipway.adapters.clock import SystemClock
from shipway.adapters.local import local_transport
from shipway.core.action import Command, Upload, Wait
from shipway.core.errors import ConfigError, Refused
from shipway.core.layout import Layout
from shipway.core.record import parse_lines
from shipway.core.step import Plan, Stage, Step
from shipway.engine.executor import execute
from shipway.engine.lock import Owner
from shipway.engine.outcome import Outcome
from shipway.engine.reading import PIECE_BYTES
from shipway.engine.resume import resume
from shipway.engine.run_lock import RunLock
from shipway.engine.world import Author, World


class NoSecrets:
    def reveal(self, name: str) -> str:
        raise ConfigError("secrets.missing", name)

    def names(self) -> Sequence[str]:
        return ()


def file_step(root: Path, name: str, *, body: str = "hello", then: Command | None = None) -> Step:
    path = str(root / name)
    is_there = Command(("test", "-s", path))
    do = (Upload(path, (body,)), Wait(is_there, 0.1, 1.0), *((then,) if then else ()))
    return Step(f"here/{name}", f"write {name}", "here", do, done=is_there, undo=(Command(("rm", "-f", path)),))


def run(root: Path, plan: Plan, *, again: bool = False) -> Outcome | None:
    async def main() -> Outcome | None:
        transport = local_transport(NoSecrets())
        world = World(transport, SystemClock(), {"here": Layout(str(root), "shop")}, Author("ada", "laptop"))
        try:
            async with RunLock(world, "here", Owner("ada", "laptop", plan.run, "token-1")):
                return await resume(world, "here") if again else await execute(plan, world)
        finally:
            await transport.close()

    return asyncio.run(main())


def plan_of(*steps: Step) -> Plan:
    late = Stage("late", (steps[-1:],))
    tracks = tuple((step,) for step in steps[:-1])
    return Plan(
        "run-1", "deploy", "shop", "r2", "c2", "r1", "here", (Stage("side by side", tracks, commits=True), late)
    )


def kinds(root: Path) -> list[str]:
    return [record.kind for record in parse_lines(Path(Layout(str(root), "shop").ledger).read_text())]


def test_a_run_is_done_and_its_ledger_is_whole(tmp_path: Path) -> None:
    outcome = run(tmp_path, plan_of(*(file_step(tmp_path, name) for name in ("one", "two", "three"))))
    assert outcome is not None
    assert outcome.ending == "done", outcome.error()
    assert kinds(tmp_path).count("step.done") == 3
    assert [kinds(tmp_path)[0], kinds(tmp_path)[-1]] == ["run.begin", "run.end"]
    assert not Path(Layout(str(tmp_path), "shop").lock, "held").exists()


def test_a_failure_is_taken_back(tmp_path: Path) -> None:
    broken = file_step(tmp_path, "two", then=Command(("sh", "-c", "echo it broke >&2; exit 7")))
    outcome = run(tmp_path, plan_of(file_step(tmp_path, "one"), broken, file_step(tmp_path, "three")))
    assert outcome is not None
    assert (outcome.ending, outcome.failure and outcome.failure.said) == ("undone", "it broke")
    assert not any((tmp_path / name).exists() for name in ("one", "two", "three"))


def test_a_big_plan_is_stored_and_read_back_whole(tmp_path: Path) -> None:
    late = file_step(tmp_path, "late", body="x" * (3 * PIECE_BYTES), then=Command(("test", "-e", str(tmp_path / "go"))))
    plan = plan_of(file_step(tmp_path, "one"), late)
    outcome = run(tmp_path, plan)
    assert outcome is not None
    assert outcome.ending == "mixed"
    (tmp_path / "go").touch()
    outcome = run(tmp_path, plan, again=True)
    assert outcome is not None
    assert (outcome.ending, outcome.plan) == ("done", plan)


def test_a_stored_plan_that_is_damaged_is_refused(tmp_path: Path) -> None:
    late = file_step(tmp_path, "late", then=Command(("false",)))
    run(tmp_path, plan_of(file_step(tmp_path, "one"), late))
    Path(Layout(str(tmp_path), "shop").run_plan("run-1")).write_text('{"format": 1')
    with pytest.raises(Refused) as caught:
        run(tmp_path, plan_of(late), again=True)
    assert caught.value.code == "run.plan_unreadable"
