"""The executor's rules on small plans: one exchange a step, widths, stops, undos that fail, ledgers that are full."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from shipway.core.action import Command, Pipe
from shipway.core.errors import Exit, Interrupted, Refused, Unreachable
from shipway.core.events import Event
from shipway.core.layout import Layout
from shipway.core.ports import Output, Request, Result
from shipway.core.record import parse_lines
from shipway.core.step import Plan, Stage, Step
from shipway.engine.executor import execute
from shipway.engine.journal import APPEND_SCRIPT
from shipway.engine.outcome import Outcome
from shipway.engine.resume import abandon_open_run, resume, undo_open_run
from shipway.engine.run_state import RunState, replay
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


def test_a_step_is_one_exchange_and_its_lines_stand_around_it() -> None:
    bench = Bench(Stage("one", ((ready("a/x"), ready("a/y")),)))
    assert bench.run().exit_code is Exit.OK
    assert len(bench.transport.exchanges) == 4, "begin, two steps, end"
    assert bench.lines("a") == [
        "run.begin",
        "step.begin x",
        "step.done x",
        "step.begin y",
        "step.done y",
        "run.end",
    ]


def test_what_is_true_is_skipped_and_its_line_rides_with_the_next_step() -> None:
    bench = Bench(Stage("one", ((ready("a/x"), ready("a/y")),)))
    bench.fleet.hosts["a"].ready.add("x")
    assert bench.run().ending == "done"
    assert len(bench.transport.exchanges) == 4
    assert bench.lines("a")[1:4] == ["step.skipped x", "step.begin y", "step.done y"]


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


def stop_at(bench: Bench, step: str, kind: str = "step.begin") -> None:
    def listen(event: Event) -> None:
        if (event.kind, event.step) == (kind, step):
            bench.world.stop.request("Ctrl-C")

    object.__setattr__(bench.world, "listen", listen)


@pytest.mark.parametrize(
    ("step", "ending", "back"),
    [("a/one", "undone", ["one"]), ("b/two", "undone", ["two", "one"]), ("c/late", "mixed", [])],
)
def test_a_stop_ends_the_running_step_and_goes_back_before_the_commit_only(
    step: str, ending: str, back: list[str]
) -> None:
    bench = Bench(
        Stage("one", ((ready("a/one"),),)),
        Stage("two", ((ready("b/two"),),), commits=True),
        Stage("late", ((ready("c/late"), ready("c/never")),)),
    )
    stop_at(bench, step)
    outcome = bench.run()
    assert (outcome.ending, bench.taken_back()) == (ending, back)
    assert "never" not in bench.fleet.hosts["c"].ready


def test_a_stop_before_any_change_is_130() -> None:
    bench = Bench(Stage("one", ((ready("a/skipped"), ready("a/x")),)))
    bench.fleet.hosts["a"].ready.add("skipped")
    stop_at(bench, "a/skipped")
    outcome = bench.run()
    assert outcome.exit_code is Exit.INTERRUPTED
    error = outcome.error()
    assert isinstance(error, Interrupted)
    assert asyncio.run(resume(bench.world, "a")) is None


def test_a_stop_before_the_first_line_touches_nothing() -> None:
    bench = Bench(Stage("one", ((ready("a/x"),),)))
    bench.world.stop.request("Ctrl-C")
    with pytest.raises(Interrupted):
        bench.run()
    assert bench.transport.exchanges == []


def test_a_stop_during_the_last_step_changes_nothing_any_more() -> None:
    bench = Bench(Stage("one", ((ready("a/x"),),), commits=True))
    stop_at(bench, "a/x")
    assert bench.run().ending == "done"


def full_disk(host: str, after: int) -> Callable[[str, Sequence[str]], str]:
    left = [after]

    def fault(where: str, argv: Sequence[str]) -> str:
        if where != host or APPEND_SCRIPT not in argv:
            return ""
        left[0] -= 1
        return "No space left on device" if left[0] < 0 else ""

    return fault


def test_a_ledger_that_cannot_be_begun_refuses_the_run() -> None:
    bench = Bench(Stage("one", ((ready("a/x"),),)))
    bench.fleet.fault = full_disk("a", 0)
    with pytest.raises(Refused) as caught:
        bench.run()
    assert caught.value.code == "ledger.unwritable"
    assert bench.fleet.hosts["a"].ready == set()


@pytest.mark.parametrize("after", [0, 1])
def test_a_full_disk_stops_the_run_but_not_its_undo(after: int) -> None:
    bench = Bench(*stages([ready("a/one")], [ready("b/two")], [ready("c/never")], []))
    bench.fleet.fault = full_disk("b", after)
    outcome = bench.run()
    assert outcome.ending == "undone"
    assert outcome.failure is not None
    assert "No space left" in outcome.failure.said
    assert bench.taken_back() == (["two", "one"] if after else ["one"])
    assert bench.fleet.hosts["c"].ready == set()


@pytest.mark.parametrize("after", [3, 4, 5])
def test_a_primary_whose_disk_fills_up_never_ends_as_done(after: int) -> None:
    bench = Bench(Stage("one", ((ready("a/one"),),), commits=True), Stage("two", ((ready("b/two"),),)))
    bench.fleet.fault = full_disk("a", after)
    outcome = bench.run()
    assert outcome.ending == ("mixed" if after < 5 else "done")
    bench.fleet.fault = lambda _host, _argv: ""
    after_all = asyncio.run(resume(bench.world, "a"))
    if outcome.ending == "mixed":
        assert after_all is not None
        assert after_all.ending in ("done", "undone")


def test_a_listener_that_breaks_does_not_break_the_run() -> None:
    bench = Bench(Stage("one", ((ready("a/x"),),)))

    def listen(_event: Event) -> None:
        raise BrokenPipeError

    object.__setattr__(bench.world, "listen", listen)
    assert bench.run().ending == "done"


class Buggy(SimTransport):
    """A transport with a mistake in it."""

    async def exchange(
        self, host: str, requests: Sequence[Request], *, track: str = "main", output: Output | None = None
    ) -> tuple[Result, ...]:
        if any("bad" in request.command.argv for request in requests):
            raise KeyError("secret-value")
        return await super().exchange(host, requests, track=track, output=output)


def test_a_mistake_of_ours_is_taken_back_as_well_and_does_not_print_its_words() -> None:
    bench = Bench(*stages([ready("a/one")], [ready("b/bad", undo=False)], [], []))
    object.__setattr__(bench.world, "transport", Buggy(bench.fleet))
    outcome = bench.run()
    assert outcome.ending == "undone"
    assert outcome.failure is not None
    assert outcome.failure.code == "shipway.bug"
    assert "secret-value" not in repr(outcome)


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
