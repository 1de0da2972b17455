"""A stage in which somebody looks whether the release does what it must: failures, holds, and what comes after."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from shipway.core.errors import Bug, Exit, Held, Refused, ShipwayError
from shipway.core.plan_codec import plan_fingerprint, plan_from_json, plan_to_json
from shipway.core.step import Plan, Stage, violations
from shipway.engine.outcome import Outcome
from shipway.engine.resume import find_open_run, resume, undo_open_run
from shipway.engine.world import Moment
from shipway.planning.deploy import plan_release
from shipway.planning.migrate import Decided
from shipway.planning.turn import why_not_back
from tests.engine.bench import Bench, ready
from tests.engine.client import ADDITIVE, assert_serves, deploy, installed, look, prepare_plan, run_client, world_of
from tests.engine.sim_runtime import sim_site

VERIFY = Stage("Verify r2", (), commits=True, verifies=("through shop: pages",))


class Looking(Bench):
    """A bench on which `answers` are what the looks come to, in turn."""

    def __init__(self, *answers: ShipwayError | None, before: tuple[Stage, ...] = (), after: tuple[Stage, ...] = ()):
        super().__init__(*(before or (Stage("switch", ((ready("a/x"),), (ready("b/y"),))),)), VERIFY, *after)
        self.looked: list[str] = []
        self.answers = list(answers)
        self.world = replace(self.world, boundary=self._at, waits_at=lambda _plan, stage: bool(stage.verifies))

    async def _at(self, _plan: Plan, stage: Stage, moment: Moment) -> None:
        if not stage.verifies:
            return
        self.looked.append(f"{stage.title} {moment}")
        if moment == "begin" and (answer := self.answers.pop(0)) is not None:
            raise answer

    def then(self, verb: object) -> Outcome | None:
        return asyncio.run(verb(self.world, "a"))  # type: ignore[operator]


def test_what_is_right_commits_and_goes_on() -> None:
    bench = Looking(None, after=(Stage("retire", ((ready("c/z"),),)),))
    assert bench.run().ending == "done"
    assert bench.looked == ["Verify r2 begin", "Verify r2 end"]
    assert bench.lines("a")[-2:] == ["run.commit", "run.end"]
    assert bench.lines("c") == ["step.begin z", "step.done z"]


def test_what_is_not_right_takes_everything_back() -> None:
    bench = Looking(Refused("verify.http", "r2 is not right", said="500"), after=(Stage("retire", ((ready("c/z"),),)),))
    outcome = bench.run()
    assert outcome.ending == "undone"
    assert outcome.exit_code is Exit.UNDONE
    assert sorted(bench.taken_back()) == ["x", "y"]
    assert bench.lines("c") == []
    error = outcome.error()
    assert error is not None
    assert error.code == "verify.http"
    assert asyncio.run(find_open_run(bench.world, "a")) is None


def test_a_held_run_stands_as_it_is_and_is_open() -> None:
    bench = Looking(Held("verify.http", "r2 is not right"), None)
    outcome = bench.run()
    assert (outcome.ending, outcome.exit_code, bench.taken_back()) == ("held", Exit.MIXED, [])
    assert outcome.now() == "r2 serves, and r1 still runs beside it"
    error = outcome.error()
    assert error is not None
    assert "resume" in error.next
    assert "rollback" in error.next
    again = bench.then(resume)
    assert again is not None
    assert again.ending == "done"
    assert bench.looked.count("Verify r2 begin") == 2


def test_a_held_run_can_be_taken_back() -> None:
    bench = Looking(Held("verify.http", "r2 is not right"))
    bench.run()
    outcome = bench.then(undo_open_run)
    assert outcome is not None
    assert outcome.ending == "undone"
    assert sorted(bench.taken_back()) == ["x", "y"]


def test_a_run_that_was_killed_while_it_was_looked_at_looks_again() -> None:
    class Killed(BaseException):
        pass

    bench = Looking(Killed(), None)  # type: ignore[arg-type]
    with pytest.raises(Killed):
        bench.run()
    outcome = bench.then(resume)
    assert outcome is not None
    assert outcome.ending == "done"
    assert bench.looked == ["Verify r2 begin", "Verify r2 begin", "Verify r2 end"]


def test_after_a_commit_nothing_is_taken_back() -> None:
    closed = Stage("stop for good", ((ready("a/x"),),), commits=True)
    bench = Looking(Held("verify.http", "r2 is not right"), before=(closed,))
    outcome = bench.run()
    assert (outcome.ending, bench.taken_back()) == ("held", [])
    assert outcome.now() == "r2 serves, and nothing is taken back"


def test_without_anybody_who_looks_it_commits() -> None:
    bench = Bench(Stage("switch", ((ready("a/x"),),)), VERIFY)
    assert bench.run().ending == "done"
    assert bench.lines("a").count("run.commit") == 1


def test_the_plan_keeps_what_is_looked_at() -> None:
    plan = Bench(Stage("switch", ((ready("a/x"),),)), VERIFY).plan
    assert plan_from_json(plan_to_json(plan)) == plan
    other = replace(plan, stages=(plan.stages[0], replace(VERIFY, verifies=("something else",))))
    assert plan_fingerprint(other) != plan_fingerprint(plan)
    assert violations(plan) == ()
    assert violations(replace(plan, stages=(replace(VERIFY, commits=False),)))


SITE = replace(sim_site(["app-1", "app-2"]), verifies=("through shop: pages",))


def whole(decided: Decided = ADDITIVE) -> Plan:
    fleet = installed(sim_site(["app-1", "app-2"]), deploys=1)
    facts = asyncio.run(look(SITE, world_of(SITE, fleet)))
    return plan_release(prepare_plan(SITE, facts), SITE, facts, decided)


def test_a_deploy_looks_after_all_hosts_switched_and_before_anything_is_retired() -> None:
    plan = whole()
    titles = [stage.title for stage in plan.stages]
    at = titles.index("Verify r2")
    assert plan.commit_index() == at
    assert titles.index("Switch to r2") < at < titles.index("Retire what served before")
    assert titles.index("Hand over the scheduler") < at
    assert violations(plan) == ()
    assert why_not_back(plan, plan.stages[at]) == ""


def test_why_there_is_no_way_back() -> None:
    def why(plan: Plan) -> str:
        return why_not_back(plan, next(stage for stage in plan.stages if stage.verifies))

    assert "stopped for good" in why(whole(Decided(window=(("app", "m"),))))
    assert "does not work on the database" in why(whole(Decided(before=(("app", "m"),), old_code_survives=False)))
    assert why(replace(whole(), base="")) == "no release served before"


def test_a_whole_deploy_is_turned_back_on_all_hosts() -> None:
    fleet = installed(sim_site(["app-1", "app-2"]), deploys=1)

    async def wrong(_plan: Plan, stage: Stage, moment: Moment) -> None:
        if stage.verifies and moment == "begin":
            raise Refused("verify.pages", "r2 is not right")

    async def main() -> Outcome | None:
        world = replace(world_of(SITE, fleet), boundary=wrong, waits_at=lambda _plan, stage: bool(stage.verifies))
        return await deploy(SITE, world)

    outcome = asyncio.run(main())
    assert outcome is not None
    assert outcome.ending == "undone"
    assert_serves(SITE, fleet, {"r1"})
    run_client(deploy, SITE, fleet)
    assert_serves(SITE, fleet, {"r3"})


def test_a_mistake_of_ours_is_no_commit() -> None:
    bench = Looking(Bug("shipway.bug", "a mistake"))
    assert bench.run().ending == "undone"
