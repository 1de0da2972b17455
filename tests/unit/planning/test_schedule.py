"""The schedule in plans: with the release, once over all hosts, and taken back with it."""

import json
from dataclasses import replace

import pytest

from shipway.core.action import Command, Upload
from shipway.core.facts import Facts
from shipway.core.job import Job
from shipway.core.step import Plan, Step
from shipway.planning.app import Part, plan_app_remove, plan_app_start, plan_app_stop
from shipway.planning.deploy import plan_deploy, plan_prepare, plan_release
from shipway.planning.migrate import Decided
from shipway.planning.remove import Leaving, plan_remove
from shipway.planning.rollback import plan_rollback
from shipway.planning.site import RoleSpec, Site
from shipway.runtimes.base import Release
from shipway.runtimes.schedule import parse_schedule
from tests.laws import assert_lawful
from tests.sites import ended, facts_serving, site

NEW = Release("r3", "c0ffee", "/project")
HISTORY = (*ended("deploy", "r1"), *ended("deploy", "r2", base="r1"))
WEB = (RoleSpec("web", ("a", "b"), proxied=True),)
ALL = Part(("a", "b"), ("web",))


def job(name: str = "nightly", *hosts: str) -> Job:
    return Job(
        name=name,
        cron="@daily",
        command=("clearsessions",),
        timezone="UTC",
        role="web",
        hosts=hosts or ("a",),
        limit_s=60,
    )


def in_force(facts: Facts, **hosts: str) -> Facts:
    """The facts with the schedule of r2 in force, on the hosts that the line of each names."""
    found = []
    for one in facts.hosts:
        release, places = parse_schedule(f"schedule {hosts[one.host]}") if one.host in hosts else ("", ())
        found.append(replace(one, schedule=release, schedule_hosts=places))
    return Facts(tuple(found))


def steps(plan: Plan, word: str) -> list[Step]:
    return [step for step in plan.steps() if word in step.id.partition("/")[2]]


def verbs(actions: object) -> list[tuple[str, ...]]:
    assert isinstance(actions, tuple)
    return [action.argv[4:] for action in actions if isinstance(action, Command)]


def index(plan: Plan, step_id: str) -> int:
    return [step.id for step in plan.steps()].index(step_id)


def test_without_a_schedule_no_plan_knows_of_one() -> None:
    shop = site(roles=WEB)
    plan = plan_deploy(shop, facts_serving(shop, "r2", kept=["r1"], records=HISTORY), "run", NEW)
    assert steps(plan, "schedule") == []
    assert [stage.title for stage in plan.stages if stage.commits] == ["Switch to r3"]


def test_the_schedule_comes_with_the_release_and_is_in_force_before_there_is_no_way_back() -> None:
    shop = site(roles=WEB, schedule=(job(),))
    facts = facts_serving(shop, "r2", kept=["r1"], records=HISTORY)
    plan = plan_deploy(shop, facts, "run", NEW)
    assert_lawful(plan)
    assert [step.id for step in steps(plan, "schedule")] == [
        "a/describe-schedule-r3",
        "b/describe-schedule-r3",
        "a/schedule-r3",
    ]
    described = {}
    for step in steps(plan, "describe-schedule"):
        upload = step.do[0]
        assert isinstance(upload, Upload)
        described[step.host] = json.loads(str(upload.body[0]))
        assert upload.mode == 0o600
    assert described["a"]["jobs"][0]["argv"] == ["in", "r3", "python", "manage.py", "clearsessions"]
    assert described["b"]["jobs"] == []
    assert described["b"]["hosts"] == {"nightly": ["a"]}
    assert index(plan, "b/switch-web") < index(plan, "a/schedule-r3") < index(plan, "a/stop-web-r2")
    assert [stage.title for stage in plan.stages if stage.commits] == ["Hand over the schedule"]
    (step,) = steps(plan, "schedule-r3")[2:]
    assert verbs(step.do) == [("activate", "/srv/shop", "r3", "auto")]
    assert verbs(step.undo) == [("activate", "/srv/shop", "r2", "auto")]


def test_the_host_that_loses_a_job_comes_before_the_one_that_gets_it() -> None:
    shop = site(("a", "b"), WEB, schedule=(job("nightly", "a"),))
    facts = in_force(facts_serving(shop, "r2", kept=["r1"], records=HISTORY), b="r2 b")
    plan = plan_deploy(shop, facts, "run", NEW)
    assert index(plan, "b/schedule-r3") < index(plan, "a/schedule-r3")
    assert any(len(stage.tracks) == 1 for stage in plan.stages if stage.title == "Hand over the schedule")


def test_a_host_that_left_the_configuration_with_jobs_in_force_is_told() -> None:
    shop = site(("a", "b"), WEB, schedule=(job("nightly", "a"),))
    facts = in_force(facts_serving(shop, "r2", records=HISTORY), a="r2 gone,a", b="r2 gone,a")
    plan = plan_deploy(shop, facts, "run", NEW)
    (note,) = [note for note in plan.notes if "gone" in note]
    assert "python3 /srv/shop/schedule/schedule.py clear /srv/shop" in note


def test_a_key_that_is_gone_takes_the_schedule_away_and_a_rollback_brings_it_back() -> None:
    shop = site(roles=WEB)
    facts = in_force(facts_serving(shop, "r2", kept=["r1"], records=HISTORY), a="r2 a")
    gone = plan_deploy(shop, facts, "run", NEW)
    assert [step.id for step in steps(gone, "schedule")] == ["a/schedule-r3"]
    back = plan_rollback(shop, facts, "run", "r1")
    assert_lawful(back)
    (step,) = steps(back, "schedule")
    assert verbs(step.do) == [("activate", "/srv/shop", "r1", "auto")]


def test_a_release_of_kamal_has_no_schedule() -> None:
    shop = site(roles=WEB, schedule=(job(),))
    facts = in_force(facts_serving(shop, "r2", kept=["kamal-abc"], records=HISTORY), a="r2 a")
    (step,) = steps(plan_rollback(shop, facts, "run", "kamal-abc"), "schedule")
    assert verbs(step.do) == [("activate", "/srv/shop", "", "auto")]


def test_no_job_of_the_old_code_is_at_work_when_a_closed_site_is_migrated() -> None:
    shop = site(roles=WEB, schedule=(job(),))
    facts = in_force(facts_serving(shop, "r2", kept=["r1"], records=HISTORY), a="r2 a")
    first = plan_prepare(shop, facts, "run", NEW)
    plan = plan_release(first, shop, facts, Decided(window=(("app", "m"),)))
    assert_lawful(plan)
    order = ["a/pause-schedule", "a/stop-web-r2", "a/migrate-window", "a/switch-web", "a/schedule-r3"]
    assert [index(plan, one) for one in order] == sorted(index(plan, one) for one in order)


@pytest.mark.parametrize("whole", [True, False])
def test_a_stopped_application_runs_no_jobs(*, whole: bool) -> None:
    roles = (*WEB, RoleSpec("worker", ("a", "b"), kind="worker"))
    shop = site(roles=roles, schedule=(job(),))
    facts = in_force(facts_serving(shop, "r2", kept=["r1"], records=HISTORY), a="r2 a")
    part = Part(("a", "b"), ("web", "worker") if whole else ("worker",))
    for plan in (plan_app_stop(shop, facts, "run", part), plan_app_remove(shop, facts, "run", part)):
        assert_lawful(plan)
        assert [step.id for step in steps(plan, "schedule")] == (["a/pause-schedule"] if whole else [])


def test_a_started_application_has_its_jobs_again() -> None:
    shop: Site = site(roles=WEB, schedule=(job(),))
    facts = in_force(facts_serving(shop, "r2", kept=["r1"], records=HISTORY), a="- -")
    plan = plan_app_start(shop, facts, "run", ALL)
    assert_lawful(plan)
    assert [step.id for step in plan.steps()] == ["a/schedule-r2"]
    running = in_force(facts_serving(shop, "r2", kept=["r1"], records=HISTORY), a="r2 a")
    assert list(plan_app_start(shop, running, "run", ALL).steps()) == []


def test_remove_takes_the_schedule_off_before_the_releases() -> None:
    shop = site(roles=WEB, schedule=(job(),))
    facts = in_force(facts_serving(shop, "r2", kept=["r1"], records=HISTORY), a="r2 a")
    plan = plan_remove(shop, facts, "run", Leaving())
    assert index(plan, "a/clear-schedule") < index(plan, "a/stop-web-r2")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("release r1\nschedule r2 a,b\n", ("r2", ("a", "b"))),
        ("schedule - -", ("-", ())),
        ("schedule r2", ("", ())),
        ("schedule r2 a b", ("", ())),
        ("", ("", ())),
        ("schedule ../x y", ("", ())),
    ],
)
def test_what_a_host_tells_of_its_schedule(text: str, expected: tuple[str, tuple[str, ...]]) -> None:
    assert parse_schedule(text) == expected
