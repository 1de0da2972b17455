"""Lowering of actions, run for real by the shell of this machine, with words that break careless quoting."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipway.core.action import Command, Pipe, Upload, Wait, describe, lower
from shipway.core.secret import SecretRef, encode

HOSTILE = ["a b", "it's", 'say "x"', "$HOME", "$(id)", "`id`", "a\nb", "-n", "--", "*", "ü→漢", "", "\\", "a;b", "#x"]


def run(command: Command, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    body = b"".join(part.encode() for part in command.stdin if isinstance(part, str))
    return subprocess.run(command.words(), input=stdin or body, capture_output=True, timeout=20, check=False)


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_a_shell_reads_back_the_words(words: list[str]) -> None:
    line = Command(("printf", r"%s\0", *words)).shell()
    out = subprocess.run(["sh", "-c", line], capture_output=True, timeout=20, check=True).stdout
    assert out.split(b"\0")[:-1] == [word.encode() for word in words]


@pytest.mark.parametrize("name", [n for n in HOSTILE if n])
def test_upload_writes_any_name_with_its_mode_and_leaves_nothing_else(tmp_path: Path, name: str) -> None:
    path = tmp_path / "deep" / name
    assert run(lower(Upload(str(path), ("body ", "$x\n"), mode=0o640))).returncode == 0
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("body $x\n", 0o640)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_failed_upload_keeps_the_old_file_and_no_half_one(tmp_path: Path) -> None:
    path = tmp_path / "dir"
    (path / "inside").mkdir(parents=True)
    result = run(lower(Upload(str(path / "inside" / "x" / "y"), ("new",))))
    assert result.returncode == 0
    (tmp_path / "file").write_text("old")
    assert run(lower(Upload(str(tmp_path / "file" / "below"), ("new",)))).returncode != 0
    assert (tmp_path / "file").read_text() == "old"


def test_wait_asks_until_true_and_gives_the_last_status(tmp_path: Path) -> None:
    counter = tmp_path / "n"
    script = 'n=$(cat "$1" 2>/dev/null || echo 0); n=$((n+1)); echo $n >"$1"; [ $n -ge 3 ]'
    ask = Command(("sh", "-c", script, "sh", str(counter)))
    assert run(lower(Wait(ask, every_s=0.01, limit_s=1))).returncode == 0
    assert counter.read_text() == "3\n"
    assert run(lower(Wait(Command(("sh", "-c", "exit 7")), every_s=0.01, limit_s=0.03))).returncode == 7


def test_what_is_asked_again_has_no_input() -> None:
    with pytest.raises(ValueError, match="standard input"):
        Wait(Command(("python3", "-"), stdin=("exit(1)",)))


def test_a_secret_is_never_described() -> None:
    body = ("KEY=", SecretRef("KEY", "shell"))
    for action in (
        Command(("cat",), stdin=body),
        Upload("/e", body),
        Pipe(Command(("cat",), stdin=body), Command(("x",))),
    ):
        assert "KEY" not in describe(action)
    assert describe(Pipe(Command(("git", "archive")), Command(("tar", "-x")))) == "(here) git archive | (host) tar -x"


@pytest.mark.parametrize("value", HOSTILE)
def test_shell_encoding_is_one_word(value: str) -> None:
    line = f'v={encode(value, "shell")}; printf %s "$v"'
    assert subprocess.run(["sh", "-c", line], capture_output=True, timeout=20, check=True).stdout == value.encode()
