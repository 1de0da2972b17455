"""The ledger's scripts, run by the real `sh`."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shipway.core.errors import Refused
from shipway.core.layout import Layout
from shipway.core.ports import Result
from shipway.core.record import Record
from shipway.engine.journal import append, last_words, parse_tail, require_tail, tail
from tests.engine.real_shell import run_here


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
