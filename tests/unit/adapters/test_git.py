"""The git tree, against the real git."""

import subprocess
from pathlib import Path

import pytest

from shipway.adapters.git import list_files, read_file, read_tree
from shipway.core.errors import ConfigError


def git(directory: Path, *words: str) -> str:
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "init.defaultBranch=main")
    answer = subprocess.run(("git", *who, *words), cwd=directory, capture_output=True, text=True, check=True)
    return answer.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "manage.py").write_text("print('hello')\n")
    (tmp_path / "shop" / "naïve file.txt").write_text("ä\n")
    (tmp_path / "README").write_text("read me\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "Begin")
    return tmp_path


def test_a_clean_tree(repository: Path) -> None:
    tree = read_tree(str(repository))
    assert tree.version == git(repository, "rev-parse", "HEAD")
    assert (tree.repository, tree.project, tree.uncommitted) == (str(repository.resolve()), "", 0)
    assert tree.version.startswith(tree.short)


def test_a_project_below_the_root_counts_only_its_own_changes(repository: Path) -> None:
    (repository / "README").write_text("changed\n")
    (repository / "shop" / "manage.py").write_text("changed\n")
    (repository / "shop" / "new\nline.txt").write_text("untracked\n")
    git(repository, "mv", "shop/naïve file.txt", "shop/renamed.txt")
    tree = read_tree(str(repository / "shop"))
    assert (tree.project, tree.uncommitted) == ("shop", 4)  # changed, untracked, and a rename as two
    assert read_tree(str(repository)).uncommitted == 5


def test_files_are_those_of_the_commit(repository: Path) -> None:
    (repository / "shop" / "manage.py").write_text("changed\n")
    tree = read_tree(str(repository / "shop"))
    assert list_files(tree) == ("manage.py", "naïve file.txt")
    assert read_file(tree, "manage.py") == "print('hello')\n"
    assert read_file(tree, "naïve file.txt") == "ä\n"
    (repository / "shop" / "new.txt").write_text("not committed\n")
    for path in ("no/such", "new.txt"):
        with pytest.raises(ConfigError) as caught:
            read_file(tree, path)
        assert caught.value.code == "git.no_file"


def test_no_repository_and_no_commit(tmp_path: Path) -> None:
    for code in ("git.no_repository", "git.no_commits"):
        with pytest.raises(ConfigError) as caught:
            read_tree(str(tmp_path))
        assert (caught.value.code, caught.value.exit_code) == (code, 3)
        git(tmp_path, "init", "-q")
