"""The story of a run, from records and its plan."""

from shipway.app.story import Story, find_run, tell
from shipway.core.action import Command
from shipway.core.record import Record, RecordKind
from shipway.core.step import Plan, Stage, Step
from tests.sites import ended

ONE = Step("a/one", "send r2", "a", (Command(("x",)),))
TWO = Step("b/two", "start r2", "b", (Command(("x",)),))
PLAN = Plan("run", "deploy", "shop", "r2", "c2", "r1", "a", (Stage("Put", ((ONE,),)), Stage("Start", ((TWO,),))))


def at(second: int) -> str:
    return f"2026-01-01T00:00:{second:02}Z"


def line(kind: RecordKind, second: int, step: str = "", **detail: str | float) -> Record:
    return Record(kind, "run", at(second), step, detail)


BEGIN = line("run.begin", 0, verb="deploy", release="r2", base="r1", who="ann", service="shop", note="for the fair")
OF_A = (
    BEGIN,
    line("step.begin", 1, "a/one"),
    line("step.done", 3, "a/one"),
    line("run.extended", 4, before="shop.0002", manifest="x"),
    line("run.unwinding", 9, why="it failed"),
    line("step.undoing", 9, "a/one"),
    line("step.undone", 10, "a/one"),
    line("run.end", 11, outcome="undone", took_s=11.2),
    Record("run.begin", "other", at(30), detail={"verb": "rollback", "release": "r1"}),
)
OF_B = (
    line("step.begin", 5, "b/two"),
    line("step.failed", 8, "b/two", said="<b>no</b>"),
    line("step.done", 9, "b/unknown"),
)


def told(plan: Plan | None = PLAN) -> Story:
    return tell(BEGIN, plan, {"a": OF_A, "b": OF_B})


def test_each_step_stands_on_its_host_with_its_times():
    story = told()
    steps = [(s.host, s.title, s.stage, s.state, s.from_s, s.took_s, s.said) for s in story.steps]
    assert steps == [
        ("a", "send r2", "Put", "taken back", 1.0, 2.0, ""),
        ("b", "start r2", "Start", "failed", 5.0, 3.0, "<b>no</b>"),
        ("b", "b/unknown", "", "done", 9.0, 0.0, ""),
    ]
    assert (story.outcome, story.took_s, story.migrations, story.hosts) == (
        "undone", 11.2, {"before": "shop.0002"}, ("a", "b"),
    )  # fmt: skip
    assert [(note.what, note.text) for note in story.notes] == [("note", "for the fair"), ("taken back", "it failed")]


def test_without_its_plan_a_story_has_the_names_of_the_ledger():
    story = told(None)
    assert ([step.title for step in story.steps], story.is_known) == (["a/one", "b/two", "b/unknown"], False)


def test_a_run_that_never_ended_and_times_that_are_none():
    records = (BEGIN, Record("step.begin", "run", "soon", "a/one"), Record("step.done", "run", at(2), "a/one"))
    story = tell(BEGIN, PLAN, {"a": records})
    assert (story.outcome, story.steps[0].from_s, story.steps[0].took_s) == ("", 0.0, 0.0)


def test_a_run_is_found_by_its_id_by_a_release_and_as_the_last():
    records = (*ended("deploy", "r1"), *ended("deploy", "r2", base="r1"), *ended("rollback", "r1", base="r2"))
    found = [find_run(records, which) for which in ("", "r1", "r2", "deploy-r1-", "r9", "no")]
    assert [one and one.run for one in found] == [
        "rollback-r1-r2", "rollback-r1-r2", "deploy-r2-r1", "deploy-r1-", None, None,
    ]  # fmt: skip
    assert find_run((), "") is None
