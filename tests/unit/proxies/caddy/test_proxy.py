from __future__ import annotations

import json

import pytest

from shipway.core.action import Command, Upload
from shipway.core.errors import Bug
from shipway.core.plan_codec import plan_from_json, plan_to_json
from shipway.core.ports import Result
from shipway.core.step import Plan, Stage, Step, violations
from shipway.proxies.base import ProxyFacts
from shipway.proxies.caddy import Caddy, CaddyRun, Keep, caddy_program
from shipway.proxies.site import ProxySite
from tests.unit.proxies.caddy.cases import CASES, LAYOUT, WEB, caddy

OLD, NEW = "unix//var/lib/shipway/shop/run/web-r1.sock", "unix//var/lib/shipway/shop/run/web-r2.sock"
LIVE = "/var/lib/shipway/proxy/live/shop/web"


def plan_of(*steps: Step) -> Plan:
    stage = Stage("all", (steps,))
    return Plan("run", "deploy", "shop", "r2", "abc", "r1", "web-1", (stage,))


@pytest.mark.parametrize("name", CASES)
def test_all_steps_keep_the_laws_and_survive_storage(name: str) -> None:
    proxy = caddy(name)
    plan = plan_of(
        *proxy.host_steps(),
        *proxy.switch_steps("web", NEW, OLD),
        *proxy.drain_steps("web", OLD, 30),
        *proxy.maintenance_steps(on=True, message="soon"),
        *proxy.maintenance_steps(on=False),
    )
    assert violations(plan) == ()
    assert plan_from_json(plan_to_json(plan)) == plan


def test_building_twice_gives_the_same() -> None:
    assert caddy("full").host_steps() == caddy("full").host_steps()
    assert caddy("full").config_hash == caddy("full").config_hash != caddy("plain").config_hash


def words(step: Step) -> list[tuple[str, ...]]:
    return [action.argv[4:] for action in step.do if isinstance(action, Command)]


def test_a_switch_names_the_file_and_the_address() -> None:
    (step,) = caddy().switch_steps("web", NEW, OLD)
    assert words(step) == [(LIVE, NEW)]
    assert isinstance(step.done, Command)
    assert step.done.argv[4:] == (LIVE, NEW)
    assert [action.argv[4:] for action in step.undo if isinstance(action, Command)] == [(LIVE, OLD)]


def test_undo_of_the_first_switch_sends_to_nothing() -> None:
    (step,) = caddy().switch_steps("web", NEW, "")
    assert step.undo == (Command(("rm", "-f", "--", LIVE)),)


BAD = ("", "unix//a b", "{env.HOME}", "unix/relative", "host", "host:80-90", "[::1]:x", "a:1\n")


@pytest.mark.parametrize("address", BAD)
def test_only_endpoints_are_switched_to(address: str) -> None:
    with pytest.raises(Bug):
        caddy().switch_steps("web", address, OLD)
    with pytest.raises(Bug):
        caddy().drain_steps("web", address, 1)


@pytest.mark.parametrize("address", [NEW, "127.0.0.1:8000", "shop-web-r1:8000", "[::1]:8000"])
def test_endpoints_of_every_runtime_are_taken(address: str) -> None:
    assert caddy().switch_steps("web", address, address)


def test_drain_asks_for_the_address_that_caddy_counts_by() -> None:
    (step,) = caddy().drain_steps("web", OLD, 7.5)
    (command,) = step.do
    assert isinstance(command, Command)
    assert command.argv[3:] == (
        "-",
        "drain",
        "/var/lib/shipway/proxy/admin.sock",
        "/var/lib/shipway/shop/run/web-r1.sock",
        "7.5",
    )
    assert command.limit_s > 7.5


def test_the_message_of_maintenance_is_text() -> None:
    (step,) = caddy().maintenance_steps(on=True, message="<b>soon</b>")
    (page,) = [action for action in step.do if isinstance(action, Upload)]
    assert "&lt;b&gt;soon" in "".join(map(str, page.body))


def answer(**changes: object) -> bytes:
    body = {"live": {"web": NEW}, "up": True, "maintenance": False, "hash": "0123456789ab"}
    return json.dumps({**body, **changes}).encode()


@pytest.mark.parametrize(
    ("said", "facts"),
    [
        (answer(), ProxyFacts({"web": NEW}, True, False, "0123456789ab")),
        (answer(settled=True), ProxyFacts({"web": NEW}, True, False, "0123456789ab", is_settled=True)),
        (answer(settled="yes"), ProxyFacts({"web": NEW}, True, False, "0123456789ab")),
        (answer(maintenance=True, up=False), ProxyFacts({"web": NEW}, False, True, "0123456789ab")),
        (answer(live={"web": "rm -rf /", "other": NEW}), ProxyFacts({}, True, False, "0123456789ab")),
        (answer(live=[NEW], up="yes", hash=None), ProxyFacts()),
        (answer(live={"web": 3}, hash="short"), ProxyFacts({}, True)),
        (b"[]", ProxyFacts()),
        (b"\xff{", ProxyFacts()),
        (b"", ProxyFacts()),
    ],
)
def test_answers_are_read_strictly(said: bytes, facts: ProxyFacts) -> None:
    assert caddy().parse({"caddy": Result(0, said)}) == facts


def test_no_answer_means_nothing_there() -> None:
    assert caddy().parse({}) == ProxyFacts()
    assert caddy().parse({"caddy": Result(127, answer())}) == ProxyFacts()


def test_the_keeper_may_start_it_instead() -> None:
    start = Command(("supervisorctl", "start", "caddy"))
    proxy = Caddy(LAYOUT, "web-1", ProxySite("shop", (WEB,)), CaddyRun(keep=Keep(start=(start,))))
    (step,) = [step for step in proxy.host_steps() if step.id == "web-1/proxy-start"]
    assert start in step.do
    assert caddy_program(LAYOUT, "caddy").argv == ("caddy", "run", "--config", "/var/lib/shipway/proxy/caddy.json")


def test_only_listeners_in_use_are_asked_for() -> None:
    asked = {}
    for name in ("plain", "full"):
        (step,) = [step for step in caddy(name).host_steps() if step.id == "web-1/proxy-start"]
        assert isinstance(step.do[0], Command)
        asked[name] = step.do[0].argv[6:]
    assert asked == {
        "plain": ("127.0.0.1:8080",),
        "full": ("10.0.0.1:8080", "[fd00::1]:8080", "10.0.0.1:8443", "[fd00::1]:8443"),
    }


def test_another_tools_proxy_is_told_by_its_name() -> None:
    said = answer(predecessor="kamal-proxy", neighbours=["blog", 3, "rm -rf /"])
    facts = caddy().parse({"caddy": Result(0, said)})
    assert (facts.predecessor, facts.neighbours) == ("kamal-proxy", ("blog",))
    assert caddy().parse({"caddy": Result(0, answer(predecessor="$(x)", neighbours="blog"))}).predecessor == ""
