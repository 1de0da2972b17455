"""The executor when it is stopped, cut off, or out of disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import count

import pytest

from shipway.core.errors import Exit, Interrupted, Refused, ShipwayError
from shipway.core.events import Event
from shipway.core.ports import Heard, Output, Request, Result
from shipway.core.step import Stage
from shipway.core.upkeep import APPEND_SCRIPT
from shipway.engine.outcome import Outcome
from shipway.engine.resume import resume
from tests.engine.bench import Bench, ready, stages
from tests.engine.sim_transport import ALL_OF_IT, Cut, SimTransport


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


def cut_everywhere(cut: Cut, goes_on: int = 0) -> Iterator[tuple[Bench, Outcome]]:
    """The same small run on hosts a and b, with the connection to a cut at one point after the other."""
    for at in count():
        bench = Bench(*stages([ready("b/before")], [ready("a/one")], [ready("b/late")]))
        switch = bench.transport.switch
        switch.at, switch.cut, switch.host, switch.goes_on = at, cut, "a", goes_on
        try:
            outcome = bench.run()
        except ShipwayError:
            continue
        if switch.passed <= at:
            return
        yield bench, outcome


def test_a_step_that_ended_while_nobody_could_hear_it_is_done() -> None:
    """A cut between a step's effect and the answer is no failure: the ledger, or `done`, tells what became of it."""
    assert {outcome.ending for _, outcome in cut_everywhere("blip", ALL_OF_IT)} == {"done"}
    for bench, outcome in cut_everywhere("blip"):
        is_half_done = "one" not in bench.fleet.hosts["a"].ready
        assert outcome.ending == ("undone" if is_half_done else "done"), outcome.error()


def test_nothing_is_taken_back_once_the_line_of_the_commit_may_stand() -> None:
    committed = 0
    for bench, outcome in cut_everywhere("outage"):
        if "run.commit" in bench.lines("a"):
            committed += 1
            assert bench.taken_back() == []
            assert outcome.ending in ("mixed", "done")
            assert "run.unwinding" not in [event.kind for event in bench.events]
    assert committed > 0


def test_a_listener_that_breaks_does_not_break_the_run() -> None:
    bench = Bench(Stage("one", ((ready("a/x"),),)))

    def listen(_event: Event) -> None:
        raise BrokenPipeError

    object.__setattr__(bench.world, "listen", listen)
    assert bench.run().ending == "done"


class Buggy(SimTransport):
    """A transport with a mistake in it."""

    async def exchange(
        self,
        host: str,
        requests: Sequence[Request],
        *,
        track: str = "main",
        output: Output | None = None,
        heard: Heard | None = None,
    ) -> tuple[Result, ...]:
        if any("bad" in request.command.argv for request in requests):
            raise KeyError("secret-value")
        return await super().exchange(host, requests, track=track, output=output, heard=heard)


def test_a_mistake_of_ours_is_taken_back_as_well_and_does_not_print_its_words() -> None:
    bench = Bench(*stages([ready("a/one")], [ready("b/bad", undo=False)], [], []))
    object.__setattr__(bench.world, "transport", Buggy(bench.fleet))
    outcome = bench.run()
    assert outcome.ending == "undone"
    assert outcome.failure is not None
    assert outcome.failure.code == "shipway.bug"
    assert "secret-value" not in repr(outcome)
