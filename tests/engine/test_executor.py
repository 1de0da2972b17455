"""The executor's rules on small plans: one exchange a step, widths, stops, undos that fail, ledgers that are full."""

from __future__ import annotations

import asyncio

import pytest

from shipway.core.action import Command, Pipe
from shipway.core.errors import Exit, Unreachable
from shipway.core.events import Event
from shipway.core.record import parse_lines
from shipway.core.step import Stage, Step
from shipway.engine.executor import execute
from shipway.engine.resume import abandon_open_run, resume, undo_open_run
from shipway.engine.run_state import RunState, replay
from tests.engine.bench import LEDGER, Bench, plan_of, ready, stages
from tests.engine.sim_runtime import sim


def test_a_track_is_one_exchange_and_the_lines_of_a_step_stand_around_it() -> None:
    bench = Bench(Stage("one", ((ready("a/x"), ready("a/y")),)))
    assert bench.run().exit_code is Exit.OK
    assert len(bench.transport.exchanges) == 3, "begin, the steps, end"
    assert bench.lines("a") == [
        "run.begin",
        "step.begin x",
        "step.done x",
        "step.begin y",
        "step.done y",
        "run.end",
    ]


def test_what_is_true_is_skipped_by_the_host_and_its_line_rides_with_the_next_exchange() -> None:
    bench = Bench(Stage("one", ((ready("a/x"), ready("a/y")),)))
    bench.fleet.hosts["a"].ready.add("x")
    assert bench.run().ending == "done"
    assert len(bench.transport.exchanges) == 3
    assert bench.lines("a")[1:] == ["step.begin y", "step.done y", "step.skipped x", "run.end"]


def test_lines_stand_on_the_host_of_their_step_and_those_of_the_run_on_the_primary() -> None:
    bench = Bench(Stage("one", ((ready("b/x"),), (ready("c/y"),)), commits=True))
    bench.run()
    assert bench.lines("a") == ["run.begin", "run.commit", "run.end"]
    assert bench.lines("b") == ["step.begin x", "step.done x"]
    assert bench.lines("c") == ["step.begin y", "step.done y"]


def test_a_pipe_runs_between_the_lines() -> None:
    step = Step(
        "a/x", "send", "a", (Pipe(Command(("git",)), sim("unpack", "r2")), sim("complete", "r2")), repeatable=True
    )
    bench = Bench(Stage("one", ((step,),)))
    assert bench.run().ending == "done"
    assert bench.fleet.hosts["a"].releases == {"r2": "whole"}
    assert bench.lines("a")[1:3] == ["step.begin x", "step.done x"]


@pytest.mark.parametrize(("width", "most"), [(0, 6), (1, 1), (2, 2), (9, 6)])
def test_no_more_tracks_run_at_once_than_the_stage_allows(width: int, most: int) -> None:
    steps = [ready(f"{host}/{name}") for host in "abc" for name in "xy"]
    bench = Bench(Stage("one", tuple((step,) for step in steps), width))
    assert bench.run().ending == "done"
    assert bench.transport.open_most == most


def test_a_failure_takes_back_in_reverse_what_was_done_and_nothing_that_was_true_before() -> None:
    bench = Bench(*stages([ready("a/one"), ready("b/skipped")], [ready("a/two")], [ready("a/broken")], [], []))
    bench.fleet.hosts["b"].ready.add("skipped")
    bench.fails("a", "make-ready", "broken")
    outcome = bench.run()
    assert outcome.ending == "undone"
    assert bench.taken_back() == ["broken", "two", "one"]
    error = outcome.error()
    assert error is not None
    assert error.exit_code is Exit.UNDONE
    assert (error.code, error.said) == ("step.failed", "it broke")
    assert "a/broken" in error.where
    assert "r1 serves" in error.now
    assert bench.lines("a")[-1] == "run.end"


def test_running_steps_end_and_waiting_ones_do_not_start_after_a_failure() -> None:
    bench = Bench(Stage("one", ((ready("a/bad"),), (ready("b/x"), ready("b/y")), (ready("c/z"),)), width=2))
    bench.fails("a", "make-ready", "bad")
    assert bench.run().ending == "undone"
    assert bench.lines("b")[:2] == ["step.begin x", "step.done x"]
    assert not any("y" in line for line in bench.lines("b"))
    assert bench.lines("c") == []


def test_an_undo_that_fails_leaves_what_it_stands_on_and_takes_the_other_hosts_back() -> None:
    bench = Bench(
        *stages([ready("a/start"), ready("b/start")], [ready("a/switch"), ready("b/switch")], [ready("c/bad")], [], [])
    )
    bench.fleet.fault = lambda host, argv: (
        "no" if (host, *argv[1:3]) in {("c", "make-ready", "bad"), ("b", "switch", "switch")} else ""
    )
    outcome = bench.run()
    assert outcome.ending == "mixed"
    assert outcome.hosts == {"a": "undone", "b": "mixed", "c": "undone"}
    assert [failure.step for failure in outcome.left] == ["b/switch"]
    assert not any("undoing start" in line for line in bench.lines("b"))
    assert bench.lines("a")[-1] == "run.end"
    error = outcome.error()
    assert error is not None
    assert error.exit_code is Exit.MIXED
    assert "shipway resume" in error.next


def test_a_mixed_run_stays_open_until_resume_has_taken_it_back() -> None:
    bench = Bench(*stages([ready("b/start")], [ready("c/bad")], [], []))
    bench.fleet.fault = lambda host, argv: (
        "no" if host in "bc" and argv[1] in ("switch", "make-ready")[host == "c" :] else ""
    )
    assert bench.run().ending == "mixed"
    bench.fleet.fault = lambda _host, _argv: ""
    outcome = asyncio.run(resume(bench.world, "a"))
    assert outcome is not None
    assert outcome.ending == "undone"
    assert asyncio.run(resume(bench.world, "a")) is None
    assert asyncio.run(undo_open_run(bench.world, "a")) is None


@pytest.mark.parametrize(("repeatable", "committed", "back"), [(False, 0, ["x"]), (True, 0, []), (False, 1, [])])
def test_a_step_left_half_done_is_taken_back_before_it_is_done_again(
    repeatable: bool,  # noqa: FBT001
    committed: int,
    back: list[str],
) -> None:
    bench = Bench(Stage("zero", (), commits=True), Stage("one", ((ready("a/x", repeatable=repeatable),),)))
    state = RunState({"a/x": "open"}, committed=committed)
    if not committed:
        bench.plan = plan_of(*reversed(bench.plan.stages))
    outcome = asyncio.run(execute(bench.plan, bench.world, state=state))
    assert (outcome.ending, bench.taken_back()) == ("done", back)


def test_a_host_that_never_answers_again_can_be_given_up() -> None:
    bench = Bench(*stages([ready("b/start")], [ready("c/bad")], [], []))

    def burn(event: Event) -> None:
        if event.step == "c/bad":
            bench.transport.switch.unreachable.add("b")

    object.__setattr__(bench.world, "listen", burn)
    bench.fails("c", "make-ready")
    assert bench.run().ending == "mixed"
    with pytest.raises(Unreachable):
        asyncio.run(resume(bench.world, "a"))
    assert asyncio.run(abandon_open_run(bench.world, "a", "b burnt down")) == bench.plan
    assert asyncio.run(resume(bench.world, "a")) is None


def test_a_failure_after_the_commit_is_not_taken_back() -> None:
    bench = Bench(*stages([ready("a/one")], [ready("b/late")]))
    bench.fails("b", "make-ready")
    outcome = bench.run()
    assert (outcome.ending, bench.taken_back()) == ("mixed", [])
    assert "r2 serves" in outcome.now()
    bench.fails("-")
    done = asyncio.run(undo_open_run(bench.world, "a"))
    assert done is not None
    assert done.ending == "done", "what has committed is completed, also by those who want to go back"


def test_events_tell_the_run_and_the_ledger_tells_the_same() -> None:
    bench = Bench(*stages([ready("a/one")], [ready("b/bad")], [], []))
    bench.fails("b", "make-ready")
    outcome = bench.run()
    kinds = [event.kind for event in bench.events if event.kind != "step.output"]
    assert kinds == [
        "run.begin",
        "stage.begin",
        "step.begin",
        "step.done",
        "stage.done",
        "stage.begin",
        "step.begin",
        "step.failed",
        "run.unwinding",
        "step.undoing",
        "step.undone",
        "step.undoing",
        "step.undone",
        "run.end",
    ]
    records = parse_lines("".join(host.files.get(LEDGER, "") for host in bench.fleet.hosts.values()))
    assert dict(replay(bench.plan, records).steps) == dict(outcome.state.steps)
