"""A directory as a tree: what is listed, what is read, and that no link, pipe or size leads astray."""

import os
from pathlib import Path

import pytest

from shipway.adapters import tree as module
from shipway.adapters.tree import MAX_FILE_BYTES, DirectoryTree


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("secret")
    root = tmp_path / "project"
    (root / "shop").mkdir(parents=True)
    (root / "manage.py").write_text("é = 1\n", encoding="utf-8")
    return root


def test_lists_files_and_leaves_out_what_tools_keep(place: Path) -> None:
    for name in ("node_modules", ".git", ".venv"):
        (place / name).mkdir()
        (place / name / "x.py").write_text("")
    (place / "shop" / "a.py").write_text("")
    assert DirectoryTree(place).paths == ["manage.py", "shop/a.py"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"\xef\xbb\xbfa = 1", "a = 1"),
        ("é".encode("latin-1"), "é"),
        (b"\x89PNG\0\xff", ""),
        (b"", ""),
    ],
    ids=["byte order mark", "Latin-1", "binary", "empty"],
)
def test_encodings(place: Path, body: bytes, expected: str) -> None:
    (place / "x").write_bytes(body)
    assert DirectoryTree(place).read("x") == expected


def test_links_do_not_lead_out(place: Path) -> None:
    (place / "inside.py").symlink_to("manage.py")
    (place / "out.txt").symlink_to("../outside/secret.txt")
    (place / "out").symlink_to("../outside")
    (place / "loop").symlink_to("loop")
    (place / "shop" / "up").symlink_to("..")
    tree = DirectoryTree(place)
    assert tree.paths == ["inside.py", "manage.py"]
    assert tree.read("inside.py") == "é = 1\n"
    for path in (
        "out.txt",
        "out/secret.txt",
        "../outside/secret.txt",
        "/etc/passwd",
        "loop",
        "shop/up/../../outside/secret.txt",
    ):
        assert tree.read(path) == "", path


def test_a_directory_that_became_a_link_after_the_listing(place: Path) -> None:
    tree = DirectoryTree(place)
    assert tree.paths == ["manage.py"]
    (place / "shop").rmdir()
    (place / "shop").symlink_to("../outside")
    assert tree.read("shop/secret.txt") == ""


def test_a_pipe_does_not_keep_us_waiting(place: Path) -> None:
    os.mkfifo(place / "pipe.py")
    tree = DirectoryTree(place)
    assert tree.paths == ["manage.py"]
    assert tree.read("pipe.py") == ""


def test_sizes_and_names(place: Path) -> None:
    with (place / "big.py").open("wb") as stream:
        stream.truncate(MAX_FILE_BYTES + 1)
    (place / "a\nb.py").write_text("")
    tree = DirectoryTree(place)
    assert tree.paths == ["big.py", "manage.py"]
    assert tree.read("big.py") == ""
    assert tree.read("a\0b") == ""
    assert tree.read("missing.py") == ""


def test_depth_is_bounded(place: Path) -> None:
    deep = place
    for _ in range(module.MAX_DEPTH + 5):
        deep /= "d"
    deep.mkdir(parents=True)
    (deep / "x.py").write_text("")
    assert DirectoryTree(place).paths == ["manage.py"]
