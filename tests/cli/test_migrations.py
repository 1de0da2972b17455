"""`shipway migrations` in a Django project on this machine: with and without a database, git and releases."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shipway.cli.main import main
from tests.contract.migrations.django_project import DjangoProject, make_project

DROP = "migrations.RemoveField('customer', 'vat')"
ADD = "migrations.AddField('customer', 'nick', models.CharField(max_length=9, null=True))"


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> DjangoProject:
    return make_project(tmp_path_factory.mktemp("pattern"))


@pytest.fixture
def project(pattern: DjangoProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DjangoProject:
    shutil.copytree(pattern.directory, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    return DjangoProject(tmp_path / "project", pattern.python)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(["migrations", *words])
    out, err = capsys.readouterr()
    return code, out, err


def verdicts(out: str) -> dict[str, tuple[str, str]]:
    return {m["name"]: (m["old_code"], m["code_rollback"]) for m in json.loads(out)["migrations"]}


def test_without_a_database_each_migration_meets_the_code_before_it(
    project: DjangoProject, capsys: pytest.CaptureFixture[str]
) -> None:
    project.migration("0002_drop", DROP)
    code, out, _ = run(capsys, "--json")
    body = json.loads(out)
    assert (code, body["database"], body["base"]) == (0, "sqlite", "")
    assert verdicts(out)["0002_drop"] == ("breaks", "refused")
    assert verdicts(out)["0001_initial"] == ("ok", "allowed")
    assert [f["code"] for f in body["findings"]] == ["migrations.no_database"]
    row = next(m for m in body["migrations"] if m["name"] == "0002_drop")
    assert {"app", "class", "reversible", "long_running", "locks", "reason", "recipe", "operations"} <= set(row)
    assert "Customer.vat" in row["reason"]
    assert "Customer.vat" in row["recipe"]


def test_with_a_database_only_what_is_pending(project: DjangoProject, capsys: pytest.CaptureFixture[str]) -> None:
    project.manage("migrate", "-v0")
    assert run(capsys)[:2] == (0, "No migration is pending.\n")
    project.migration("0002_add", ADD)
    code, out, _ = run(capsys)
    assert code == 0
    assert "shop.0002_add" in out
    assert "0001_initial" not in out


@pytest.mark.parametrize(
    ("change", "fail_on", "code"),
    [(DROP, "never", 0), (DROP, "dangerous", 4), (DROP, "care", 4), (ADD, "dangerous", 0), ("", "care", 0)],
)
def test_a_pipeline_can_be_stopped(
    project: DjangoProject, capsys: pytest.CaptureFixture[str], change: str, fail_on: str, code: int
) -> None:
    project.manage("migrate", "-v0")
    project.migration("0002_change", change)
    assert run(capsys, "--json", "--fail-on", fail_on)[0] == code


def test_against_a_commit(project: DjangoProject, capsys: pytest.CaptureFixture[str]) -> None:
    git = ("git", "-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "init.defaultBranch=main")
    for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "first"), ("tag", "serving")):
        subprocess.run((*git, *words), check=True)
    project.migration("0002_drop", DROP)
    project.migration("0003_add", ADD, parent="0002_drop")
    code, out, _ = run(capsys, "--base", "serving", "--json")
    assert code == 0
    assert verdicts(out) == {"0002_drop": ("breaks", "refused"), "0003_add": ("ok", "allowed")}
    assert json.loads(out)["base"] == "serving"
    assert subprocess.run((*git, "worktree", "list"), check=True, capture_output=True).stdout.count(b"\n") == 1


@pytest.mark.parametrize(
    ("settings", "files", "words", "code", "error"),
    [
        ("raise RuntimeError('no luck')", {}, (), 3, "project.settings"),
        ("import os; os.environ['SHOP_KEY_X']", {}, (), 3, "project.settings"),
        ("", {}, ("--base", "nowhere"), 2, "migrations.no_base"),
        ("", {}, ("--base", "--exec=touch x"), 2, "migrations.no_base"),
        ("", {}, ("--python", "/nonexistent/python"), 3, "project.python"),
        ("", {"0002_a": "0001_initial", "0002_b": "0001_initial"}, (), 4, "migrations.conflict"),
        ("", {"0002_a": "0001_nowhere"}, (), 4, "migrations.graph"),
    ],
)
def test_ways_out(  # noqa: PLR0917  one row of the table
    project: DjangoProject,
    capsys: pytest.CaptureFixture[str],
    settings: str,
    files: dict[str, str],
    words: tuple[str, ...],
    code: int,
    error: str,
) -> None:
    project.settings(settings)
    for name, parent in files.items():
        project.migration(name, "", parent=parent)
    found, out, _ = run(capsys, "--json", *words)
    assert (found, json.loads(out)["error"]["code"]) == (code, error)
