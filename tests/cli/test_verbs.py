"""Every verb against this machine as the host: what it answers, its exit code, its JSON."""

import json

import pytest

from shipway.core.record import Record, render_lines
from tests.cli.conftest import SECRET, Project


def test_status_of_a_bare_host(project: Project) -> None:
    answer = project("status")
    assert answer.code == 0
    assert "nothing yet" in answer.out
    body = project("status", "--json").json
    assert (body["release"], body["hosts"][0]["host"], body["lock"], body["open_run"]) == ("", "here", "", "")
    assert not project.state.exists()  # looking leaves nothing behind


def test_status_of_a_host_that_serves(served: Project) -> None:
    body = served("status", "--json").json
    assert (body["release"], body["version"]) == ("r2", "v-r2")
    assert body["missing"] == ["web on here", "worker on here"]
    answer = served("status")
    assert "r2 (v-r2)" in answer.out
    assert "web on here" in answer.out


def test_releases_and_audit(served: Project) -> None:
    rows = served("releases", "--json").json
    assert [(row["release"], row["is_serving"]) for row in rows] == [("r2", True), ("r1", False)]
    assert "→ r2" in served("releases").out
    runs = served("audit", "--json", "-n", "1").json
    assert [(run["what"], run["outcome"]) for run in runs] == [("deploy r2", "done")]
    assert len(served("audit").out.splitlines()) == 3


def test_the_lock_by_hand(project: Project) -> None:
    assert project("lock", "status").out == "nobody holds the lock\n"
    taken = project("lock", "acquire", "-m", "moving the database")
    assert (taken.code, "moving the database" in taken.out) == (0, True)
    assert project("lock", "status", "--json").json["is_held"] is True
    for words in (["lock", "acquire", "-m", "me too"], ["deploy", "--json"], ["rollback", "-y"], ["prune"]):
        answer = project(*words)
        assert answer.code == 6, words
        assert "moving the database" in answer.out + answer.err
    assert "moving the database" in project("status").out
    assert project("lock", "release").code == 0
    assert project("lock", "release", "--json").json["is_held"] is False
    assert [row["note"].split(":")[0] for row in project("audit", "--json").json] == [
        "lock released; it was held by "
        + project("audit", "--json").json[0]["note"].split("held by ")[1].split(":")[0],
        "lock taken",
    ]


def test_plan_shows_what_deploy_would_do_and_changes_nothing(served: Project) -> None:
    answer = served("plan", "deploy", "-v")
    assert answer.code == 0
    assert "deploy shop r3" in answer.out
    assert "over r2" in answer.out
    assert "from here on nothing above is taken back" in answer.out
    body = served("plan", "deploy", "--json").json
    assert (body["plan"]["release"], body["plan"]["base"]) == ("r3", "r2")
    assert set(body["true_already"]) <= {s["id"] for g in body["plan"]["stages"] for t in g["tracks"] for s in t}
    # r1 is a directory only: what it needs of a database cannot be asked.
    assert served("plan", "rollback", "--json").json["error"]["code"] == "rollback.not_known"
    assert served("plan", "prune").code == 0
    assert not (served.state / "shop" / "runs").exists()


def test_what_is_not_committed_is_told(project: Project) -> None:
    project.write("manage.py", "changed")
    project.write("new.py", "")
    assert "2 uncommitted files are not deployed; HEAD " in project("plan", "deploy").err
    assert project("plan", "deploy", "--json").json["plan"]["notes"][0].startswith("2 uncommitted files")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["rollback", "-y"], "rollback.nothing"),
        (["plan", "rollback"], "rollback.nothing"),
        (["exec", "--", "true"], "exec.nothing_serves"),
        (["manage", "check"], "exec.nothing_serves"),
        (["logs"], "logs.nothing_runs"),
    ],
)
def test_refusals_on_a_bare_host(project: Project, words: list[str], code: str) -> None:
    answer = project(words[0], "--json", *words[1:]) if words[0] != "plan" else project(*words, "--json")
    assert (answer.code, answer.json["error"]["code"]) == (4, code)
    assert answer.json["error"]["exit"] == 4
    assert project(*words).err.startswith(f"error[{code}]: ")


def test_rollback_to_a_release_that_is_not_kept(served: Project) -> None:
    answer = served("rollback", "r9", "--json")
    assert (answer.code, json.loads(answer.out.splitlines()[-1])["error"]["code"]) == (4, "rollback.unknown_release")


def test_nothing_to_do_is_done_and_said(served: Project) -> None:
    for words in (["resume"], ["prune"]):
        answer = served(*words)
        assert (answer.code, "nothing to do" in answer.out) == (0, True)
        report = json.loads(served(*words, "--json").out.splitlines()[-1])["report"]
        assert report["outcome"] == "nothing"


def test_an_open_run_is_seen(served: Project) -> None:
    begun = Record("run.begin", "late", "2026-01-03T00:00:00Z", detail={"verb": "deploy", "release": "r3"})
    with (served.state / "shop" / "ledger.jsonl").open("a") as ledger:
        ledger.write(render_lines([begun]))
    assert "`shipway resume` settles it" in served("status").out
    answer = served("resume")  # its plan was never stored: nothing can be settled, and nothing is guessed
    assert (answer.code, "run.plan_unreadable" in answer.err) == (4, True)


@pytest.mark.parametrize(
    "words", [["status", "--hosts", "there"], ["logs", "--hosts", "t*"], ["exec", "--hosts", "x", "ls"]]
)
def test_a_host_that_is_none_names_those_that_are(served: Project, words: list[str]) -> None:
    answer = served(*words)
    assert answer.code == 2
    assert "the hosts are: here" in answer.err


def test_a_role_that_is_none_names_those_that_are(served: Project) -> None:
    answer = served("status", "--roles", "wbe")
    assert (answer.code, "the roles are: web, worker" in answer.err) == (2, True)


def test_config(project: Project) -> None:
    body = project("config", "--json").json
    assert (body["service"], body["secrets"]) == ("shop", ["SECRET_KEY"])
    assert "service: shop" in project("config").out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("servces: [a]\n", "servers"),
        ("", "config/deploy.yml"),
        ("service: [\n", "config/deploy.yml:"),
        ("service: shop\nruntime: vnev\nservers: [a]\n", "config/deploy.yml:2"),
        ("service: shop\nruntime: venv\nservers: {web: {hosts: []}}\n", "web"),
    ],
    ids=["unknown key", "empty", "no YAML", "wrong value", "no hosts"],
)
def test_a_wrong_configuration_is_told_with_its_place(project: Project, text: str, said: str) -> None:
    project.write("config/deploy.yml", text)
    for words in (["config"], ["deploy"], ["status"]):
        answer = project(*words)
        assert answer.code == 3
        assert said in answer.err
    assert project("config", "--json").json["error"]["exit"] == 3


def test_configurations_that_are_not_there(project: Project) -> None:
    assert project("config", "-c", "no.yml").code == 3
    assert project("status", "-d", "stagign").code == 3
    (project.directory / "config" / "deploy.yml").unlink()
    assert project("config").code == 3


def test_a_deploy_needs_its_secrets_and_a_commit_before_it_contacts_anybody(project: Project) -> None:
    (project.directory / ".kamal" / "key").unlink()
    answer = project("deploy")
    assert (answer.code, "SECRET_KEY" in answer.err) == (3, True)
    (project.directory / ".git" / "HEAD").write_text("ref: refs/heads/empty\n")
    assert "git.no_commits" in project("deploy").err
    assert project("status").code == 0  # looking needs neither
    assert not project.state.exists()


def test_a_state_directory_that_cannot_be_made_changes_nothing(project: Project) -> None:
    project.state.write_text("a file stands here")
    answer = project("deploy")
    assert answer.code == 4
    assert answer.err.splitlines()[-1].startswith("  next")
    assert project.state.read_text() == "a file stands here"


@pytest.mark.parametrize(
    "words",
    [
        ["config"],
        ["config", "--json"],
        ["status", "--json"],
        ["releases"],
        ["audit", "--json"],
        ["plan", "deploy", "-v"],
        ["plan", "deploy", "--json"],
        ["lock", "acquire", "-m", "because"],
        ["lock", "status", "--json"],
        ["exec", "--json", "--", "sh", "-c", 'cat "$0"', "{key}"],
        ["exec", "--", "sh", "-c", 'cat "$0" >&2; exit 3', "{key}"],
    ],
    ids=" ".join,
)
def test_a_secret_value_is_nowhere(served: Project, words: list[str]) -> None:
    key = served.directory / ".kamal" / "key"
    answer = served(*(word.replace("{key}", str(key)) for word in words))
    texts = [answer.out, answer.err, *(p.read_text() for p in served.state.rglob("*") if p.is_file())]
    for form in (SECRET, json.dumps(SECRET)[1:-1], json.dumps(SECRET, ensure_ascii=False)[1:-1]):
        assert not [text for text in texts if form in text]
