"""Plans about accessories: what they do, and the laws that each keeps."""

from dataclasses import replace

import pytest

from shipway.core.facts import AccessoryFacts, Facts
from shipway.core.layout import Layout
from shipway.core.step import Plan
from shipway.planning.accessories import AccessoryTarget, Wanted, plan_accessories
from shipway.planning.remove import Leaving, plan_remove
from shipway.planning.setup import check_bootstrap, plan_bootstrap
from shipway.runtimes.bootstrap import HostState, Needs
from shipway.runtimes.docker.accessory import AccessorySpec, PlacedFile
from tests.laws import assert_lawful
from tests.sites import facts_serving, site

ACTIONS = ("boot", "reboot", "start", "stop", "restart", "upgrade", "remove")


def spec(name: str, host: str) -> AccessorySpec:
    return AccessorySpec(
        name=name,
        host=host,
        container=f"shop-{name}",
        image=f"{name}:1",
        data=f"/root/shop-{name}",
        env_file=f"/srv/shop/accessories/{name}.env",
        launcher="/srv/shop/accessories/launch.py",
        files=(PlacedFile(f"/root/shop-{name}/etc/my.cnf", ("x",), owner="1:1"),),
        is_root=False,
    )


SPECS = (spec("redis", "a"), spec("redis", "b"), spec("postgres", "c"))
TARGETS = tuple(AccessoryTarget(Layout("/srv", "shop"), one) for one in SPECS)


LEAVING = Leaving(TARGETS, latest="shop:latest", registry="registry.example.org")


def facts(state: str = "", networks: tuple[str, ...] = ("kamal",), **over: object) -> Facts:
    found = tuple(AccessoryFacts(s.name, s.host, state=state, networks=networks, **over) for s in SPECS)
    return Facts(facts_serving(site(), "r1").hosts, found)


def plan(action: str, found: Facts, *, is_rolling: bool = False) -> Plan:
    return plan_accessories(site(), found, "run", Wanted(action, TARGETS, is_rolling))


def ids(made: Plan, host: str = "c") -> list[str]:
    return [step.id.removeprefix(f"{host}/") for step in made.steps() if step.host == host]


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("state", ["", "running", "exited", "restarting"])
@pytest.mark.parametrize("networks", [("kamal",), ("bridge",)])
def test_every_plan_is_lawful(action: str, state: str, networks: tuple[str, ...]) -> None:
    found = facts(state, networks)
    assert_lawful(plan(action, found), lambda: plan(action, found))


def test_boot_makes_what_is_missing_and_waits_until_it_answers() -> None:
    assert ids(plan("boot", facts())) == [
        "create-network-kamal",
        "place-postgres",
        "pull-postgres",
        "run-postgres",
        "await-postgres",
    ]


def test_boot_starts_what_stopped_and_leaves_what_runs() -> None:
    assert ids(plan("boot", facts("exited"))) == ["start-postgres", "await-postgres"]
    assert list(plan("boot", facts("running")).steps()) == []


def test_a_reboot_can_be_taken_back_until_the_new_one_answers() -> None:
    made = plan("reboot", facts("running"), is_rolling=True)
    assert ids(made) == [
        *("create-network-kamal", "place-postgres", "pull-postgres"),
        *("set-aside-postgres", "run-postgres", "await-postgres", "drop-postgres"),
    ]
    assert [(stage.title, stage.width) for stage in made.stages if stage.commits] == [("Replace accessories", 1)]


def test_an_upgrade_touches_only_what_is_in_another_network() -> None:
    assert list(plan("upgrade", facts("running")).steps()) == []
    assert "set-aside-postgres" in ids(plan("upgrade", facts("running", ("bridge",))))


def test_data_in_a_volume_without_a_name_is_told_before_it_is_left_behind() -> None:
    notes = plan("reboot", facts("running", unkept=("/data",))).notes
    assert len(notes) == len(SPECS)
    assert "/data in a volume without a name" in notes[0]


def test_a_removal_says_what_it_deletes() -> None:
    made = plan("remove", facts("running"))
    assert "/root/shop-postgres on c is deleted with all data in it" in made.notes
    assert ids(made) == ["remove-container-postgres", "remove-image-postgres", "remove-data-postgres"]


STATES = (
    HostState("a", "root", is_root=True, is_debian=True),
    HostState("b", "deploy", has_sudo=True, is_debian=True, has_docker=True, has_python=True, sudo_engine="20"),
)
NEEDS = {"a": Needs(), "b": Needs(venv=True)}


def test_the_plan_for_bare_servers_is_lawful() -> None:
    made = plan_bootstrap(site(), facts_serving(site()), "run", STATES, NEEDS)
    assert_lawful(made)
    assert [step.id for step in made.steps()] == [
        "a/install-packages",
        "a/start-docker",
        "b/install-packages",
        "b/join-docker-group",
    ]
    check_bootstrap(STATES, NEEDS)


def test_a_removal_of_everything_is_lawful_and_names_what_it_deletes() -> None:
    found = facts("running")
    made = plan_remove(site(), found, "run", LEAVING)
    assert_lawful(made, lambda: plan_remove(site(), found, "run", LEAVING))
    assert ids(made, "a") == [
        *("forget-site", "stop-beat-r1", "stop-web-r1", "stop-worker-r1", "remove-r1"),
        *("remove-container-redis", "remove-image-redis", "remove-data-redis", "remove-latest", "log-out"),
    ]
    assert made.stages[0].commits
    assert made.notes[-1] == "the ledger, uploads and shared files stay in /srv/shop"


def test_what_another_destination_may_use_stays() -> None:
    """An accessory has one name for all destinations: with staging production's database must not go."""
    made = plan_remove(site(), facts("running"), "run", replace(LEAVING, accessories=(), used_by=("shop-production",)))
    assert not [step for step in ids(made, "a") if step.endswith("-redis")]
    assert "shop-production may use them" in made.notes[0]
