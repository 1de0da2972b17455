"""The ledger's scripts, run by the real `sh`."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from shipway.core.chain import Checked, check_chain
from shipway.core.errors import Refused
from shipway.core.layout import Layout
from shipway.core.ports import Result
from shipway.core.record import Record, render_lines
from shipway.core.upkeep import APPEND_SCRIPT
from shipway.engine.journal import append, last_words, parse_tail, require_tail, tail
from shipway.engine.reading import PACKED_PIECE_BYTES, read_exactly
from tests.engine.real_shell import ShellTransport, run_here


def a_record(step: str, **detail: str) -> Record:
    return Record(kind="step.done", run="r", at="2026-01-01T00:00:00Z", step=step, detail=detail)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(str(tmp_path), "a shop's $HOME")


def read(layout: Layout, limit_bytes: int = 10_000) -> tuple[Record, ...]:
    return parse_tail(run_here(tail(layout, limit_bytes).command))


def test_what_is_appended_is_read_back(layout: Layout) -> None:
    records = [a_record("a/one", said='it\'s $(rm -rf /) `x` \\n "ä"\nsecond'), a_record("a/two")]
    assert run_here(append(layout, records[:1]).command).ok
    assert run_here(append(layout, records[1:]).command).ok
    assert read(layout) == tuple(records)


def test_file_and_directory_are_private(layout: Layout) -> None:
    assert run_here(append(layout, [a_record("a/one")]).command).ok
    ledger = Path(layout.ledger)
    assert (ledger.stat().st_mode & 0o777, ledger.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_missing_ledger_is_empty(layout: Layout) -> None:
    result = run_here(tail(layout).command)
    assert result.ok
    assert parse_tail(result) == ()


def test_a_torn_last_line_is_passed_over_and_the_next_starts_afresh(layout: Layout) -> None:
    run_here(append(layout, [a_record("a/one")]).command)
    ledger = Path(layout.ledger)
    ledger.write_text(ledger.read_text() + a_record("a/torn").to_line()[:-10])
    assert read(layout) == (a_record("a/one"),)
    run_here(append(layout, [a_record("a/two")]).command)
    assert read(layout) == (a_record("a/one"), a_record("a/two"))


def test_reading_is_bounded_and_cuts_only_the_oldest(layout: Layout) -> None:
    records = [a_record(f"a/{number}") for number in range(100)]
    run_here(append(layout, records).command)
    found = read(layout, 1_000)
    assert 5 < len(found) < 20
    assert found == tuple(records[-len(found) :])


def test_appends_at_the_same_time_do_not_mix(layout: Layout) -> None:
    run_here(append(layout, [a_record("a/first")]).command)
    records = [a_record(f"a/{number}", said="x" * 1_500) for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda r: run_here(append(layout, [r]).command), records))
    assert all(result.ok for result in results)
    assert {r.step for r in read(layout, 200_000)} == {"a/first", *(r.step for r in records)}
    assert len(Path(layout.ledger).read_text().splitlines()) == 41


@pytest.mark.parametrize("make", ["full", "directory"])
def test_a_ledger_that_cannot_be_written_says_so(layout: Layout, make: str) -> None:
    ledger = Path(layout.ledger)
    ledger.parent.mkdir()
    if make == "full":
        if not os.path.exists("/dev/full"):  # noqa: PTH110
            pytest.skip("no /dev/full here")
        ledger.symlink_to("/dev/full")
    else:
        ledger.mkdir()
    result = run_here(append(layout, [a_record("a/one")]).command)
    assert not result.ok
    assert result.said


@pytest.mark.parametrize("result", [Result(1), Result(0, b"{}", truncated=True)])
def test_a_ledger_that_cannot_be_read_in_full_is_never_taken_for_empty(result: Result) -> None:
    with pytest.raises(Refused) as caught:
        require_tail("app-1", result)
    assert caught.value.code == "ledger.unreadable"


def test_last_words_are_sixty_lines() -> None:
    assert last_words("\n".join(str(n) for n in range(90))).splitlines() == [str(n) for n in range(30, 90)]
    assert len(last_words("x" * 9_000)) == 6_000


def checked(layout: Layout) -> Checked:
    head = Path(f"{layout.ledger}.head")
    return check_chain(Path(layout.ledger).read_bytes(), head.read_bytes() if head.exists() else None)


@pytest.mark.parametrize("shell", ["dash", "bash --posix", "busybox sh"])
def test_every_shell_writes_one_chain(layout: Layout, shell: str) -> None:
    program, *words = shell.split()
    if shutil.which(program) is None:
        pytest.skip(f"{program} is missing")
    Path(layout.ledger).parent.mkdir()
    Path(layout.ledger).write_text(a_record("a/old").to_line() + "\n" + a_record("a/torn").to_line()[:30])
    said = 'it\'s * $HOME \\ "n":7,"chain":"x"}'
    for number in range(3):
        lines = render_lines([a_record(f"a/{number}", said=said), a_record("a/b", n=number)])  # type: ignore[arg-type]
        done = subprocess.run(
            [program, *words, "-c", APPEND_SCRIPT, "sh", layout.ledger],
            input=lines.encode(), capture_output=True, timeout=30, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, b"")
    found = checked(layout)
    assert (found.breaks, found.head.n, found.unprotected, found.torn) == ((), 6, 1, 1)
    assert [r.detail.get("said") for r in read(layout)][1::2] == [said] * 3


def test_appends_at_the_same_time_are_one_chain(layout: Layout) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: run_here(append(layout, [a_record(f"a/{n}"), a_record(f"b/{n}")]).command), range(20)))
    found = checked(layout)
    assert (found.breaks, found.head.n, found.torn) == ((), 40, 0)


def test_a_killed_append_breaks_no_chain(layout: Layout) -> None:
    """Killed at many moments, the ledger has a whole chain each time, and the next line follows it."""
    run_here(append(layout, [a_record("a/first")]).command)
    command = append(layout, [a_record(f"a/{n}", said="x" * 2_000) for n in range(8)]).command
    for moment in range(40):
        body = "".join(str(part) for part in command.stdin).encode()
        child = subprocess.Popen(command.words(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdin is not None
        child.stdin.write(body)
        child.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            child.wait(moment / 1_000)
        child.kill()
        child.wait(30)
        assert child.stdout is not None
        child.stdout.close()
        assert run_here(append(layout, [a_record("a/after")]).command).ok
        found = checked(layout)
        assert found.breaks == (), moment


def test_a_host_without_the_programs_gets_its_lines_without_a_chain(layout: Layout, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("date", "sed", "mkdir", "tail", "sh"):
        (tools / name).symlink_to(str(shutil.which(name)))
    command = append(layout, [a_record("a/one")]).command
    for _ in range(2):
        done = subprocess.run(
            command.words(), input="".join(str(part) for part in command.stdin).encode(),
            env={"PATH": str(tools)}, capture_output=True, timeout=30, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, b"")
    assert [r.step for r in read(layout)] == ["a/one", "a/one"]
    found = checked(layout)
    assert (found.breaks, found.unprotected, found.head.n) == ((), 2, 0)


def test_a_ledger_is_read_exactly(layout: Layout) -> None:
    ledger = Path(layout.ledger)
    assert asyncio.run(read_exactly(ShellTransport(), "here", layout.ledger, 1)) is None
    ledger.parent.mkdir()
    for text in (b"", b"\x00\xff torn\r\n", os.urandom(PACKED_PIECE_BYTES), b"a" * (2 * PACKED_PIECE_BYTES + 1)):
        ledger.write_bytes(text)
        assert asyncio.run(read_exactly(ShellTransport(), "here", layout.ledger, 4_000_000)) == text
    with pytest.raises(Refused):
        asyncio.run(read_exactly(ShellTransport(), "here", layout.ledger, 1_000))
