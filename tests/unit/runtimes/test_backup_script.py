"""The script that keeps a backup, run as it is run on a host."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shipway.core.record import parse_lines
from shipway.runtimes import backup_script

SCRIPT = Path(backup_script.__file__).read_text()
LIMIT_S = 30.0
SQL_END = "-- Dump completed on 2026-11-22"


def words(home: Path, name: str, proof: str, script: str) -> list[str]:
    about = [str(home / "backups"), name, "2", str(home / "ledger.jsonl"), "run-1", proof]
    return [sys.executable, "-I", "-S", "-", *about, "sh", "-c", script]


def run(home: Path, script: str, *, name: str = "1-before-r2", proof: str = "any") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words(home, name, proof, script), input=SCRIPT, capture_output=True, text=True, check=False, timeout=LIMIT_S
    )


def names(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "backups").iterdir())


def test_what_the_command_prints_is_the_backup_and_the_ledger_knows_its_size(tmp_path: Path) -> None:
    done = run(tmp_path, "echo rows; echo chatter >&2")
    assert done.returncode == 0
    path = tmp_path / "backups" / "1-before-r2.backup"
    assert path.read_text() == "rows\n"
    assert oct(path.stat().st_mode)[-3:] == "600"
    assert oct(path.parent.stat().st_mode)[-3:] == "700"
    assert done.stdout.startswith(f"backup: {path}, 5 bytes in ")
    (record,) = parse_lines((tmp_path / "ledger.jsonl").read_text())
    assert (record.kind, record.run) == ("note", "run-1")
    assert (record.detail["backup"], record.detail["bytes"]) == (str(path), 5)
    assert isinstance(record.detail["took_s"], float)


@pytest.mark.parametrize(
    ("proof", "script", "said"),
    [
        ("any", "echo half; echo no connection >&2; exit 2", "exit status 2"),
        ("postgresql", "echo rows", "as an archive of pg_dump"),
        ("postgresql", "true", "as an archive of pg_dump"),
        ("mysql", "echo 'CREATE TABLE'", "its last line is missing"),
        ("any", "kill -9 $$", "exit status -9"),
    ],
)
def test_what_is_not_whole_is_no_backup(tmp_path: Path, proof: str, script: str, said: str) -> None:
    run(tmp_path, "echo old", name="0-before-r1")
    done = run(tmp_path, script, proof=proof)
    assert done.returncode == 1
    assert said in done.stderr
    assert names(tmp_path) == ["0-before-r1.backup"]
    assert len((tmp_path / "ledger.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("proof", "script"), [("postgresql", "printf PGDMP..."), ("mysql", f"printf 'x\\n{SQL_END}\\n'")]
)
def test_what_is_whole_is_known_by_its_ends(tmp_path: Path, proof: str, script: str) -> None:
    assert run(tmp_path, script, proof=proof).returncode == 0


def test_a_command_that_keeps_its_backup_elsewhere_is_told(tmp_path: Path) -> None:
    done = run(tmp_path, "true")
    assert done.returncode == 0
    assert "kept elsewhere" in done.stdout
    assert names(tmp_path) == []
    assert json.loads((tmp_path / "ledger.jsonl").read_text())["detail"]["bytes"] == 0


def test_only_the_newest_stay(tmp_path: Path) -> None:
    for number in range(4):
        assert run(tmp_path, "echo rows", name=f"{number}-before-r{number}").returncode == 0
    assert names(tmp_path) == ["2-before-r2.backup", "3-before-r3.backup"]


def test_one_that_is_ended_leaves_nothing(tmp_path: Path) -> None:
    child = subprocess.Popen(
        words(tmp_path, "1", "any", f"echo $$ >{tmp_path}/pid; echo rows; sleep 60"), stdin=subprocess.PIPE, text=True
    )
    assert child.stdin is not None
    child.stdin.write(SCRIPT)
    child.stdin.close()
    end = time.monotonic() + LIMIT_S
    while not (tmp_path / "pid").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    child.send_signal(signal.SIGTERM)
    assert child.wait(LIMIT_S) == 143
    assert names(tmp_path) == []
