"""Which hooks a run has: real scripts around runs on the simulated fleet of the engine's tests."""

import asyncio
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from shipway.adapters.git import Tree
from shipway.app.answers import Report
from shipway.app.call import Caller, Choice
from shipway.app.change import Run, change
from shipway.app.context import Context
from shipway.app.deploy import deploy_planner, sequel_of
from shipway.app.hooks import Hooks
from shipway.app.rollback import rollback_planner
from shipway.app.run_hooks import group_of, hosts_of, starts_release
from shipway.app.signals import Interruption
from shipway.app.wanted import Wanted
from shipway.core.errors import Refused, ShipwayError, StepFailed
from shipway.core.events import Event
from shipway.engine.world import Author
from shipway.planning.deploy import plan_deploy
from shipway.planning.site import RoleSpec
from shipway.runtimes.base import Release
from tests.engine.client import assert_serves, deploy, installed, run_client
from tests.engine.sim_runtime import sim_site
from tests.engine.sim_transport import Killed, SimClock, SimTransport, Switch
from tests.sites import facts_serving, site

ALL = ("pre-connect", "pre-build", "pre-deploy", "pre-app-boot", "post-app-boot", "post-deploy")
OURS = ("deploy-failed", "rolled-back")
NOTE = """#!/bin/sh
echo "$(basename "$0") $SHIPWAY_RELEASE $SHIPWAY_BASE $SHIPWAY_OUTCOME $SHIPWAY_SERVES" >>log
echo "$SHIPWAY_HOSTS $SHIPWAY_LOCK $SHIPWAY_RUN" >>more
f=$SHIPWAY_MESSAGE_FILE; [ -z "$f" ] || { echo "$SHIPWAY_ERROR"; stat -c %a "$f"; cat "$f"; } >message
"""
CONFIG = SimpleNamespace(service="shop", destination=None, accessories=())
SERVICE = SimpleNamespace(config=CONFIG, tree=Tree("/repo", "", "c0ffee" * 7), release_version="c0ffee" * 7)


class Yard:
    """A fleet, and hooks that note that they ran; `fail` makes one of them fail."""

    def __init__(self, directory: Path, width: int = 0) -> None:
        self.directory, self.site = directory, sim_site(["app-1", "app-2"], width=width)
        self.fleet = installed(self.site)
        for name in (*ALL, *OURS):
            self.write(name, NOTE)

    def write(self, name: str, text: str) -> None:
        (self.directory / name).write_text(text)
        (self.directory / name).chmod(0o755)

    def fail(self, name: str) -> None:
        self.write(name, f"{NOTE}echo the cause >&2; exit 3\n")

    def go(self, verb: str = "deploy", *, stop_at: str = "", environ: dict[str, str] | None = None) -> Report:
        async def main() -> Report:
            interruption = Interruption(lambda _text: None)

            def listen(event: Event) -> None:
                if f"{event.kind} {event.title}".startswith(stop_at or "-"):
                    interruption.on_signal(signal.SIGINT)

            hooks = Hooks(self.directory, str(self.directory), environ=environ or {"PATH": "/usr/bin:/bin"})
            caller = Caller(listen=listen)
            hooks = replace(hooks, caller=caller, facts=lambda: {"SERVICE": "shop", "HOSTS": "all", "LOCK": "false"})
            transport, clock = SimTransport(self.fleet), SimClock(self.fleet)
            context = Context(Choice(), SERVICE, self.site, transport, clock, Author("bo", "desk"), hooks)
            run = Run.new(context, caller, interruption)
            planner = deploy_planner(context, run.id) if verb == "deploy" else rollback_planner(context, run.id, "")
            return await change(run, planner, sequel=sequel_of(context, Wanted(), Caller()))

        return asyncio.run(main())

    def ran(self) -> list[str]:
        return self._lines("log")

    def names(self) -> list[str]:
        return [line.split()[0] for line in self.ran()]

    def more(self) -> list[str]:
        return self._lines("more")

    def message(self) -> list[str]:
        return self._lines("message")

    def _lines(self, name: str) -> list[str]:
        path = self.directory / name
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


def test_around_a_deploy(yard: Yard) -> None:
    report = yard.go()
    assert yard.ran() == [
        "pre-deploy r2 r1  ",
        "pre-app-boot r2 r1  ",
        "post-app-boot r2 r1  ",
        "post-deploy r2 r1 done r2",
    ]
    assert yard.more()[0] == f"all true {report.run}"
    assert yard.more()[1].startswith("app-1,app-2 true ")
    assert yard.more()[-1].startswith("all false ")
    assert report.outcome == "done"


def test_around_a_rollback(yard: Yard) -> None:
    yard.go()
    (yard.directory / "log").unlink()
    yard.go("rollback")
    assert yard.ran()[-2:] == ["post-deploy r1 r2 done r1", "rolled-back r1 r2 done r1"]


def test_a_hook_before_a_run_refuses_it(yard: Yard) -> None:
    yard.fail("pre-deploy")
    before = yard.fleet.hosts["app-1"].files["/srv/shop/ledger.jsonl"]
    with pytest.raises(Refused) as caught:
        yard.go()
    assert (caught.value.code, caught.value.said) == ("hook.failed", "the cause")
    assert_serves(yard.site, yard.fleet, {"r1"})
    assert yard.fleet.hosts["app-1"].files["/srv/shop/ledger.jsonl"] == before
    assert yard.names() == ["pre-deploy"]


@pytest.mark.parametrize("name", ["pre-app-boot", "post-app-boot"])
def test_a_hook_in_a_run_takes_it_back(yard: Yard, name: str) -> None:
    yard.fail(name)
    with pytest.raises(StepFailed) as caught:
        yard.go()
    assert (caught.value.code, caught.value.said, caught.value.exit_code) == ("hook.failed", "the cause", 10)
    assert_serves(yard.site, yard.fleet, {"r1"})
    assert yard.ran()[-2:] == ["deploy-failed r2 r1 undone r1", "rolled-back r2 r1 undone r1"]
    code, mode, *text = yard.message()
    assert (code, mode) == ("hook.failed", "600")
    assert "the cause" in " ".join(text)


def test_a_failed_start_is_told_to_hooks(yard: Yard) -> None:
    yard.fleet.sick.add(("app-2", "r2"))
    with pytest.raises(StepFailed):
        yard.go()
    assert yard.names() == ["pre-deploy", "pre-app-boot", "deploy-failed", "rolled-back"]
    assert yard.message()[0] == "step.failed"


@pytest.mark.parametrize(
    ("settings", "groups"),
    [
        ({}, ["h1,h2,h3,h4"]),
        ({"gate": "web"}, ["h1,h2,h3,h4"]),
        ({"width": 3}, ["h1,h2,h3", "h4"]),
        ({"width": 3, "gate": "web"}, ["h1,h2,h3", "h4"]),
        ({"width": 1, "gate": "web"}, ["h1", "h2", "h3", "h4"]),
    ],
)
def test_a_group_of_hosts_has_its_hooks_once(settings: dict[str, str | int], groups: list[str]) -> None:
    roles = (RoleSpec("web", ("h1", "h2", "h3", "h4"), proxied=True), RoleSpec("worker", ("h1", "h2"), kind="worker"))
    made = site(["h1", "h2", "h3", "h4"], roles, boot_width=settings.get("width", 0), gate=settings.get("gate", ""))
    plan = plan_deploy(made, facts_serving(made, "r1"), "run", Release("r2", "v", "/repo"))
    starts = [stage for stage in plan.stages if starts_release(plan, stage)]
    found = dict.fromkeys(group_of(plan, stage) for stage in starts)
    assert [",".join(dict.fromkeys(h for one in group for h in hosts_of(one))) for group in found] == groups


@pytest.mark.parametrize("name", ["post-deploy", "deploy-failed"])
def test_a_hook_after_a_run_changes_nothing_about_its_outcome(yard: Yard, name: str) -> None:
    yard.fail(name)
    if name == "deploy-failed":
        yard.fleet.sick.add(("app-2", "r2"))
        with pytest.raises(StepFailed) as caught:
            yard.go()
        assert caught.value.exit_code == 10
        return
    report = yard.go()
    assert report.outcome == "done"
    assert "the hook post-deploy failed: exit status 3: the cause" in report.notes


def test_ctrl_c_in_a_hook_of_a_run_takes_the_run_back(yard: Yard) -> None:
    yard.write("pre-app-boot", "#!/bin/sh\nexec sleep 600\n")
    with pytest.raises(ShipwayError) as caught:
        yard.go(stop_at="hook.begin pre-app-boot")
    assert caught.value.exit_code in (10, 130)
    assert_serves(yard.site, yard.fleet, {"r1"})


def test_ctrl_c_in_a_hook_after_a_run_ends_the_hook_alone(yard: Yard) -> None:
    yard.write("post-deploy", "#!/bin/sh\nexec sleep 600\n")
    report = yard.go(stop_at="hook.begin post-deploy")
    assert report.outcome == "done"
    assert any("stopped on request" in note for note in report.notes)


def test_settling_a_run_that_was_cut_short_is_told(yard: Yard) -> None:
    with pytest.raises(Killed):
        run_client(deploy, yard.site, yard.fleet, Switch(60))
    yard.fleet.now_s += 61
    yard.go()
    assert yard.names()[:3] == ["deploy-failed", "rolled-back", "pre-deploy"]
    assert yard.names()[-1] == "post-deploy"


def test_a_change_within_a_hook_of_a_run_in_progress_is_refused(yard: Yard) -> None:
    with pytest.raises(Killed):
        run_client(deploy, yard.site, yard.fleet, Switch(60))
    yard.fleet.now_s += 61
    with pytest.raises(Refused) as caught:
        yard.go(environ={"SHIPWAY_LOCK": "true", "SHIPWAY_RUN": "run-r2"})
    assert caught.value.code == "hook.nested_change"
