"""What Docker is told: the words of `docker run` as Kamal gives them, and the steps around them."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from shipway.core.action import Upload
from shipway.core.layout import Layout
from shipway.core.logs import LogsAsked
from shipway.core.plan_codec import plan_from_json, plan_to_json
from shipway.core.secret import SecretRef
from shipway.core.step import Plan, Stage, Step
from shipway.core.unit import HealthCheck, Unit
from shipway.runtimes.base import Release
from shipway.runtimes.docker import Docker, DockerSettings, Login, Logs, RoleSettings
from shipway.runtimes.docker.arguments import hostname, once_words, option_words, run_words
from tests.laws import assert_lawful

WEB = RoleSettings(
    options={"cpus": 1.5, "memory": "512m", "init": True, "read-only": False, "add-host": ("a:10.0.0.2", "b:10.0.0.3")},
    labels={"service": "shop", "role": "web", "destination": "staging", "team": "red $HOME ${HOME}", "flag": None},
    logs=Logs("json-file", {"max-size": "50m", "max-file": 3}),
    restart="on-failure:3",
    asset_path="/app/assets",
    asset_options="ro,z",
    app_port=3000,
)
SETTINGS = DockerSettings(
    "shop",
    "registry.example/acme/shop",
    destination="staging",
    login=Login("registry.example", (SecretRef("REG_USER"),), (SecretRef("REG_PASSWORD"),)),
    volumes=("$HOME/media:/app/media", "cache:/cache:ro"),
    roles={"web": WEB},
)
LAYOUT = Layout("/srv", "shop-staging")


def unit(role: str = "web", **changes: object) -> Unit:
    values: dict[str, object] = {
        "kind": "web" if role == "web" else "worker",
        "proxied": role == "web",
        "cmd": "" if role == "web" else "celery -A shop worker -c $N",
        "health": HealthCheck() if role == "web" else None,
        "env": (("SECRET_KEY", (SecretRef("KEY"),)),),
        "stop_s": 10.0,
        **changes,
    }
    return Unit("shop-staging", role, "web-1.example", "r7", "c0ffee", **values)  # type: ignore[arg-type]


def runtime(settings: DockerSettings = SETTINGS) -> Docker:
    return Docker(LAYOUT, "web-1.example", settings)


def test_docker_run_of_a_role_with_everything() -> None:
    name = runtime().container(unit())
    assert name == "shop-web-staging-r7"
    assert run_words(unit(), name, SETTINGS, "/srv/assets") == (
        "docker", "run", "--detach", "--restart=on-failure:3", "--name", "shop-web-staging-r7", "--network=kamal",
        "--hostname", hostname("web-1.example", name),
        "--log-driver=json-file", "--log-opt=max-size=50m", "--log-opt=max-file=3",
        "--volume=${HOME}/media:/app/media", "--volume=cache:/cache:ro", "--volume=/srv/assets:/app/assets:ro,z",
        "--label=service=shop", "--label=role=web", "--label=destination=staging", "--label=team=red $$HOME ${HOME}",
        "--label=flag", "--label=version=c0ffee", "--label=release=r7",
        "--cpus=1.5", "--memory=512m", "--init", "--read-only=false", "--add-host=a:10.0.0.2", "--add-host=b:10.0.0.3",
        "registry.example/acme/shop:c0ffee",
    )  # fmt: skip


def test_docker_run_of_a_role_with_nothing() -> None:
    plain = DockerSettings("shop", "shop")
    one = unit("jobs", cmd="bin/jobs --queue 'a b'", stop_signal="QUIT")
    assert run_words(one, "shop-jobs-r7", plain, "") == (
        "docker", "run", "--detach", "--restart=unless-stopped", "--name", "shop-jobs-r7", "--network=kamal",
        "--hostname", hostname("web-1.example", "shop-jobs-r7"), "--log-opt=max-size=10m", "--stop-signal=SIGQUIT",
        "--label=service=shop", "--label=role=jobs", "--label=destination", "--label=version=c0ffee",
        "--label=release=r7", "shop:c0ffee", "bin/jobs", "--queue", "a b",
    )  # fmt: skip


def test_labels_by_which_we_find_containers_cannot_be_taken() -> None:
    mine = DockerSettings("shop", "shop", roles={"web": RoleSettings(labels={"service": "x", "release": "y"})})
    words = run_words(unit(), "n", mine, "")
    assert [word for word in words if word.startswith(("--label=service", "--label=release"))] == [
        "--label=service=shop",
        "--label=release=r7",
    ]


@pytest.mark.parametrize("host", ["web-1.example", "10.0.0.1", "fd00::1", "h" * 300, "a" * 50 + "."])
def test_a_hostname_is_legal_and_its_own(host: str) -> None:
    names = {hostname(host, name) for name in ("shop-web-r1", "shop-worker-r1")}
    assert len(names) == 2
    assert all(len(name) <= 64 and name.replace("-", "").replace(".", "").isalnum() for name in names)


@pytest.mark.parametrize("name", ["name", "detach", "d", "rm", "cidfile", "a b", "-x", ""])
def test_options_that_would_take_a_container_from_us_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="options"):
        option_words({name: True})


def test_a_command_of_its_own_takes_no_name_and_no_port() -> None:
    settings = DockerSettings("shop", "shop", roles={"web": RoleSettings(options={"publish": "80:80", "memory": "1g"})})
    assert once_words(unit(), settings, "", ("python", "-c", "print('$HOME ${X}')")) == (
        "docker", "run", "--rm", "--interactive", "--network=kamal", "--log-opt=max-size=10m", "--label=service=shop",
        "--label=destination", "--label=oneoff=true", "--memory=1g", "shop:c0ffee", "python", "-c",
        "print('$$HOME $${X}')",
    )  # fmt: skip


def all_steps(docker: Docker) -> tuple[Step, ...]:
    web, worker = unit(), unit("worker")
    return (
        *docker.host_steps(),
        *docker.prepare_steps(Release("r7", "c0ffee", "/"), [web, worker]),
        *itertools.chain.from_iterable((*docker.start_steps(u), *docker.stop_steps(u)) for u in (web, worker)),
        *docker.finish_steps("r7", "c0ffee"),
        *docker.remove_steps("r6", ["web", "worker"]),
    )


def test_the_steps_keep_the_laws_and_hold_no_secret() -> None:
    def plan() -> Plan:
        steps = all_steps(runtime())
        return Plan("run", "deploy", "shop", "r7", "c0ffee", "", "web-1.example", (Stage("all", (steps,)),))

    assert_lawful(plan(), plan)
    assert plan().secrets() == ("KEY", "REG_PASSWORD", "REG_USER")
    assert plan_from_json(plan_to_json(plan())) == plan()


def test_the_name_of_the_image_is_written_before_and_the_mark_of_the_whole_last() -> None:
    describe, fetch = runtime().prepare_steps(Release("r7", "c0ffee", "/"), [unit()])
    first, last = describe.do[0], fetch.do[-1]
    assert isinstance(first, Upload)
    assert isinstance(last, Upload)
    assert (first.path, first.body) == (LAYOUT.release("r7") + "/image", ("registry.example/acme/shop:c0ffee",))
    assert (last.path, last.body) == (LAYOUT.complete("r7"), ("c0ffee",))
    envs = [action for action in describe.do if isinstance(action, Upload) and action.path.endswith(".env")]
    assert [(env.path, env.mode) for env in envs] == [(LAYOUT.env("r7", "web"), 0o600)]


def test_what_is_there_already_is_not_pulled() -> None:
    there = DockerSettings("shop", "shop", pulls=False)
    fetch = runtime(there).prepare_steps(Release("r7", "c0ffee", "/"), [unit()])[1]
    assert "pull" not in fetch.title
    assert [getattr(action, "stdin", ()) for action in fetch.do[:1]] == [()]
    elsewhere = DockerSettings("shop", "shop", pull_from="localhost:5555/shop")
    assert (elsewhere.source("v"), elsewhere.image("v")) == ("localhost:5555/shop:v", "shop:v")


def place_of_uploads(docker: Docker, unit: Unit) -> str:
    (start,) = docker.start_steps(unit)
    (place,) = {action.path.rpartition("/")[0] for action in start.do if isinstance(action, Upload)}
    return place


def test_a_release_of_kamal_is_its_container() -> None:
    kamals = unit(proxied=True)
    kamals = Unit(kamals.service, "web", kamals.host, "kamal-0123abcd", "", kind="web", proxied=True)
    docker = runtime()
    assert docker.container(kamals) == "shop-web-staging-0123abcd"
    assert docker.endpoint(kamals) == "shop-web-staging-0123abcd:3000"
    (start,) = docker.start_steps(kamals)
    assert not any("run" in getattr(action, "argv", ()) for action in start.do), "nothing to make it from"
    assert docker.finish_steps("kamal-0123abcd", "") == ()
    places = {place_of_uploads(docker, replace(kamals, role=role)) for role in ("web", "worker")}
    assert len(places) == 2, "they start side by side, and each brings its scripts"
    once = docker.one_off(kamals, ("python", "-"))
    assert once.argv[4:] == ("shop-web-staging-0123abcd", "kamal", "shop", "staging", "python", "-")
    assert once.stdin == (), "what is asked of a release is sent to the command"


def test_logs_and_endpoints() -> None:
    docker = runtime()
    assert docker.endpoint(unit()) == "shop-web-staging-r7:3000"
    words = docker.log_command(unit(), LogsAsked(lines=5, follows=True)).argv
    assert words[-4:] == ("--tail", "5", "--follow", "shop-web-staging-r7")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"cmd": "a && b"}, "simple command"),
        ({"cmd": "a 'b"}, "quote"),
        ({"role": "x y"}, "cannot name"),
        ({"release": "../x"}, "cannot name"),
    ],
)
def test_what_can_never_run_is_refused(changes: dict[str, str], says: str) -> None:
    one = Unit(**{"service": "shop", "role": "jobs", "host": "h", "release": "r7", "version": "v", **changes})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=says):
        runtime().start_steps(one)


@pytest.mark.parametrize("name", ["", "a b", "-x", "x;y"])
def test_names_that_docker_would_read_otherwise_are_refused(name: str) -> None:
    for settings in ({"repository": name}, {"network": name}):
        with pytest.raises(ValueError, match="cannot be the name"):
            DockerSettings(**{"service": "shop", "repository": "shop", **settings})  # type: ignore[arg-type]
