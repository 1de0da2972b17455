"""Every plan over many sites and facts: the laws, the order of things, and what is left alone."""

import itertools
from dataclasses import replace

import pytest

from shipway.core.errors import Finding, Refused
from shipway.core.facts import Facts
from shipway.core.plan_codec import plan_fingerprint, plan_from_json, plan_to_json
from shipway.core.step import Plan, violations
from shipway.planning.deploy import plan_deploy, plan_prepare, plan_release
from shipway.planning.maintenance import plan_maintenance
from shipway.planning.migrate import Decided
from shipway.planning.prune import plan_prune
from shipway.planning.rollback import plan_rollback, rollback_target
from shipway.planning.site import RoleSpec, Site
from shipway.runtimes.base import Release
from tests.laws import assert_lawful
from tests.sites import ended, facts_serving, site

M, N = ("app", "m"), ("app", "n")
NEW = Release("r3", "c0ffee", "/project")
HISTORY = (*ended("deploy", "r1"), *ended("deploy", "r2", base="r1"))


def ids(plan: Plan) -> list[str]:
    return [step.id for step in plan.steps()]


def stage_of(plan: Plan, step_id: str) -> int:
    return next(i for i, s in enumerate(plan.stages) for t in s.tracks for step in t if step.id == step_id)


def planned(shop: Site, facts: Facts, decided: Decided) -> Plan:
    return plan_release(plan_prepare(shop, facts, "run", NEW), shop, facts, decided)


def many_plans() -> list[Plan]:
    plans = []
    workers = (RoleSpec("worker", ("a", "b"), kind="worker"),)
    decisions = (Decided(), Decided(before=(M,), after=(N,)), Decided(window=(M, N)), Decided(workers_first=True))
    for hosts, roles, width in itertools.product([("a",), ("a", "b", "c")], [(), workers], [0, 1]):
        if roles and len(hosts) == 1:
            continue
        boot = {"gate": "web" if width else "", "in_turn": not width, "boot_wait_s": 2.0}
        shop = site(hosts, roles, boot_width=width, retain=2, **boot)
        for facts in (facts_serving(shop), facts_serving(shop, "r2", kept=["r1"], records=HISTORY)):
            plans += [plan_deploy(shop, facts, "run-1", NEW), plan_prepare(shop, facts, "run-1", NEW)]
            plans += [planned(shop, facts, decided) for decided in decisions]
            plans.append(plan_prune(shop, facts, "run-1"))
            plans.append(plan_maintenance(shop, facts, "run-1", on=True, message="back at ten"))
            if facts.primary.releases:
                plans.append(plan_rollback(shop, facts, "run-1", rollback_target(shop, facts)))
    return plans


@pytest.mark.parametrize("plan", many_plans(), ids=lambda p: f"{p.verb}-{p.base or 'first'}-{len(p.hosts())}hosts")
def test_every_plan_keeps_the_laws(plan: Plan) -> None:
    assert violations(plan) == ()
    assert plan_from_json(plan_to_json(plan)) == plan


def test_planning_twice_gives_the_same_plan() -> None:
    assert many_plans() == many_plans()
    one, two = (plan_deploy(site(), facts_serving(site()), run, NEW) for run in ("x", "y"))
    assert plan_fingerprint(one) == plan_fingerprint(two)


def test_a_deploy_starts_everything_before_it_switches_anything_and_stops_nothing_before_the_commit() -> None:
    shop = site(("a", "b"))
    plan = planned(shop, facts_serving(shop, "r2", kept=["r1"], records=HISTORY), Decided(before=(M,), after=(N,)))
    starts = [stage_of(plan, f"{h}/start-{role}-r3") for h in "ab" for role in ("web", "worker")]
    switches = [stage_of(plan, f"{h}/switch-web") for h in "ab"]
    stops = [stage_of(plan, f"{h}/stop-{role}-r2") for h in "ab" for role in ("web", "worker")]
    assert stage_of(plan, "a/migrate") < min(starts) <= max(starts) < min(switches)
    assert max(switches) <= plan.commit_index() < min(stops)
    assert ids(plan).index("a/stop-beat-r2") < ids(plan).index("a/start-beat-r3")
    assert stage_of(plan, "a/start-beat-r3") == plan.commit_index()
    assert max(stops) < stage_of(plan, "a/migrate-after")
    assert plan.base == "r2"


def test_a_proxy_that_runs_as_configured_is_left_alone() -> None:
    shop = site(("a",))
    host = facts_serving(shop, "r2", records=HISTORY).primary
    plan = plan_deploy(shop, Facts((replace(host, is_proxy_settled=True),)), "run", NEW)
    assert "a/install-proxy" not in ids(plan)
    assert "a/install-keeper" in ids(plan)


def test_a_switch_knows_the_way_back_on_each_host() -> None:
    shop = site(("a", "b"))
    facts = facts_serving(shop, "r2", records=HISTORY)
    plan = plan_deploy(shop, facts, "run", NEW)
    for host in "ab":
        (switch,) = [s for s in plan.steps() if s.id == f"{host}/switch-web"]
        assert "unix//run/web-r2.sock" in str(switch.undo)


def test_a_role_that_is_gone_from_the_configuration_is_stopped() -> None:
    before = site(("a",), (RoleSpec("web", ("a",), proxied=True), RoleSpec("mailer", ("a",), kind="worker")))
    now = site(("a",), (RoleSpec("web", ("a",), proxied=True),))
    plan = plan_deploy(now, facts_serving(before, "r2", records=HISTORY), "run", NEW)
    assert "a/stop-mailer-r2" in ids(plan)


@pytest.mark.parametrize(
    ("decided", "expected"),
    [
        (Decided(), []),
        (Decided(before=(M,)), ["a/migrate"]),
        (Decided(before=(M,), after=(N,)), ["a/migrate", "a/migrate-after"]),
        (Decided(window=(M, N)), ["a/migrate-window"]),
    ],
)
def test_migrations_run_once_each_on_the_primary(decided: Decided, expected: list[str]) -> None:
    shop = site(("a", "b"))
    plan = planned(shop, facts_serving(shop, "r2", records=HISTORY), decided)
    assert [i for i in ids(plan) if "migrat" in i] == expected
    assert violations(plan) == ()


def test_a_migration_that_the_old_code_does_not_survive_is_not_harmless() -> None:
    shop = site(("a",))
    plan = planned(shop, facts_serving(shop, "r2", records=HISTORY), Decided(before=(M,), old_code_survives=False))
    assert "is not harmless" in violations(plan)[0]


def test_the_first_part_is_the_beginning_of_the_whole_and_changes_nothing_that_serves() -> None:
    shop = site(("a", "b"))
    facts = facts_serving(shop, "r2", records=HISTORY)
    first = plan_prepare(shop, facts, "run", NEW)
    whole = plan_release(first, shop, facts, Decided(before=(M,)))
    assert (first.is_partial, whole.is_partial) == (True, False)
    assert whole.stages[: len(first.stages)] == first.stages
    assert all("start" not in i and "switch" not in i and "stop" not in i for i in ids(first))
    assert violations(first) == ()


def test_a_closed_site_stops_the_old_release_before_it_migrates_and_opens_at_the_end() -> None:
    shop = site(("a", "b"))
    plan = planned(shop, facts_serving(shop, "r2", records=HISTORY), Decided(window=(M,)))
    stops = [stage_of(plan, f"{h}/stop-{role}-r2") for h in "ab" for role in ("web", "worker")]
    starts = [stage_of(plan, f"{h}/start-{role}-r3") for h in "ab" for role in ("web", "worker")]
    closed, opened = ([i for i, s in enumerate(plan.stages) if s.title == f"{w} the site"] for w in ("Close", "Open"))
    assert closed[0] < max(stops) == plan.commit_index() < stage_of(plan, "a/migrate-window") < min(starts)
    assert max(starts) < stage_of(plan, "a/switch-web") < opened[0]
    assert ids(plan).count("a/stop-beat-r2") == 1


@pytest.mark.parametrize(
    ("kept", "retain", "removed"),
    [
        (["r1"], 5, []),
        (["r1", "r2"], 5, []),
        (["r1", "r2", "r3"], 5, []),
        (["r1", "r2", "r3", "r4"], 3, ["r1", "r2", "r3"]),
        (["r1", "r2", "r3", "r4"], 4, ["r1", "r2"]),
        (["r4"], 1, ["r4"]),  # what serves and what served are two already
    ],
)
def test_clean_up_keeps_the_newest_and_the_way_back(kept: list[str], retain: int, removed: list[str]) -> None:
    shop = site(("a",), retain=retain)
    facts = facts_serving(shop, "r5", kept=kept, records=ended("deploy", "r5"))
    plan = plan_deploy(shop, facts, "run", Release("r6", "v", "/p"))
    assert [i.removeprefix("a/remove-") for i in ids(plan) if "/remove-" in i] == removed


def test_remains_of_a_failed_release_are_removed() -> None:
    shop = site(("a",))
    host = facts_serving(shop, "r2", records=HISTORY).primary
    facts = Facts((replace(host, leftovers=("r3",)),))
    assert "a/remove-r3" in ids(plan_prune(shop, facts, "run"))


def refused(shop: Site, facts: Facts, wanted: str = "") -> Refused:
    with pytest.raises(Refused) as caught:
        rollback_target(shop, facts, wanted)
    return caught.value


def test_rollback_goes_to_the_last_good_release() -> None:
    shop = site(("a",))
    history = (*HISTORY, *ended("deploy", "r3", base="r2", outcome="undone"), *ended("deploy", "r4", base="r2"))
    facts = facts_serving(shop, "r4", kept=["r1", "r2", "r3"], records=history)
    assert rollback_target(shop, facts) == "r2"
    back = (*history, *ended("rollback", "r2", base="r4"))
    assert rollback_target(shop, facts_serving(shop, "r2", kept=["r1", "r4"], records=back)) == "r1"


def test_rollback_refuses_with_a_way_on() -> None:
    shop = site(("a", "b"))
    assert refused(shop, facts_serving(shop)).code == "rollback.nothing"
    serving = facts_serving(shop, "r2", kept=["r1"], records=HISTORY)
    assert refused(shop, serving, "r2").code == "rollback.serves_already"
    error = refused(shop, serving, "r9")
    assert (error.code, error.exit_code) == ("rollback.unknown_release", 4)
    assert "r1" in error.where


def test_rollback_touches_neither_the_database_nor_the_files() -> None:
    shop = site(("a", "b"))
    plan = plan_rollback(shop, facts_serving(shop, "r2", kept=["r1"], records=HISTORY), "run", "r1")
    assert not [i for i in ids(plan) if "migrat" in i or "unpack" in i or "remove" in i]
    assert plan.version == "v-r1"


def test_a_release_works_on_the_primary_before_it_is_started_elsewhere() -> None:
    shop = site(("a", "b", "c"), gate="web")
    plan = plan_deploy(shop, facts_serving(shop, "r1"), "run", Release("r2", "c0ffee", "/"))
    gate, rest = (stage for stage in plan.stages if stage.title.startswith("Start"))
    assert [step.id for track in gate.tracks for step in track] == ["a/start-web-r2"]
    assert sorted(step.id for track in rest.tracks for step in track) == [
        "a/start-worker-r2",
        *(f"{host}/start-{role}-r2" for host in "bc" for role in ("web", "worker")),
    ]
    alone = site(("a",), gate="web")
    stages = plan_deploy(alone, facts_serving(alone), "run", Release("r1", "c0ffee", "/")).stages
    assert [stage.title for stage in stages if stage.title.startswith("Start")] == ["Start r1"], "nobody to protect"


def test_hosts_in_groups_wait_between_them_and_not_after_the_last() -> None:
    shop = site(("a", "b", "c"), boot_width=2, boot_wait_s=7.0)
    plan = plan_deploy(shop, facts_serving(shop), "run", Release("r1", "c0ffee", "/"))
    first, wait, second = (s for s in plan.stages if s.title.startswith(("Start", "Wait")))
    assert (first.title, second.title) == ("Start r1 on a, b", "Start r1 on c")
    assert [[step.id for step in track] for track in wait.tracks] == [["a/wait-before-the-next"]]
    assert_lawful(plan)


def test_roles_of_a_host_start_in_turn_where_that_is_asked() -> None:
    shop = site(("a",), in_turn=True)
    plan = plan_deploy(shop, facts_serving(shop), "run", Release("r1", "c0ffee", "/"))
    (start,) = (stage for stage in plan.stages if stage.title.startswith("Start"))
    assert [[step.id for step in track] for track in start.tracks] == [["a/start-web-r1", "a/start-worker-r1"]]


def test_nothing_is_planned_for_hosts_that_can_run_nothing() -> None:
    shop = site(("a", "b"))
    facts = facts_serving(shop, "r1")
    trouble = Finding("docker.stopped", "Docker does not answer", next="`shipway setup` starts it")
    facts = Facts((facts.hosts[0], replace(facts.hosts[1], trouble=(trouble,))))
    for planner in (
        lambda: plan_deploy(shop, facts, "run", Release("r2", "c0ffee", "/")),
        lambda: rollback_target(shop, facts),
        lambda: plan_prune(shop, facts, "run"),
    ):
        with pytest.raises(Refused, match="on b") as caught:
            planner()
        assert (caught.value.code, caught.value.where) == ("docker.stopped", "b")


def test_old_workers_end_before_the_switch_where_they_must() -> None:
    """New workers work by then, the scheduler changes hands after the switch, and nothing is stopped twice."""
    shop = site()
    plan = planned(shop, facts_serving(shop, "r2", kept=["r1"], records=HISTORY), Decided(workers_first=True))
    order = ["a/start-worker-r3", "a/stop-worker-r2", "a/switch-web", "a/stop-beat-r2", "a/stop-web-r2"]
    assert [stage_of(plan, step) for step in order] == sorted({stage_of(plan, step) for step in order})
    assert ids(plan).count("b/stop-worker-r2") == 1
    late = planned(shop, facts_serving(shop, "r2", kept=["r1"], records=HISTORY), Decided())
    assert stage_of(late, "a/switch-web") < stage_of(late, "a/stop-worker-r2")


def test_a_scheduler_that_moves_ends_on_every_host_before_it_starts_on_another() -> None:
    """Also where two ran by mistake; one track, so that no host is ahead of another."""
    before = site(
        ("a", "b"), (RoleSpec("web", ("a", "b"), proxied=True), RoleSpec("beat", ("a", "b"), kind="scheduler"))
    )
    after = site(("b", "a"), (RoleSpec("web", ("b", "a"), proxied=True), RoleSpec("beat", ("b",), kind="scheduler")))
    found = facts_serving(before, "r2", kept=["r1"], records=HISTORY)
    facts = Facts(tuple(sorted(found.hosts, key=lambda host: host.host, reverse=True)))
    plan = plan_deploy(after, facts, "run", NEW)
    (hand_over,) = [stage for stage in plan.stages if stage.commits]
    (track,) = hand_over.tracks
    assert sorted(step.id for step in track[:2]) == ["a/stop-beat-r2", "b/stop-beat-r2"]
    assert [step.id for step in track[2:]] == ["b/start-beat-r3"]
    assert plan.primary == "b"
