from __future__ import annotations

import pytest

from shipway.core.action import Command
from shipway.core.record import Record, RecordKind
from shipway.core.step import Plan, Stage, Step
from shipway.engine.resume import open_run_id
from shipway.engine.run_state import is_standing, replay

TRUE = Command(("true",))


def a_step(step_id: str) -> Step:
    return Step(step_id, step_id, step_id.partition("/")[0], (TRUE,), done=TRUE, undo=(TRUE,))


ONE, TWO, THREE = a_step("a/one"), a_step("b/two"), a_step("a/three")
PLAN = Plan(
    run="r",
    verb="deploy",
    service="shop",
    release="r2",
    version="c",
    base="r1",
    primary="a",
    stages=(Stage("first", ((ONE,), (TWO,)), commits=True), Stage("second", ((THREE,),))),
)


def line(kind: RecordKind, step: str = "", run: str = "r", **detail: str | float) -> Record:
    return Record(kind=kind, run=run, at="2026-01-01T00:00:00Z", step=step, detail=detail)


@pytest.mark.parametrize(
    ("kinds", "state", "stands"),
    [
        ((), "new", False),
        (("step.begin",), "open", True),
        (("step.begin", "step.done"), "done", True),
        (("step.begin", "step.failed"), "failed", True),
        (("step.skipped",), "skipped", False),
        (("step.begin", "step.begin", "step.done"), "done", True),
        (("step.begin", "step.undoing"), "undoing", True),
        (("step.begin", "step.undoing", "step.undone"), "undone", False),
        (("step.begin", "step.undoing", "step.undo_failed"), "undo_failed", True),
        (("step.begin", "step.undoing", "step.undo_failed", "step.undoing", "step.undone"), "undone", False),
    ],
)
def test_the_last_line_of_a_step_tells_its_state(kinds: tuple[RecordKind, ...], state: str, stands: bool) -> None:  # noqa: FBT001
    found = replay(PLAN, [line(kind, "a/one") for kind in kinds])
    assert found.of(ONE) == state
    assert is_standing(found, ONE) is stands


@pytest.mark.parametrize(
    ("records", "phase", "committed"),
    [
        ([], "forward", 0),
        ([line("run.begin"), line("step.done", "a/one")], "forward", 0),
        ([line("run.unwinding")], "unwinding", 0),
        ([line("step.undone", "a/one")], "unwinding", 0),
        ([line("step.undoing", "a/one")], "unwinding", 0),
        ([line("run.commit", stage=0)], "forward", 1),
        ([line("run.commit", stage=99)], "forward", 1),
        ([line("run.commit", stage=1)], "forward", 1),
        ([line("run.commit", stage="0")], "forward", 1),
        ([line("run.unwinding"), line("run.end", outcome="mixed")], "unwinding", 0),
        ([line("run.commit", stage=0), line("run.end", outcome="mixed")], "forward", 1),
        ([line("run.end", outcome="undone")], "ended", 0),
        ([line("run.end", outcome="abandoned")], "ended", 0),
        ([line("run.end", outcome="mixed"), line("run.end", outcome="done")], "ended", 0),
        ([line("run.end", run="other", outcome="done"), line("run.commit", run="other", stage=0)], "forward", 0),
    ],
)
def test_the_lines_of_the_run_tell_its_direction(records: list[Record], phase: str, committed: int) -> None:
    found = replay(PLAN, records)
    assert (found.phase, found.committed) == (phase, committed)


def test_lines_about_steps_that_the_plan_does_not_have_are_passed_over() -> None:
    assert replay(PLAN, [line("step.done", "a/foreign")]).steps == {}


def test_the_order_of_hosts_does_not_matter() -> None:
    on_a = [line("run.begin"), line("step.begin", "a/one"), line("step.done", "a/one")]
    on_b = [line("step.begin", "b/two")]
    assert replay(PLAN, [*on_a, *on_b]) == replay(PLAN, [*on_b, *on_a])


@pytest.mark.parametrize(
    ("records", "run"),
    [
        ([], ""),
        ([line("run.begin", run="1")], "1"),
        ([line("run.begin", run="1"), line("run.end", run="1", outcome="mixed")], "1"),
        ([line("run.begin", run="1"), line("run.end", run="1", outcome="done")], ""),
        ([line("run.begin", run="1"), line("run.end", run="2", outcome="done")], "1"),
        ([line("run.begin", run="1"), line("run.end", run="1", outcome="undone"), line("run.begin", run="2")], "2"),
        ([line("note", run="1")], ""),
    ],
)
def test_only_the_last_run_can_be_open(records: list[Record], run: str) -> None:
    assert open_run_id(tuple(records)) == run
