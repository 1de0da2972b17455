"""The laws of a runtime, against the real thing: a Django project, a virtualenv, each keeper, on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipway.core.action import Pipe
from shipway.core.step import Plan, Stage, violations
from shipway.runtimes import health
from shipway.runtimes.base import Release
from shipway.runtimes.vitals import parse_vitals
from tests.contract.host import eventually
from tests.contract.project import commit
from tests.contract.site import HEALTH, KEEPERS, SECRET, Site, built_site, needs_programs, stopped_afterwards

pytestmark = needs_programs


@pytest.fixture(scope="module", params=KEEPERS)
def built(request: pytest.FixtureRequest) -> Iterator[Site]:
    with built_site(request.param) as site:
        yield site


@pytest.fixture
def shop(built: Site) -> Iterator[Site]:
    with stopped_afterwards(built) as site:
        yield site


def test_every_step_is_lawful_and_the_same_when_planned_twice(shop: Site) -> None:
    unit, worker = shop.unit("r1"), shop.unit("r1", "worker")

    def steps():
        runtime = shop.runtime
        return (
            *runtime.host_steps(), *runtime.prepare_steps(shop.releases["r1"], [unit, worker]),
            *runtime.start_steps(unit), *runtime.start_steps(worker),
            *runtime.stop_steps(unit), *runtime.stop_steps(worker), *runtime.remove_steps("r1", ["web", "worker"]),
        )  # fmt: skip

    plan = Plan("run", "deploy", "shop", "r1", "v", "", "here", (Stage("all", (steps(),)),))
    assert violations(plan) == ()
    assert steps() == steps()


def test_prepared_twice_is_prepared_once(shop: Site) -> None:
    steps = shop.runtime.prepare_steps(shop.releases["r1"], [shop.unit("r1")])
    assert [step.id for step in steps if step.done and not shop.host.ok(step.done)] == []
    assert [step.id for step in shop.runtime.host_steps() if not shop.host.ok(step.done)] == []


def test_what_is_there_is_found(shop: Site) -> None:
    answers = {name: shop.host.run(command) for name, command in shop.runtime.probes().items()}
    (Path(shop.layout.release("r9"))).mkdir()
    facts = shop.runtime.parse({name: shop.host.run(command) for name, command in shop.runtime.probes().items()})
    Path(shop.layout.release("r9")).rmdir()
    assert facts.releases == ("r1", "r2")
    assert facts.leftovers == ("r9",)
    assert facts.is_keeper_up
    assert shop.runtime.parse(answers).leftovers == ()
    assert {"python3", "supervisord"} <= set(facts.tools)


def test_started_twice_is_started_once(shop: Site) -> None:
    unit = shop.unit("r1")
    (step,) = shop.runtime.start_steps(unit)
    assert not shop.host.ok(step.done), "not healthy before it is started"
    assert shop.host.step(step)
    pid = shop.pid(unit)
    assert not shop.host.step(step), "true already"
    for action in step.do:
        assert shop.host.run(action).ok, "and harmless when it is done again"
    assert shop.pid(unit) == pid
    assert shop.running() == {("web", "r1")}


def test_undo_gives_the_state_before(shop: Site) -> None:
    unit = shop.unit("r1")
    (start,) = shop.runtime.start_steps(unit)
    (stop,) = shop.runtime.stop_steps(unit)
    shop.host.undo(start)  # after no part of it
    shop.host.step(start)
    shop.host.step(stop)
    assert shop.running() == set()
    assert not Path(shop.layout.socket("web", "r1")).exists()
    shop.host.undo(stop)
    assert shop.running() == {("web", "r1")}
    assert "ok" in shop.get(unit, "/up")
    shop.host.undo(start)
    assert shop.running() == set()


def test_stopping_the_unknown_is_fine(shop: Site) -> None:
    unknown = replace(shop.unit("r1"), release="r77")
    (step,) = shop.runtime.stop_steps(unknown)
    assert shop.host.ok(step.done)
    for action in step.do:
        assert shop.host.run(action).ok


def test_two_releases_run_side_by_side(shop: Site) -> None:
    one, two = shop.unit("r1"), shop.unit("r2")
    shop.start(one)
    shop.start(two)
    assert shop.runtime.endpoint(one) != shop.runtime.endpoint(two)
    assert shop.running() == {("web", "r1"), ("web", "r2")}
    assert shop.releases["r1"].version in shop.get(one, "/env")
    assert shop.releases["r2"].version in shop.get(two, "/env")


def test_the_environment_is_clean_and_no_secret_is_seen(shop: Site) -> None:
    unit = shop.unit("r1")
    shop.start(unit)
    env = json.loads(shop.get(unit, "/env").split("\r\n\r\n", 1)[1])
    assert env["SECRET_KEY"] == SECRET
    assert env["ODD"] == "a 'b' $c\n%d ; # e"
    assert "PLANTED" not in env
    assert "SUPERVISOR_ENABLED" not in env
    assert env["PATH"].startswith(f"{shop.layout.venv('r1')}/bin:")
    assert env["DJANGO_SETTINGS_MODULE"] == "shop.settings"
    assert {env[f"SHIPWAY_{n}"] for n in ("SERVICE", "ROLE", "RELEASE")} == {"shop", "web", "r1"}
    assert not any("sec'ret" in words for words in shop.host.processes().values())
    holders = [
        path for path in shop.host.root.rglob("*") if path.is_file() and b"sec'ret" in path.read_bytes()[:1_000_000]
    ]
    assert holders == []  # quoted for the shell, the value stands in no file as it is
    assert oct(Path(shop.layout.env("r1", "web")).stat().st_mode & 0o777) == "0o600"


def test_source_that_was_cut_on_the_way_is_not_taken_for_whole(shop: Site) -> None:
    release = Release("r6", shop.releases["r1"].version, shop.releases["r1"].repository)
    unpack = shop.runtime.prepare_steps(release, [replace(shop.unit("r1"), release="r6")])[0]
    (pipe,) = unpack.do
    assert isinstance(pipe, Pipe)
    whole = subprocess.run(pipe.source.words(), capture_output=True, check=True).stdout
    for size in (0, 512, 1024, 1536, 10, len(whole) // 1024 * 512, len(whole.rstrip(b"\0")) + 512):
        assert not shop.host._command(pipe.sink, whole[:size]).ok or size >= len(whole.rstrip(b"\0")) + 1024
        assert not shop.host.ok(unpack.done)
    shop.host.undo(unpack)
    assert not Path(shop.layout.release("r6")).exists()


def test_an_unhealthy_release_explains_itself(shop: Site) -> None:
    shop.start(shop.unit("r1"))
    for changes, cause in (
        ({"host": "other.example"}, "ALLOWED_HOSTS"),
        ({"path": "/missing"}, "django.health"),
        ({"path": "/fail"}, "exception"),
    ):
        unit = shop.unit("r1", health=replace(HEALTH, limit_s=0.3, **changes))
        result = shop.host.run(shop.runtime.health_question(unit))
        assert not result.ok
        assert cause in health.parse(result).cause
        assert cause in result.said
    assert "Listening at" in result.said, "the end of the log is quoted"


def test_a_project_that_cannot_be_imported_fails_before_anything_starts(shop: Site) -> None:
    repository = Path(shop.releases["r1"].repository)
    version = commit(repository, {"shop/urls.py": "import nothing_of_that_name\n"})
    release = Release("r3", version, str(repository))
    unit = replace(shop.unit("r1"), release="r3", version=version)
    steps = shop.runtime.prepare_steps(release, [unit])
    *before, check, _ = steps
    for step in before:
        shop.host.step(step)
    result = shop.host.run(check.do[0])
    assert not result.ok
    assert "nothing_of_that_name" in result.said.splitlines()[-1]
    for step in reversed([*before, check]):
        shop.host.undo(step)
    assert not Path(shop.layout.release("r3")).exists()


def test_what_outlives_releases_is_linked_in_and_published(shop: Site) -> None:
    source, layout = Path(shop.layout.source("r1")), shop.layout
    assert (source / "media").resolve() == Path(layout.media).resolve()
    assert (Path(layout.media) / "logo.txt").read_text().startswith(("a logo", "changed"))
    (Path(layout.media) / "logo.txt").write_text("changed by a user")
    assert shop.host.run(shop.runtime._disk.link_command("r1")).ok, "done twice"
    assert (Path(layout.media) / "logo.txt").read_text() == "changed by a user"
    (source / "data" / "kept").write_text("x")
    assert (Path(layout.shared) / "data" / "kept").exists()
    (source / "db.sqlite3").write_text("rows")
    assert (Path(layout.shared) / "db.sqlite3").read_text() == "rows"
    published = sorted(path.name for path in Path(layout.static).glob("site*.css"))
    assert len(published) == 3, "the plain name, and a hashed one of each release"


def test_one_off_commands_run_in_the_release(shop: Site) -> None:
    code = "import os, sys; print(os.getcwd(), os.environ['SHIPWAY_RELEASE'], sys.argv[1])"
    result = shop.host.run(shop.runtime.one_off(shop.unit("r2"), ("python", "-c", code, "a 'b' $c\n;")))
    assert result.text == f"{shop.layout.source('r2')} r2 a 'b' $c\n;\n"


def test_vitals_tell_what_runs_and_who_else_does(shop: Site) -> None:
    web, worker = shop.unit("r1"), shop.unit("r1", "worker")
    shop.start(web)

    def look():
        return parse_vitals(shop.host.run(shop.runtime.vitals([web, worker], {"server": r"\bgunicorn\b"})))

    vitals = look()
    found, missing = vitals.of("web", "r1"), vitals.of("worker", "r1")
    assert (found.is_running, found.pid, found.machine) == (True, shop.pid(web), vitals.machine)
    assert found.pid in found.pids
    assert len(found.pids) > 1, "its processes are counted with it"
    assert vitals.now - 600 < found.started_at <= vitals.now
    assert found.memory_bytes > 1_000_000
    assert not missing.is_running
    assert missing.said
    assert vitals.watched == (("server", found.name),), "a server with its processes is one"
    other = subprocess.Popen((f"{shop.layout.venv('r1')}/bin/python", "-c", "import time; time.sleep(60) # gunicorn"))
    try:
        eventually(lambda: sorted(look().watched) == [("server", ""), ("server", found.name)])
    finally:
        other.kill()
        other.wait()
    os.kill(found.pid, signal.SIGKILL)
    eventually(lambda: shop.running() == {("web", "r1")} and shop.pid(web) != found.pid)
    again = look().of("web", "r1")
    assert again.started_at >= found.started_at
    assert again.restarts != 0, "systemd counts, supervisor does not"


def test_a_running_release_is_not_removed_and_a_stopped_one_is_gone(shop: Site) -> None:
    release = Release("r4", shop.releases["r2"].version, shop.releases["r2"].repository)
    shop.releases["r4"] = release
    worker = shop.unit("r4", "worker")
    for step in shop.runtime.prepare_steps(release, [shop.unit("r4"), worker]):
        shop.host.step(step)
    shop.start(worker)
    (remove,) = shop.runtime.remove_steps("r4", ["web", "worker"])
    assert not shop.host.run(remove.do[0]).ok
    assert Path(shop.layout.complete("r4")).exists()
    shop.stop(worker)
    assert shop.host.step(remove)
    assert not shop.host.step(remove)
    assert not Path(shop.layout.release("r4")).exists()
    assert len(list(Path(shop.layout.static).glob("site*.css"))) == 3, "r2 has these files too"
