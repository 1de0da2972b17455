"""`app start`, `stop`, `stale_containers --stop`, `remove` and the verbs of the proxy, as plans."""

from dataclasses import replace

import pytest

from shipway.core.errors import Refused
from shipway.core.facts import Facts
from shipway.core.step import Plan, violations
from shipway.planning.app import Part, plan_app_remove, plan_app_start, plan_app_stop, plan_stop_stale
from shipway.planning.maintenance import plan_maintenance
from shipway.planning.proxy import ProxyAction, plan_proxy
from shipway.planning.prune import plan_prune
from shipway.planning.site import Site
from tests.sites import ended, facts_serving, site

SITE = site()
ALL = Part({"a", "b"}, {"web", "worker", "beat"})
RECORDS = (*ended("deploy", "r1"), *ended("deploy", "r2", base="r1"))


def serving(*, running: bool = True) -> Facts:
    facts = facts_serving(SITE, "r2", kept=["r1"], records=RECORDS)
    return facts if running else Facts(tuple(replace(host, running=frozenset()) for host in facts.hosts))


def ids(plan: Plan) -> set[str]:
    assert violations(plan) == ()
    return {step.id for step in plan.steps()}


def test_stop_stops_what_runs_of_the_part_and_can_be_taken_back() -> None:
    plan = plan_app_stop(SITE, serving(), "run", Part({"b"}, {"web", "worker"}))
    assert ids(plan) == {"b/stop-web-r2", "b/stop-worker-r2"}
    assert all(step.undo for step in plan.steps())
    assert ids(plan_app_stop(SITE, serving(running=False), "run", ALL)) == set()


def test_start_starts_what_should_run_of_what_served_last() -> None:
    stopped = serving(running=False)
    plan = plan_app_start(SITE, stopped, "run", ALL)
    assert ids(plan) == {f"{host}/start-{role}-r2" for host in "ab" for role in ("web", "worker")} | {"a/start-beat-r2"}
    assert plan.version == "v-r2"
    assert ids(plan_app_start(SITE, serving(), "run", ALL)) == set()
    dark = Facts(tuple(replace(host, live={}) for host in stopped.hosts))
    assert {"a/switch-web", "b/switch-web", "a/start-web-r2"} <= ids(plan_app_start(SITE, dark, "run", ALL))


def test_nothing_can_be_started_where_nothing_was_deployed() -> None:
    with pytest.raises(Refused) as caught:
        plan_app_start(SITE, facts_serving(SITE), "run", ALL)
    assert caught.value.code == "app.nothing_to_start"


def test_only_what_does_not_serve_is_stale() -> None:
    facts = serving()
    crowded = replace(facts.hosts[1], running=facts.hosts[1].running | {("web", "r1")})
    assert ids(plan_stop_stale(SITE, Facts((facts.hosts[0], crowded)), "run", ALL)) == {"b/stop-web-r1"}
    assert ids(plan_stop_stale(SITE, facts, "run", ALL)) == set()


def test_releases_go_where_all_roles_of_a_host_are_meant() -> None:
    whole = ids(plan_app_remove(SITE, serving(), "run", ALL))
    assert {"a/remove-r1", "a/remove-r2", "b/remove-r2", "a/stop-beat-r2"} <= whole
    part = ids(plan_app_remove(SITE, serving(), "run", Part({"a", "b"}, {"web", "worker"})))
    assert {"b/remove-r2", "a/stop-web-r2"} <= part  # the scheduler stands on a alone
    assert "a/remove-r2" not in part
    assert ids(plan_app_remove(SITE, facts_serving(SITE), "run", ALL)) == set()


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("boot", {"b/install-proxy"}),
        ("start", {"b/install-proxy"}),
        ("stop", {"b/end-proxy"}),
        ("restart", {"b/end-proxy", "b/install-proxy"}),
        ("reboot", {"b/end-proxy", "b/install-proxy"}),
    ],
)
def test_the_proxy_of_the_chosen_hosts(action: ProxyAction, expected: set[str]) -> None:
    assert ids(plan_proxy(SITE, serving(), "run", action, {"b"})) == expected


def test_a_rolling_reboot_is_a_stage_for_each_host() -> None:
    assert len(plan_proxy(SITE, serving(), "run", "reboot", {"a", "b"}).stages) == 1
    assert len(plan_proxy(SITE, serving(), "run", "reboot", {"a", "b"}, rolling=True).stages) == 2


def test_the_proxy_of_another_tool_is_left_alone() -> None:
    facts = serving()
    taken = Facts((replace(facts.hosts[0], predecessor="kamal-proxy"), facts.hosts[1]))
    with pytest.raises(Refused) as caught:
        plan_proxy(SITE, taken, "run", "boot", {"a"})
    assert caught.value.code == "proxy.predecessor"


def test_prune_and_maintenance_on_some_hosts() -> None:
    old = facts_serving(SITE, "r9", kept=["r1", "r2", "r3", "r8"], records=ended("deploy", "r9"))
    small: Site = replace(SITE, retain=1)
    assert {step.host for step in plan_prune(small, old, "run", {"b"}).steps()} == {"b"}
    assert {step.host for step in plan_prune(small, old, "run").steps()} == {"a", "b"}
    assert {step.host for step in plan_maintenance(SITE, old, "run", on=True, hosts={"b"}).steps()} == {"b"}
