"""`shipway audit --check`, `report` and `diff` on this machine."""

import json
from pathlib import Path

import pytest

from shipway.core.record import Record, render_lines
from shipway.core.upkeep import APPEND_SCRIPT
from tests.cli.conftest import Project
from tests.sites import ended


@pytest.fixture
def ledger(project: Project) -> Path:
    """The ledger of two deploys, written as a host writes it."""
    import subprocess

    project.serve("r2", kept=["r1"])
    path = project.state / "shop" / "ledger.jsonl"
    path.unlink()
    for record in (*ended("deploy", "r1"), *ended("deploy", "r2", base="r1")):
        words = ("sh", "-c", APPEND_SCRIPT, "sh", str(path))
        subprocess.run(words, input=render_lines([record]).encode(), check=True, timeout=30)
    return path


def change(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))


def test_a_whole_ledger(project: Project, ledger: Path) -> None:
    answer = project("audit", "--check")
    assert (answer.code, "here: whole, 4 lines" in answer.out) == (0, True)
    (one,) = project("audit", "--check", "--json").json
    assert (one["ok"], one["head"]["n"], one["breaks"]) == (True, 4, [])
    assert [row["release"] for row in project("releases", "--json").json] == ["r2", "r1"]


@pytest.mark.parametrize(
    ("fault", "line"), [("edited", 2), ("removed", 2), ("moved", 3), ("cut", 0), ("unchained", 5), ("torn", None)]
)
def test_what_somebody_did_to_it(project: Project, ledger: Path, fault: str, line: int | None) -> None:
    lines = ledger.read_text().splitlines(keepends=True)
    changed = {
        "edited": [lines[0], lines[1].replace("done", "fine"), *lines[2:]],
        "removed": [lines[0], *lines[2:]],
        "moved": [lines[0], lines[2], lines[1], lines[3]],
        "cut": lines[:3],
        "unchained": [*lines, render_lines([Record("note", "", "2026-01-01T00:00:00Z", detail={"note": "x"})])],
        "torn": [*lines, '{"kind":"step.beg'],
    }
    ledger.write_text("".join(changed[fault]))
    answer = project("audit", "--check", "--json")
    found = [(broken["fault"], broken["line"]) for broken in answer.json[0]["breaks"]]
    assert (answer.code, found) == ((0, []) if line is None else (4, [(fault, line)]))
    text = project("audit", "--check")
    assert (text.code, f"audit.{fault}" in text.out) == (answer.code, line is not None)


def test_an_earlier_answer_tells_of_a_chain_made_anew(project: Project, ledger: Path) -> None:
    project.write("heads.json", project("audit", "--check", "--json").out)
    assert project("audit", "--check", "--since", "heads.json").code == 0
    ledger.unlink()
    Path(f"{ledger}.head").unlink()
    assert project("audit", "--check").code == 0
    assert project("audit", "--check", "--since", "heads.json").code == 4
    project.write("heads.json", "{}")
    assert project("audit", "--check", "--since", "heads.json").code == 2
    assert project("audit", "--since", "heads.json").code == 2


def test_an_old_ledger_is_told_apart(served: Project) -> None:
    answer = served("audit", "--check")
    assert (answer.code, "audit.no_chain" in answer.out) == (0, True)
    assert len(served("audit", "--json").json) == 2


def test_a_report_of_a_run(project: Project, ledger: Path, tmp_path: Path) -> None:
    assert project("report", "r1", "--json").json["outcome"] == "done"
    assert "deploy r2 over r1" in project("report").out
    page = tmp_path / "page.html"
    assert project("report", "r2", "--html", "--output", str(page)).code == 0
    assert page.read_text().startswith("<!doctype html>")
    assert project("report", "r9").code == 4
    assert project("report", "--html", "--output", str(tmp_path / "no" / "page.html")).code == 3
    assert project("report", "--html", "--json").code == 2


def test_a_diff_says_what_it_cannot_tell(project: Project, ledger: Path) -> None:
    answer = project("diff", "r1")
    assert (answer.code, "r1 recorded nothing about itself" in answer.out) == (0, True)
    assert project("diff", "r1", "r9").code == 4
    assert json.loads(project("diff", "r1", "r2", "--json").out)["difference"] is None
