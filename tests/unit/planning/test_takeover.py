"""Hosts where Kamal's proxy has the ports and Kamal's release serves."""

from __future__ import annotations

from dataclasses import replace

from shipway.core.facts import Facts
from shipway.core.step import Plan, violations
from shipway.planning.deploy import plan_deploy
from shipway.planning.history import base_release, good_releases, live_on, next_release, version_of
from shipway.planning.rollback import plan_rollback, rollback_target
from shipway.planning.site import Site
from shipway.planning.takeover import needs_consent
from shipway.runtimes.base import Release
from tests.sites import ended, facts_serving, site

OLD = "kamal-c0ffee"


def facts_of_kamal(site_: Site, *, neighbours: tuple[str, ...] = ()) -> Facts:
    """Facts of a site on which Kamal's release runs behind Kamal's proxy."""
    found = facts_serving(site_, OLD)
    return Facts(
        tuple(replace(h, live={}, predecessor="kamal-proxy", neighbours=neighbours) for h in found.hosts),
    )


def plan(site_: Site, facts: Facts) -> Plan:
    return plan_deploy(site_, facts, "run", Release("r1", "abc", "/repo"))


def test_the_ports_change_hands_after_the_start_and_before_the_switch() -> None:
    shop = site(("a",))
    found = plan(shop, facts_of_kamal(shop))
    assert violations(found) == ()
    titles = [stage.title for stage in found.stages]
    at = titles.index("Take over from Kamal")
    assert titles[at - 1].startswith("Start r1")
    assert titles[at + 1] == "Switch to r1"
    ids = [step.id for step in found.steps()]
    assert "a/prepare-proxy" in ids
    assert "a/install-proxy" not in ids
    assert {"a/replace-kamal-proxy", f"a/stop-web-{OLD}", f"a/stop-worker-{OLD}", f"a/stop-beat-{OLD}"} <= {*ids}
    assert found.base == OLD
    assert f"a/remove-{OLD}" not in ids


def test_only_what_takes_over_needs_consent_and_tells_of_neighbours() -> None:
    shop = site(("a", "b"))
    facts = facts_of_kamal(shop, neighbours=("blog",))
    found = plan(shop, facts)
    assert needs_consent(found, facts)
    assert sum("blog" in note for note in found.notes) == 2
    ours = facts_serving(shop, "r1")
    assert not needs_consent(plan(shop, ours), ours)
    assert "Take over from Kamal" not in [stage.title for stage in plan(shop, ours).stages]


def test_undoing_the_switch_goes_back_to_kamals_release() -> None:
    shop = site(("a",))
    facts = facts_of_kamal(shop)
    old = shop.target("a").runtime.endpoint(shop.unit("web", "a", OLD))
    assert live_on(shop, facts.primary) == {"web": old}
    assert base_release(shop, facts) == OLD
    (switch,) = [step for step in plan(shop, facts).steps() if step.id == "a/switch-web"]
    assert old in str(switch.undo)


def test_a_rollback_goes_back_to_kamals_last_release() -> None:
    shop = site(("a",))
    records = ended("deploy", "r1", base=OLD)
    facts = facts_serving(shop, "r1", kept=(OLD,), records=records)
    assert rollback_target(shop, facts) == OLD
    assert plan_rollback(shop, facts, "run", OLD).version == "c0ffee"
    verified = replace(shop, verifies=("pages",))
    assert any(stage.verifies for stage in plan_rollback(verified, facts, "run", "r1").stages)
    assert not any(stage.verifies for stage in plan_rollback(verified, facts, "run", OLD).stages)
    assert good_releases([*records, *ended("deploy", "r2", base="r1")]) == (OLD, "r1", "r2")
    assert version_of(OLD, records) == "c0ffee"
    assert next_release(facts) == "r2"
