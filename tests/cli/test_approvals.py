"""`approve`, `hold`, `unhold`, and what they mean to a deploy, on this machine."""

import json

import pytest

from tests.cli.conftest import DEPLOY_YML, Project


@pytest.fixture
def guarded(served: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The project, where one other person must approve, as `ann`."""
    monkeypatch.setenv("SHIPWAY_BY", "ann@example.org")
    served.write("config/deploy.yml", DEPLOY_YML.format(state=served.state) + "release: {approvals: 1}\n")
    return served


def refusal(project: Project, *words: str) -> dict[str, object]:
    answer = project(*words, "--json")
    assert answer.code == 4, answer.err
    return json.loads(answer.out.splitlines()[-1])["error"]


def test_a_held_destination(served: Project) -> None:
    assert served("hold").code == 2
    assert served("hold", "--reason", "the fair is on", "--by", "bo").code == 0
    error = refusal(served, "deploy")
    assert (error["code"], "the fair is on" in str(error["what"])) == ("deploy.held", True)
    assert served("script").code == 4
    assert "held by bo" in served("status").out
    assert "held by bo" in served("plan", "deploy").out
    assert served("audit", "--json").json[0]["what"] == "hold"
    assert served("unhold", "--json").json["is_held"] is False
    assert served("status", "--json").json["hold"] == ""
    assert "not held" in served("unhold").out


def test_a_deploy_that_somebody_else_must_approve(guarded: Project) -> None:
    error = refusal(guarded, "deploy")
    assert error["code"] == "deploy.needs_approval"
    fingerprint = guarded("plan", "deploy", "--json").json["approval"]["fingerprint"]
    assert f"shipway approve {fingerprint}" in str(error["next"])
    run = next(row["run"] for row in guarded("audit", "--json").json if row["what"].startswith("wants approval"))

    assert refusal(guarded, "approve", run, "--reason", "x")["code"] == "approve.own"
    assert refusal(guarded, "approve", fingerprint, "--reason", "x", "--by", "ANN@example.org")["code"] == "approve.own"
    assert guarded("approve", run, "--by", "bo").code == 2
    found = guarded("approve", run, "--reason", "read it", "--by", "bo", "--json").json
    assert (found["fingerprint"], found["people"], found["is_new"]) == (fingerprint, ["bo"], True)
    assert guarded("approve", fingerprint, "--reason", "again", "--by", "Bo", "--json").json["is_new"] is False
    preview = guarded("plan", "deploy", "--json").json
    assert preview["approval"] == {"fingerprint": fingerprint, "people": ["bo"]}
    assert "approve" in guarded("script", "--by", "bo").err  # whoever deploys does not count
    assert guarded("script").code == 0
    row = next(row for row in guarded("audit", "--json").json if row["what"].startswith("approve"))
    assert (row["what"], row["who"], row["note"]) == (f"approve {fingerprint}", "bo", "read it")


@pytest.mark.parametrize(
    ("what", "code"), [("nonsense", "approve.unknown"), ("20260101-000000-abcd", "approve.unknown")]
)
def test_what_nobody_can_approve(guarded: Project, what: str, code: str) -> None:
    assert refusal(guarded, "approve", what, "--reason", "x", "--by", "bo")["code"] == code


def test_a_fingerprint_that_nobody_asked_for_yet(guarded: Project) -> None:
    assert "nothing asked for it yet" in guarded("approve", "0123456789ab", "--reason", "x", "--by", "bo").out
    assert guarded("approve", "0123456789ab", "--reason", "x", "--by", "b\x1bo").code == 2
