"""What people and files from Kamal call: its options, aliases, verbs and hooks, against this machine as the host."""

import json
import os

import pytest

from shipway.cli.main import main
from shipway.cli.reference import commands
from tests.cli.conftest import DEPLOY_YML, SECRET, Project

ALIASES = """\
aliases:
  info: details -q
  logs: app logs -n 5
  worker: app exec --reuse -r worker -p
  staged: config -d staging
  other: config -c config/other.yml
  twice: other
  torn: "app exec 'x"
"""


def configure(project: Project, more: str) -> None:
    project.write("config/deploy.yml", DEPLOY_YML.format(state=project.state) + more)


def hook(project: Project, name: str, text: str) -> None:
    project.write(f".kamal/hooks/{name}", f"#!/bin/sh\n{text}\n")
    (project.directory / ".kamal" / "hooks" / name).chmod(0o755)


def test_aliases_run_as_commands_with_further_words(served: Project) -> None:
    configure(served, ALIASES)
    served.write("config/deploy.staging.yml", "labels: {}\n")
    served.write("config/other.yml", DEPLOY_YML.format(state=served.state).replace("service: shop", "service: kiosk"))
    assert served("info", "--json").json["release"] == "r2"
    assert served("staged", "--json").json["destination"] == "staging"
    assert served("other", "--json").json["service"] == "kiosk"
    assert served("twice", "--json").json["service"] == "kiosk"
    assert "logs.nothing_runs" in served("logs").err  # the alias comes before a verb that Kamal has not
    assert (served("torn").code, "usage.alias" in served("torn").err) == (2, True)
    assert "  worker  app exec --reuse -r worker -p" in served("--help").out


def test_an_alias_is_found_where_the_configuration_cannot_be_read_without_it(project: Project) -> None:
    configure(project, "require_destination: true\naliases: {staged: config -d staging}\n")
    project.write("config/deploy.staging.yml", "labels: {}\n")
    assert project("staged", "--json").json["destination"] == "staging"


def test_an_alias_cannot_have_the_name_of_a_verb_of_kamals(project: Project) -> None:
    configure(project, "aliases: {deploy: app logs}\n")
    assert "Alias 'deploy' conflicts with a built-in command." in project("config").err
    assert project("depoly").code == 2


def test_h_means_hosts_and_r_roles(served: Project) -> None:
    for words in (["status", "-h", "there"], ["app", "version", "-h", "there"], ["app", "exec", "-h", "there", "ls"]):
        answer = served(*words)
        assert (answer.code, "the hosts are: here" in answer.err) == (2, True)
    assert served("status", "-p", "-r", "web", "-H", "--json").json["hosts"][0]["host"] == "here"
    assert served("-h").out.startswith("Usage: shipway")


@pytest.mark.parametrize("words", [["deploy", "-h", "here"], ["rollback", "--roles=web"], ["redeploy", "-p"]])
def test_a_release_goes_to_all_hosts_and_the_refusal_says_what_helps(served: Project, words: list[str]) -> None:
    answer = served(*words)
    assert answer.code == 2
    assert "could not be rolled back to" in answer.err
    assert "shipway app start" in answer.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["app", "containers"], "app.no_listing"),
        (["app", "images"], "app.no_listing"),
        (["app", "logs", "--since", "10m"], "logs.nothing_runs"),
        (["app", "exec", "--version", "v9", "ls"], "exec.no_version"),
        (["upgrade"], "upgrade.nothing"),
        (["deploy", "--version", "nowhere"], "git.no_version"),
        (["docs", "proxi"], "usage.unknown_section"),
    ],
)
def test_refusals(served: Project, words: list[str], code: str) -> None:
    assert f"error[{code}]: " in served(*words).err


def test_looking(served: Project) -> None:
    for words in (["app", "details"], ["details"]):
        assert served(*words, "--json").json["missing"] == ["web on here", "worker on here"]
    assert served("app", "version", "--json").json == []
    assert served("app", "stale_containers", "--json").json == []
    assert "### `boot/limit`" in served("docs", "boot").out
    assert "boot" in served("docs").out
    assert "  stale_containers" in served("tree").out


@pytest.mark.parametrize(
    "words", [["app", "stop"], ["app", "stale_containers", "-s"], ["prune", "all"], ["prune", "-p"]]
)
def test_nothing_to_do(served: Project, words: list[str]) -> None:
    answer = served(*words)
    assert (answer.code, "nothing to do" in answer.out) == (0, True), answer


def test_prune_to_fewer_releases(served: Project) -> None:
    answer = served("prune", "containers", "--retain", "1", "--json")
    report = json.loads(answer.out.splitlines()[-1])["report"]
    assert (answer.code, report["outcome"]) == (0, "nothing")  # r2 serves, and r1 is the way back


@pytest.mark.parametrize("words", [words for words, _ in commands() if " " in words])
def test_every_inner_verb_has_an_example(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words.split(), "--help"]) == 0
    assert f"shipway {words}" in capsys.readouterr().out.partition("Examples:")[2]


def test_pre_connect_runs_before_any_host_is_asked_and_can_be_left_out(served: Project) -> None:
    hook(served, "pre-connect", 'echo "$KAMAL_COMMAND $KAMAL_SUBCOMMAND" >>ran; exit 3')
    for words in (["status"], ["app", "version"], ["deploy"]):
        answer = served(*words)
        assert (answer.code, "error[hook.failed]" in answer.err) == (4, True)
    assert (served.directory / "ran").read_text().splitlines() == ["status ", "app version", "deploy "]
    assert served("status", "--skip-hooks").code == 0
    assert served("config").code == 0


def test_hooks_before_a_release_refuse_it(served: Project) -> None:
    hook(served, "pre-build", "echo 'the tests fail' >&2; exit 1")
    answer = served("deploy")
    assert (answer.code, "the tests fail" in answer.err) == (4, True)
    assert "Running the pre-build hook" in answer.err
    assert not (served.state / "shop" / "runs").exists()
    hook(served, "pre-build", "true")
    hook(served, "pre-deploy", "echo no; exit 1")
    answer = served("deploy")
    assert (answer.code, "the hook pre-deploy failed" in answer.err) == (4, True)
    assert not (served.state / "shop" / "lock" / "held").exists()


def test_hooks_see_a_secret_only_when_the_configuration_says_so(served: Project) -> None:
    hook(served, "pre-connect", "env >seen")
    os.environ["COPY_OF_KEY"] = SECRET
    try:
        served("status")
        seen = (served.directory / "seen").read_text()
        assert SECRET not in seen
        assert "KAMAL_SERVICE=shop" in seen
        configure(served, "hooks: {secrets: [SECRET_KEY]}\n")
        served("status")
        assert f"SECRET_KEY={SECRET}" in (served.directory / "seen").read_text()
    finally:
        del os.environ["COPY_OF_KEY"]


def test_hooks_of_kamal_1_are_refused_with_their_new_names(served: Project) -> None:
    hook(served, "pre-traefik-reboot", "true")
    answer = served("status")
    assert (answer.code, "mv .kamal/hooks/pre-traefik-reboot" in answer.err) == (3, True)


def test_hook_output_is_shown_as_the_configuration_says(served: Project) -> None:
    hook(served, "pre-connect", "echo heard")
    assert "heard" not in served("status").err
    configure(served, "hooks_output: verbose\n")
    assert "heard" in served("status").err
