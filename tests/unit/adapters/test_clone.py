"""The script that makes a clean clone, against real repositories."""

import subprocess
from pathlib import Path

import pytest

from shipway.runtimes.docker.images.source import clone_step
from shipway.runtimes.docker.images.spec import Source


def git(directory: Path, *words: str) -> str:
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "protocol.file.allow=always")
    return subprocess.run(
        ("git", *who, *words), cwd=directory, check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(directory: Path, **files: str) -> str:
    for name, text in files.items():
        (directory / name).write_text(text)
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "--allow-empty", "-m", "x")
    return git(directory, "rev-parse", "HEAD")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    place = tmp_path / "a project's home"
    place.mkdir()
    git(place, "init", "-q")
    commit(place, app="1")
    return place


def clone(project: Path, target: Path, version: str = "") -> int:
    source = Source(str(target), str(project), str(target), version or git(project, "rev-parse", "HEAD"))
    return subprocess.run(clone_step(source).argv, check=False, capture_output=True).returncode


def test_a_clone_holds_what_is_committed_and_follows(project: Path, tmp_path: Path) -> None:
    target = tmp_path / "cache" / "clone"
    (project / "app").write_text("not committed")
    (project / "new").write_text("not committed")
    assert clone(project, target) == 0
    assert ((target / "app").read_text(), (target / "new").exists()) == ("1", False)
    commit(project, app="2")
    (target / "left").write_text("of an earlier build")
    (target / "app").write_text("changed")
    assert clone(project, target) == 0
    assert ((target / "app").read_text(), (target / "left").exists()) == ("2", False)


def test_an_earlier_commit_and_a_rewritten_one(project: Path, tmp_path: Path) -> None:
    target = tmp_path / "clone"
    first = git(project, "rev-parse", "HEAD")
    commit(project, app="2")
    assert clone(project, target) == 0
    assert clone(project, target, first) == 0
    assert (target / "app").read_text() == "1"
    (project / "app").write_text("3")
    git(project, "commit", "-q", "-a", "--amend", "-m", "again")
    assert clone(project, target) == 0
    assert (target / "app").read_text() == "3"


@pytest.mark.parametrize("damage", [".git/HEAD", ".git/objects", ".git"])
def test_a_damaged_clone_is_made_anew(project: Path, tmp_path: Path, damage: str) -> None:
    target = tmp_path / "clone"
    assert clone(project, target) == 0
    subprocess.run(("rm", "-rf", target / damage), check=True)
    assert clone(project, target) == 0
    assert (target / "app").read_text() == "1"


def test_a_clone_of_something_else_is_brought_here(project: Path, tmp_path: Path) -> None:
    other, target = tmp_path / "other", tmp_path / "clone"
    other.mkdir()
    git(other, "init", "-q")
    commit(other, app="of another")
    assert clone(other, target) == 0
    assert clone(project, target) == 0
    assert (target / "app").read_text() == "1"


def test_a_commit_that_is_not_there(project: Path, tmp_path: Path) -> None:
    assert clone(project, tmp_path / "clone", "0" * 40) != 0


def test_submodules_and_names_with_options(project: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    git(library, "init", "-q")
    commit(library, code="of the library")
    git(project, "submodule", "--quiet", "add", str(library), "vendored")
    commit(project)
    target = tmp_path / "-clone"
    assert clone(project, target) == 0
    assert (target / "vendored" / "code").read_text() == "of the library"
    (target / "vendored" / "junk").touch()
    assert clone(project, target) == 0
    assert not (target / "vendored" / "junk").exists()
