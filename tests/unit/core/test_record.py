"""Ledger lines: written once, read back the same, and nothing on a host can break the reader."""

import json

from hypothesis import given
from hypothesis import strategies as st

from shipway.core.record import CHAIN_BYTES, MAX_LINE_BYTES, Record, parse_line, parse_lines, render_lines

DETAIL = st.dictionaries(st.text(max_size=8), st.one_of(st.text(max_size=40), st.integers(-9, 9)), max_size=4)


@given(st.text(max_size=30), st.text(max_size=30), DETAIL)
def test_a_record_comes_back(run: str, step: str, detail: dict[str, str | int]) -> None:
    record = Record("step.done", run, "2026-01-01T00:00:00Z", step, detail)
    assert parse_lines(render_lines([record])) == (record,)
    assert "\n" not in record.to_line()


@given(st.one_of(st.text(), st.binary().map(lambda b: b.decode("latin-1"))))
def test_no_text_breaks_the_reader(text: str) -> None:
    assert isinstance(parse_lines(text), tuple)


def test_what_is_no_record_is_passed_over() -> None:
    good = Record("note", "r", "t").to_line()
    foreign = ["", "{", "[]", "null", '{"kind":"x"}', json.dumps({"kind": "note", "run": 1, "at": "t"}), good[:-3]]
    assert parse_lines("\n".join([*foreign, good])) == (Record("note", "r", "t"),)
    assert parse_line('{"kind":"note","run":"r","at":"t","pad":"' + "x" * (MAX_LINE_BYTES + CHAIN_BYTES) + '"}') is None


def test_a_long_detail_is_cut_so_that_the_line_still_parses() -> None:
    record = Record("step.failed", "run", "t", "a/b", {"said": "x" * 100_000, "status": 3})
    line = record.to_line()
    assert len(line) <= MAX_LINE_BYTES
    parsed = parse_line(line)
    assert parsed is not None
    assert parsed.detail["status"] == 3
