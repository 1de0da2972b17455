"""The life of a run, against the simulated fleet of the engine's tests."""

import asyncio
import json
import signal
from dataclasses import replace
from types import SimpleNamespace

import pytest

from shipway.adapters.git import Tree
from shipway.app.answers import Preview, Report
from shipway.app.call import Caller, Choice
from shipway.app.change import Run, change
from shipway.app.context import Context
from shipway.app.deploy import deploy_planner, sequel_of
from shipway.app.rollback import rollback_planner
from shipway.app.signals import Interruption
from shipway.app.wanted import Wanted
from shipway.core.errors import Interrupted, Locked, Refused, StepFailed
from shipway.core.events import Event
from shipway.engine.world import Author
from shipway.planning.site import RoleSpec
from tests.engine.client import assert_serves, deploy, installed, run_client
from tests.engine.sim_host import Fleet
from tests.engine.sim_runtime import sim_site
from tests.engine.sim_transport import Killed, SimClock, SimTransport, Switch

SITE = sim_site(["app-1", "app-2"], width=0)
CONFIG = SimpleNamespace(service="shop", destination=None, accessories=())
SERVICE = SimpleNamespace(config=CONFIG, tree=Tree("/repo", "", "c0ffee" * 7, 2), release_version="c0ffee" * 7)


def go(fleet: Fleet, verb: str = "deploy", stop_at: str = "", **caller) -> tuple[Report, list[str]]:
    """Run a verb on the fleet; `stop_at`: the kind of event at which somebody presses Ctrl-C."""
    said: list[str] = []
    interruption = Interruption(said.append)

    def listen(event: Event) -> None:
        if event.kind == stop_at:
            interruption.on_signal(signal.SIGINT)

    async def main() -> Report:
        context = Context(Choice(), SERVICE, SITE, SimTransport(fleet), SimClock(fleet), Author("bo", "desk"))
        run = Run.new(context, Caller(listen=listen, say=said.append, **caller), interruption)
        planner = deploy_planner(context, run.id) if verb == "deploy" else rollback_planner(context, run.id, "")
        if verb == "deploy":
            return await change(run, planner, sequel=sequel_of(context, Wanted(), Caller()))
        return await change(run, planner, is_enough=lambda settled: settled.ending == "undone")

    return asyncio.run(main()), said


EXCHANGES_MAX = 10
"""Of a redeploy with the one host of a site with one role: each is a round trip, and some routes are long."""
BASICS = 1
"""Where the state directory of the host is: asked before there is a run."""
PIPE = 2
"""The files of a release are sent from here, between two exchanges that would be one; an image is pulled instead."""


def test_a_redeploy_needs_few_exchanges() -> None:
    async def main(context: Context, run: Run) -> Report:
        return await change(run, deploy_planner(context, run.id), sequel=sequel_of(context, Wanted(), Caller()))

    site = replace(sim_site(["app-1"]), roles=(RoleSpec("web", ("app-1",), kind="web", proxied=True),))
    fleet = installed(site, deploys=2)
    transport = SimTransport(fleet)
    context = Context(Choice(), SERVICE, site, transport, SimClock(fleet), Author("bo", "desk"))
    run = Run.new(context, Caller(listen=lambda _: None, say=lambda _: None), Interruption(lambda _: None))
    report = asyncio.run(main(context, run))
    assert (report.outcome, report.release, len(report.serving)) == ("done", "r3", 1)
    assert BASICS + len(transport.exchanges) - PIPE <= EXCHANGES_MAX - 1, "with room for one: a plan that is shown"
    assert not any("held" in path for path in fleet.hosts["app-1"].files)


def cut(fleet: Fleet, at: int) -> None:
    """Kill a deploy at a point, and let its lock become stale."""
    with pytest.raises(Killed):
        run_client(deploy, SITE, fleet, Switch(at))
    fleet.now_s += 61


def test_a_deploy_reports_what_serves_and_what_comes_next() -> None:
    fleet = installed(SITE)
    report, _ = go(fleet)
    assert (report.outcome, report.release, report.base) == ("done", "r2", "r1")
    assert {(unit.host, unit.role, unit.release) for unit in report.serving} >= {("app-1", "web", "r2")}
    assert "2 uncommitted files" in report.notes[0]
    assert "Switch to r2" in [stage.title for stage in report.stages]
    assert "rollback" in report.next
    assert_serves(SITE, fleet, {"r2"})


def test_who_declines_changes_nothing() -> None:
    fleet = installed(SITE, deploys=2)
    shown: list[Preview] = []
    before = fleet.state()
    with pytest.raises(Interrupted):
        go(fleet, "rollback", confirm=lambda preview: bool(shown.append(preview)))
    assert fleet.state() == before
    assert (shown[0].plan.verb, shown[0].plan.release) == ("rollback", "r1")
    assert shown[0].true_already < {step.id for step in shown[0].plan.steps()}


def test_what_was_agreed_to_is_what_runs() -> None:
    fleet = installed(SITE)

    def agree_late(_preview: Preview) -> bool:
        fleet.hosts["app-2"].releases["r7"] = "whole"  # somebody else was there meanwhile
        return True

    with pytest.raises(Refused) as caught:
        go(fleet, confirm=agree_late)
    assert caught.value.code == "run.world_changed"
    assert_serves(SITE, fleet, {"r1"})
    report, _ = go(fleet, confirm=lambda _preview: True)
    assert report.release == "r8"


@pytest.mark.parametrize("at", [60, 80, 100, 120])
def test_a_deploy_settles_a_run_that_was_cut_short(at: int) -> None:
    fleet = installed(SITE)
    cut(fleet, at)
    report, said = go(fleet)
    assert report.outcome == "done"
    assert "settled first" in said[0]
    assert_serves(SITE, fleet, {report.release})


def test_a_rollback_of_a_deploy_that_was_cut_short_goes_no_further() -> None:
    fleet = installed(SITE, deploys=2)
    cut(fleet, 60)
    report, _ = go(fleet, "rollback", confirm=lambda _preview: False)  # nobody is asked: there is no plan to show
    assert (report.outcome, report.release) == ("done", "r2")
    assert_serves(SITE, fleet, {"r2"})


def test_the_lock_of_a_run_that_lives_is_respected() -> None:
    fleet = installed(SITE)
    with pytest.raises(Killed):
        run_client(deploy, SITE, fleet, Switch(60))
    with pytest.raises(Locked) as caught:
        go(fleet)
    assert caught.value.exit_code == 6


def test_a_failure_is_taken_back_and_told() -> None:
    fleet = installed(SITE)
    fleet.sick.add(("app-2", "r2"))
    with pytest.raises(StepFailed) as caught:
        go(fleet)
    assert caught.value.exit_code == 10
    assert "r1 serves" in caught.value.now
    assert_serves(SITE, fleet, {"r1"})
    fleet.sick.clear()
    assert go(fleet)[0].outcome == "done"  # the lock was given back


CONFLICT = {"default": {"vendor": "sqlite", "problems": [["conflict", "ships", "0002_a", "0002_b"]]}}
SILENT = {"default": {"vendor": "postgresql", "error": {"type": "OperationalError", "lines": ["no room"]}, "walk": [
    {"key": ["ships", "0001_initial"]}]}}  # fmt: skip


@pytest.mark.parametrize(
    ("databases", "code"),
    [(CONFLICT, "migrations.conflict"), (SILENT, "migrations.no_answer")],
    ids=["graph", "silent"],
)
def test_a_release_that_is_refused_when_it_is_asked_leaves_nothing(databases: dict[str, object], code: str) -> None:
    fleet = installed(SITE)
    fleet.databases = databases
    with pytest.raises(Refused) as caught:
        go(fleet)
    assert (caught.value.code, caught.value.exit_code) == (code, 4)
    assert_serves(SITE, fleet, {"r1"})
    assert all(set(host.releases) == {"r1"} for host in fleet.hosts.values())
    fleet.databases = {}
    assert go(fleet)[0].outcome == "done"


def test_what_a_release_recorded_stands_on_every_host_and_its_hash_in_the_ledger() -> None:
    fleet = installed(SITE)
    assert go(fleet)[0].release == "r2"
    path = "/srv/shop/releases/r2/manifest.json"
    texts = {host.files[path] for host in fleet.hosts.values()}
    (text,) = texts
    assert f'"manifest":"{json.loads(text)["hash"]}"' in fleet.hosts["app-1"].files["/srv/shop/ledger.jsonl"]


def test_a_failure_while_the_release_is_put_on_hosts_waits_for_the_answer_before_it_removes_it() -> None:
    fleet = installed(SITE)
    fleet.fault = lambda host, argv: "full" if host == "app-2" and "unpack" in argv else ""
    with pytest.raises(StepFailed) as caught:
        go(fleet)
    assert caught.value.exit_code == 10
    assert_serves(SITE, fleet, {"r1"})


def test_ctrl_c_takes_back_what_was_done() -> None:
    fleet = installed(SITE)
    with pytest.raises(StepFailed) as caught:
        go(fleet, stop_at="step.done")
    assert caught.value.exit_code == 10
    assert_serves(SITE, fleet, {"r1"})
    assert go(fleet)[0].outcome == "done"


def test_ctrl_c_after_the_commit_says_how_to_go_on() -> None:
    fleet = installed(SITE)
    with pytest.raises(StepFailed) as caught:
        go(fleet, stop_at="run.commit")
    assert caught.value.exit_code == 11
    assert "shipway resume" in caught.value.next
