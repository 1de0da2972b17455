"""Files are written all or none, and never over another."""

from pathlib import Path

import pytest

from shipway.adapters.new_files import NO_TEXT, NewFile, read_exactly, write_files
from shipway.core.errors import ConfigError


def tree(directory: Path) -> dict[str, str]:
    return {str(p.relative_to(directory)): p.read_text() if p.is_file() else "/" for p in directory.rglob("*")}


def test_written_with_their_directories_and_modes(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("a\n")
    files = [
        NewFile("config/deploy.yml", "é\n"),
        NewFile(".kamal/key", "k", 0o600),
        NewFile(".gitignore", "a\nb\n", replaces="a\n"),
    ]
    write_files(tmp_path, files)
    assert tree(tmp_path) == {
        "config": "/", "config/deploy.yml": "é\n", ".kamal": "/", ".kamal/key": "k", ".gitignore": "a\nb\n",
    }  # fmt: skip
    assert (tmp_path / ".kamal/key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["file", "link", "directory", "dangling"])
def test_what_is_there_stays_and_nothing_else_is_written(tmp_path: Path, kind: str) -> None:
    there = tmp_path / "b"
    if kind == "file":
        there.write_text("mine")
    elif kind == "directory":
        there.mkdir()
    else:
        there.symlink_to("a2" if kind == "dangling" else "/etc/hostname")
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(ConfigError) as caught:
        write_files(tmp_path, [NewFile("new/a", "a"), NewFile("b", "b"), NewFile("c", "c")])
    assert caught.value.code == "init.in_the_way"
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert kind != "file" or there.read_text() == "mine"


def test_what_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("changed")
    with pytest.raises(ConfigError) as caught:
        write_files(tmp_path, [NewFile("y", "new"), NewFile("x", "old and more", replaces="old")])
    assert caught.value.code == "init.in_the_way"
    assert tree(tmp_path) == {"x": "changed"}


def test_a_directory_that_leads_out_is_refused(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (inside / "config").symlink_to(outside)
    with pytest.raises(ConfigError) as caught:
        write_files(inside, [NewFile("config/deploy.yml", "x")])
    assert caught.value.code == "init.in_the_way"
    assert not list(outside.iterdir())


def test_a_file_in_place_of_a_directory(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("mine")
    with pytest.raises(ConfigError) as caught:
        write_files(tmp_path, [NewFile("a", "a"), NewFile("config/deploy.yml", "x")])
    assert caught.value.code == "init.unwritable"
    assert tree(tmp_path) == {"config": "mine"}


class Interrupting(tuple[NewFile, ...]):
    """Files whose list ends in Ctrl-C."""

    __slots__ = ()

    def __iter__(self):
        yield from super().__iter__()
        raise KeyboardInterrupt


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_files(tmp_path, Interrupting((NewFile("a/b/c", "x"), NewFile("d", "y"))))
    assert tree(tmp_path) == {}


def test_reading(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"\xe9")
    (tmp_path / "crlf").write_bytes(b"a\r\n")
    assert read_exactly(tmp_path, "nothing") is None
    assert read_exactly(tmp_path, "latin") == NO_TEXT
    assert read_exactly(tmp_path, "crlf") == "a\r\n"
    assert read_exactly(tmp_path, ".") == NO_TEXT
