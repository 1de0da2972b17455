"""The chain of a ledger: what an edit looks like afterwards, and what is none."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from shipway.core.chain import Head, check_chain, heads_in, link_hash
from shipway.core.record import Record, parse_lines

PLAIN = "".join(
    Record("note", "", "2026-01-01T00:00:00Z", detail={"note": text}).to_line() + "\n" for text in ("old", "older")
)


def chained(*bodies: str, before: str = "") -> tuple[bytes, bytes]:
    """Return a ledger as `APPEND_SCRIPT` writes it, and the note beside it."""
    text, last = before, hashlib.sha256(before.encode()).hexdigest()[:32]
    for n, body in enumerate(bodies, 1):
        line = f'{body[:-1]},"n":{n}}}'
        last = link_hash(last, line.encode())
        text += f'{line[:-1]},"chain":"{last}"}}\n'
    return text.encode(), f"{len(bodies)} {last}\n".encode()


def bodies(count: int = 6) -> list[str]:
    return [Record("step.done", "r", "2026-01-01T00:00:00Z", f"a/{n}").to_line() for n in range(1, count + 1)]


GOOD, NOTED = chained(*bodies())
LINES = GOOD.splitlines(keepends=True)


def rehashed(text: bytes) -> bytes:
    """Return a line that was changed, with a hash of its own that fits."""
    n = int(re.search(rb'"n":(\d+)', text)[1])
    before = json.loads(LINES[n - 2])["chain"]
    body = text[: text.index(b',"chain"')] + b"}"
    return body[:-1] + f',"chain":"{link_hash(before, body)}"}}\n'.encode()


@pytest.mark.parametrize(
    ("ledger", "noted"),
    [
        (b"", None),
        (PLAIN.encode(), None),
        (GOOD, NOTED),
        chained(*bodies(), before=PLAIN),
        (GOOD + LINES[0][:40], NOTED),
        (GOOD[:-1], f"5 {json.loads(LINES[4])['chain']}\n".encode()),
        (b"".join([*LINES[:3], b'{"kind":"st\n', *LINES[3:]]), NOTED),
        (GOOD, f"4 {json.loads(LINES[3])['chain']}\n".encode()),
        (LINES[0], None),
        (GOOD, b""),
    ],
    ids=["none", "before-chains", "good", "after-old-lines", "torn-end", "torn-last", "torn-inside", "note-behind",
         "killed-before-first-note", "note-emptied"],
)  # fmt: skip
def test_what_no_person_did_is_no_break(ledger: bytes, noted: bytes | None):
    assert check_chain(ledger, noted).breaks == ()


@pytest.mark.parametrize(
    ("ledger", "noted", "fault", "line"),
    [
        (GOOD.replace(b"a/3", b"a/9"), NOTED, "edited", 3),
        (GOOD.replace(b"a/1", b"a/9"), NOTED, "edited", 1),
        (GOOD.replace(b"a/6", b"a/9"), NOTED, "edited", 6),
        (GOOD.replace(LINES[2], rehashed(LINES[2].replace(b"a/3", b"a/9"))), NOTED, "edited", 4),
        (b"".join([*LINES[:2], *LINES[3:]]), NOTED, "removed", 3),
        (b"".join(LINES[1:]), NOTED, "removed", 1),
        (b"".join([*LINES[:2], LINES[3], LINES[2], *LINES[4:]]), NOTED, "moved", 4),
        (b"".join([*LINES[:4], LINES[2], *LINES[4:]]), NOTED, "repeated", 5),
        (b"".join(LINES[:4]), NOTED, "cut", 0),
        (b"".join(LINES[:5]) + LINES[5][:30], NOTED, "cut", 0),
        (GOOD, None, "cut", 0),
        (b"".join([*LINES[:3], PLAIN.encode(), *LINES[3:]]), NOTED, "unchained", 4),
        (GOOD + PLAIN.encode(), NOTED, "unchained", 7),
        (chained(*bodies(), before=PLAIN)[0].replace(b"older", b"elder"), None, "edited", 3),
        (b"", NOTED, "cut", 0),
        (chained(*bodies()[::-1])[0], NOTED, "replaced", 0),
    ],
)  # fmt: skip
def test_what_somebody_did_is_found_where_it_is(ledger: bytes, noted: bytes | None, fault: str, line: int):
    found = check_chain(ledger, noted)
    assert (fault, line) in [(one.fault, one.line) for one in found.breaks], found.breaks


def test_one_change_is_told_once():
    for ledger in (GOOD.replace(b"a/3", b"a/9"), b"".join([*LINES[:2], *LINES[3:]]),
                   b"".join([*LINES[:2], LINES[3], LINES[2], *LINES[4:]])):  # fmt: skip
        assert len(check_chain(ledger, NOTED).breaks) == 1


def test_a_chain_made_anew_is_seen_by_whoever_kept_its_head():
    head = check_chain(GOOD, NOTED).head
    longer, noted = chained(*bodies(), bodies()[0])
    assert check_chain(longer, noted, head).breaks == ()
    forged, note = chained(*(body.replace("a/3", "a/9") for body in bodies()))
    assert check_chain(forged, note).breaks == ()
    assert [one.fault for one in check_chain(forged, note, head).breaks] == ["replaced"]
    short, note = chained(*bodies(4))
    assert [one.fault for one in check_chain(short, note, head).breaks] == ["cut"]
    kept = heads_in([{"host": "a", "head": {"n": head.n, "chain": head.chain}}])
    assert kept == {"a": Head(6, head.chain)}


@pytest.mark.parametrize("document", [{}, [1], [{"host": "a"}], [{"host": "a", "head": {"n": "x", "chain": ""}}]])
def test_what_is_no_earlier_answer_is_refused(document: object):
    with pytest.raises(ValueError, match="no answer"):
        heads_in(document)


def test_huge_numbers_cost_nothing():
    line = bodies(1)[0].encode()[:-1] + b',"n":999999999,"chain":"' + b"0" * 32 + b'"}\n'
    assert check_chain(line * 2, b"999999999 " + b"1" * 32).breaks


def test_records_are_read_as_before():
    assert [record.step for record in parse_lines(GOOD.decode())] == [f"a/{n}" for n in range(1, 7)]
