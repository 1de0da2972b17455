import asyncio
from dataclasses import dataclass, field

import pytest

from shipway.app.demo.runner import Staging, look, play
from shipway.app.demo.story import ACTS, Outcome
from shipway.app.demo.traffic import Load
from shipway.core.errors import Exit
from tests.unit.app.demo.fake_site import FakeSite, Fault, serving

FAST = Staging(Load(1, 1, 1, 1, 1, pause_s=0.005), watch_s=0.1, settle_s=0.05, inspect_s=0.2)
HEADINGS = {"first": "Ships in port", "crew": "Ships and crews in port"}


@dataclass
class App:
    """The use cases, on a fake site: a good version is served at once, another one is taken back."""

    site: FakeSite
    goes_wrong: str = ""
    count: int = 0
    calls: list[str] = field(default_factory=list)

    @property
    def address(self):
        return self.site.address

    @property
    def echo(self):
        return None

    async def deploy(self, version):
        self.calls.append(version)
        self.count += 1
        await asyncio.sleep(0.05)
        if self.goes_wrong == version:
            return Outcome(Exit.MIXED, f"r{self.count}", error_code="step.failed", what="could not")
        if version not in HEADINGS:
            return Outcome(Exit.UNDONE, f"r{self.count}", error_code="step.failed", what="was not healthy")
        self.site.release, self.site.heading = f"r{self.count}", HEADINGS[version]
        return Outcome(Exit.OK, f"r{self.count}")

    async def rollback(self):
        self.calls.append("rollback")
        self.site.release, self.site.heading = "r1", HEADINGS["first"]
        return Outcome(Exit.OK, "r1")


@dataclass
class Told:
    acts: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def act_begins(self, act, number, of):
        assert number <= of
        self.acts.append(act.name)

    def act_ends(self, act, outcome, row):
        assert outcome.exit in {Exit.OK, Exit.UNDONE, Exit.MIXED}
        assert (row is not None) is act.is_under_load

    def claim(self, claim, problem):
        (self.broken if problem else self.held).append(claim.words)


def run(site=None, **app):
    told = Told()

    async def main():
        async with serving(site or FakeSite(release="", heading="")) as served:
            use_cases = App(served, **app)
            return await play(ACTS, use_cases, told, FAST), use_cases

    return *asyncio.run(main()), told


def test_the_whole_story_holds():
    played, app, told = run()
    assert played.holds, played.broken
    assert app.calls == ["first", "crew", "unhealthy", "pilots", "rollback"]
    assert told.acts == [act.name for act in ACTS]
    assert [row.phase for row in played.table] == ["watch", "second", "unhealthy", "migrated", "back", "all"]
    assert played.kept.found == played.kept.written > 0


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (Fault("502", "/slow", after=3), "request"),
        (Fault("close", "/slow", after=3), "request"),
        (Fault("lose", "/ships/new/", "POST", after=3), "registered"),
        (Fault("no release", "/", after=9), "request"),
    ],
)
def test_one_loss_breaks_a_claim(fault, word):
    played, _, told = run(FakeSite([fault], release="", heading=""))
    assert not played.holds
    assert any(word in words for words, _ in played.broken)
    assert told.broken


def test_background_jobs_that_are_not_done_break_a_claim():
    played, _, _ = run(FakeSite(release="", heading="", is_inspecting=False))
    assert [words for words, _ in played.broken if "worker" in words]


def test_the_story_ends_where_a_deploy_does_not_come_out_as_told():
    played, app, told = run(goes_wrong="crew")
    assert app.calls == ["first", "crew"]
    assert told.acts[-1] == "second"
    assert not played.holds
    assert played.table[-1].count > 0


def test_nothing_is_said_of_traffic_when_there_was_none():
    played, app, _ = run(goes_wrong="first")
    assert app.calls == ["first"]
    assert played.kept is None
    assert not played.holds


def test_a_use_case_that_raises_ends_the_traffic_too():
    async def main():
        async with serving(FakeSite(release="", heading="")) as served:
            app = App(served)

            async def rollback():
                raise OSError("gone")

            app.rollback = rollback
            with pytest.raises((OSError, ExceptionGroup)):
                await play(ACTS, app, Told(), FAST)
            return {task for task in asyncio.all_tasks() if "visitors" in repr(task)}

    assert asyncio.run(main()) == set()


def test_looking_where_nobody_answers_sees_nothing():
    assert asyncio.run(look(FakeSite().address)).release == ""
