"""The laws of a runtime, against the real thing: images, containers and Docker's own engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipway.core.logs import LogsAsked
from shipway.core.step import Plan, Stage, violations
from shipway.runtimes.base import Release
from tests.lab.docker_site import HEALTH, NETWORK, PEM, SECRET, SERVICE, DockerSite, docker_site, version_of
from tests.lab.fixtures import Lab


@pytest.fixture(scope="module")
def made(lab: Lab) -> Iterator[DockerSite]:
    with docker_site(lab) as site:
        site.prepare("r1")
        site.prepare("r2")
        yield site


@pytest.fixture
def shop(made: DockerSite) -> Iterator[DockerSite]:
    yield made
    for role, release in made.running():
        made.stop(made.unit(release, role))
    assert made.running() == set()


def test_every_step_is_lawful_and_the_same_when_planned_twice(shop: DockerSite) -> None:
    unit, worker = shop.unit(), shop.unit(role="worker")

    def steps():
        runtime = shop.runtime
        return (
            *runtime.host_steps(), *runtime.prepare_steps(Release("r1", "one", "/"), [unit, worker]),
            *runtime.start_steps(unit), *runtime.start_steps(worker),
            *runtime.stop_steps(unit), *runtime.stop_steps(worker),
            *runtime.finish_steps("r1", "one"), *runtime.remove_steps("r1", ["web", "worker"]),
        )  # fmt: skip

    plan = Plan("run", "deploy", "shop", "r1", "v", "", "here", (Stage("all", (steps(),)),))
    assert violations(plan) == ()
    assert steps() == steps()


def test_what_is_there_is_found(shop: DockerSite) -> None:
    Path(shop.layout.release("r9")).mkdir()
    facts = shop.facts()
    Path(shop.layout.release("r9")).rmdir()
    assert (facts.releases, facts.leftovers) == (("r1", "r2"), ("r9",))
    assert facts.is_keeper_up
    assert facts.is_settled
    assert facts.trouble == ()
    assert {"python3", "docker"} <= set(facts.tools)
    assert [step.id for step in shop.runtime.host_steps() if not shop.host.ok(step.done)] == []


def test_an_engine_that_does_not_answer_is_told(shop: DockerSite) -> None:
    env = dict(shop.host.env)
    shop.host.env["DOCKER_HOST"] = "unix:///nowhere/docker.sock"
    try:
        (trouble,) = shop.facts().trouble
    finally:
        shop.host.env = env
    assert trouble.code == "docker.stopped"
    assert "shipway setup" in trouble.next


def test_started_twice_is_started_once(shop: DockerSite) -> None:
    for role in ("web", "worker"):
        unit = shop.unit(role=role)
        (step,) = shop.runtime.start_steps(unit)
        assert not shop.host.ok(step.done), "it does not work before it is started"
        assert shop.host.step(step)
        first = shop.docker("inspect", "--format", "{{.State.Pid}}", shop.runtime.container(unit)).text
        assert not shop.host.step(step), "true already"
        for action in step.do:
            assert shop.host.run(action).ok, "and harmless when it is done again"
        assert shop.docker("inspect", "--format", "{{.State.Pid}}", shop.runtime.container(unit)).text == first
    assert shop.running() == {("web", "r1"), ("worker", "r1")}


def test_undo_gives_the_state_before(shop: DockerSite) -> None:
    unit = shop.unit()
    (start,), (stop,) = shop.runtime.start_steps(unit), shop.runtime.stop_steps(unit)
    shop.host.undo(start)  # after no part of it
    shop.host.step(start)
    shop.host.step(stop)
    assert shop.running() == set()
    shop.host.undo(stop)
    assert shop.running() == {("web", "r1")}
    shop.host.undo(start)
    assert shop.running() == set()


def test_stopping_the_unknown_is_fine(shop: DockerSite) -> None:
    (step,) = shop.runtime.stop_steps(replace(shop.unit(), release="r77"))
    assert shop.host.ok(step.done)
    for action in step.do:
        assert shop.host.run(action).ok


def test_a_kept_container_is_started_and_a_lost_one_is_made_again(shop: DockerSite) -> None:
    unit = shop.unit("r2")
    shop.start(unit)
    name = shop.runtime.container(unit)
    one = shop.docker("inspect", "--format", "{{.Id}}", name).text
    shop.stop(unit)
    shop.start(unit)
    assert shop.docker("inspect", "--format", "{{.Id}}", name).text == one
    shop.docker("rm", "--force", name)
    shop.start(unit)
    assert shop.inside(unit, "import os; print(os.environ['BUILT'], os.environ['SHIPWAY_RELEASE'])") == "two r2"


def test_the_container_is_as_kamal_has_it(shop: DockerSite) -> None:
    unit = shop.unit()
    shop.start(unit)
    (found,) = json.loads(shop.docker("inspect", f"{SERVICE}-web-r1").text)
    labels = {"service": SERVICE, "role": "web", "destination": "", "version": "one", "release": "r1", "team": "red"}
    assert found["Config"]["Labels"] == labels
    assert found["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert found["HostConfig"]["LogConfig"]["Config"] == {"max-size": "10m"}
    assert list(found["NetworkSettings"]["Networks"]) == [NETWORK]
    assert found["Config"]["Hostname"].startswith("here-")


def test_the_environment_arrives_whole_and_no_secret_is_seen(shop: DockerSite) -> None:
    unit = shop.unit()
    shop.start(unit)
    env = json.loads(shop.inside(unit, "import json, os; print(json.dumps(dict(os.environ)))"))
    assert (env["SECRET_KEY"], env["PEM"], env["ODD"]) == (SECRET, PEM, "a 'b' $c \\ ; # é")
    assert env["FROM_HOST"] == f"in {shop.host.root} and nowhere"
    assert env["EMPTY"] == ""
    assert env["KAMAL_CONTAINER_NAME"] == f"{SERVICE}-web-r1"
    assert (env["KAMAL_VERSION"], env["KAMAL_HOST"], env["SHIPWAY_ROLE"]) == ("one", "here", "web")
    assert not any("sec'ret" in words for words in shop.host.processes().values())
    assert oct(Path(shop.layout.env("r1", "web")).stat().st_mode & 0o777) == "0o600"


def test_one_off_commands_run_in_the_release(shop: DockerSite) -> None:
    code = "import os, sys; print(os.environ['BUILT'], os.environ['PEM'] == sys.argv[2], sys.argv[1], sys.stdin.read())"
    command = replace(shop.runtime.one_off(shop.unit("r2"), ("python", "-c", code, "$HOME ${HOME} 'x'", PEM)))
    result = shop.host.run(replace(command, stdin=("said",)))
    assert result.text == "two True $HOME ${HOME} 'x' said\n"
    assert shop.host.run(shop.runtime.one_off(shop.unit("r2"), ("sh", "-c", "exit 7"))).status == 7
    assert shop.running() == set()


def test_assets_of_both_releases_are_served_by_both(shop: DockerSite) -> None:
    one, two = shop.unit("r1"), shop.unit("r2")
    shop.start(one)
    shop.start(two)
    code = "import os; print(sorted(os.listdir('/assets')), open('/assets/plain.css').read().strip())"
    assert shop.inside(one, code) == "['one.css', 'plain.css', 'two.css'] one"
    assert shop.inside(two, code) == "['one.css', 'plain.css', 'two.css'] two"


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("needy", ("DATABASE_PASSWORD is missing", "exit code 1", "KeyError")),
        ("loop", ("started 3 times", "exit code 3", "does not stay up")),
        ("absent", ("begins with no-such-program",)),
        ("greedy", ("OOMKilled yes", "raise `memory`")),
        ("elsewhere", ("listens on port 9000", "`proxy.app_port` is 8000")),
        ("inward", ("127.0.0.1:8000 only", "0.0.0.0:8000")),
        ("checked", ("HEALTHCHECK",)),
    ],
)
def test_what_does_not_work_explains_itself(shop: DockerSite, role: str, words: tuple[str, ...]) -> None:
    changes = {"health": replace(HEALTH, limit_s=2.0)} if shop.unit(role=role).proxied else {}
    shop.prepare("r5", role)
    said = shop.failure(shop.unit("r5", role, **changes))
    assert [word for word in words if word not in said] == [], said
    assert shop.running() == set()
    remove_release(shop, "r5", role)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"host": "other.example"}, ("400", "ALLOWED_HOSTS")),
        ({"path": "/moved"}, ("301", "SECURE_SSL_REDIRECT", "SECURE_PROXY_SSL_HEADER")),
        ({"path": "/missing"}, ("404", "there is no `/missing`")),
        ({"path": "/broken"}, ("500", "exception")),
    ],
)
def test_an_unhealthy_answer_explains_itself(shop: DockerSite, changes: dict[str, str], words: tuple[str, ...]) -> None:
    said = shop.failure(shop.unit(health=replace(HEALTH, limit_s=0.5, **changes)))
    assert [word for word in words if word not in said] == [], said


def test_an_image_that_cannot_run_here_is_refused(shop: DockerSite) -> None:
    repository = shop.settings.repository
    shop.docker("tag", "python:3.11-slim", f"{repository}:bare")
    for version, code in (("bare", "image.label"), ("nowhere", "image.missing")):
        steps = shop.runtime.prepare_steps(Release("r6", version, "/"), [replace(shop.unit("r6"), version=version)])
        shop.host.step(steps[0])
        result = shop.host.run(steps[1].do[0])
        assert not result.ok
        assert f"error[{code}]" in result.said
        for step in reversed(steps):
            shop.host.undo(step)
        assert not Path(shop.layout.release("r6")).exists()


def test_logs_have_both_streams(shop: DockerSite) -> None:
    worker = shop.unit(role="worker")
    shop.start(worker)
    said = shop.host.run(shop.runtime.log_command(worker, LogsAsked(lines=10))).text
    assert set(said.splitlines()) == {"works", "and tells it twice"}


def test_the_image_that_serves_is_the_latest(shop: DockerSite) -> None:
    for release in ("r1", "r2"):
        (step,) = shop.runtime.finish_steps(release, version_of(release))
        shop.host.step(step)
        ids = [shop.docker("inspect", "--format", "{{.Id}}", f"{shop.settings.repository}:{tag}").text
               for tag in ("latest", version_of(release))]  # fmt: skip
        assert ids[0] == ids[1]


def test_a_running_release_is_not_removed_and_an_image_in_use_stays(shop: DockerSite) -> None:
    shop.prepare("r4")
    worker = shop.unit("r4", "worker")
    shop.start(worker)
    (remove,) = shop.runtime.remove_steps("r4", ["web", "worker"])
    assert not shop.host.run(remove.do[0]).ok
    assert Path(shop.layout.complete("r4")).exists()
    shop.stop(worker)
    remove_release(shop, "r4", "web", "worker")
    assert shop.facts().releases == ("r1", "r2"), "r1 has the same image"
    assert shop.docker("ps", "-aq", "--filter", f"name={SERVICE}-worker-r4").text == ""


def remove_release(shop: DockerSite, release: str, *roles: str) -> None:
    (remove,) = shop.runtime.remove_steps(release, roles)
    assert shop.host.step(remove)
    assert not shop.host.step(remove)
    assert not Path(shop.layout.release(release)).exists()
