"""The chain of a ledger: whether its lines are those that were written, all of them, in their order.

Each line ends with its number `n` and `chain`, the first half of the SHA-256 of two lines: the `chain` before it, and
itself without its own `chain`. The first follows the hash of all that stood in the file before. `APPEND_SCRIPT`
(`core/upkeep.py`) writes this on the host, and beside the ledger how far it came.

A chain shows what was changed by somebody who did not make it anew. Against one who did, compare with a `Head` that was
kept elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from shipway.core.record import parse_line

HASH_CHARS = 32
"""128 bits: nobody finds another line with the same hash, and a line stays short."""
_LINE = re.compile(rb'(.*),"n":([0-9]{1,9}),"chain":"([0-9a-f]{32})"\}')
_HEAD = re.compile(rb"([0-9]{1,9}) ([0-9a-f]{32})\n?")

Fault = Literal["edited", "removed", "moved", "repeated", "unchained", "cut", "replaced"]


@dataclass(frozen=True, slots=True)
class Head:
    """How far a chain came: the number of its last line and the hash of that."""

    n: int = 0
    chain: str = ""


@dataclass(frozen=True, slots=True)
class Break:
    """One place where a ledger is not what was written. `line` counts from 1; 0: at its end, or all of it."""

    fault: Fault
    line: int
    what: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found. `unprotected` lines stand before the chain; `torn` are remains of a crash, and no record."""

    head: Head = field(default_factory=Head)
    lines: int = 0
    unprotected: int = 0
    torn: int = 0
    breaks: tuple[Break, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Link:
    line: int
    n: int
    chain: str
    body: bytes
    offset: int


def link_hash(before: str, body: bytes) -> str:
    """Return the `chain` of a line whose text without its own is `body`, after a line whose `chain` is `before`."""
    return hashlib.sha256(before.encode() + b"\n" + body + b"\n").hexdigest()[:HASH_CHARS]


def check_chain(ledger: bytes, noted: bytes | None, earlier: Head | None = None) -> Checked:
    """Return what is wrong with a ledger.

    `noted` is what stands beside it (None: nothing does), `earlier` a head that somebody kept.
    """
    links, others, torn = _read(ledger)
    begins = links[0].line if links else 0
    foreign = tuple(line for line in others if begins and line > begins)
    breaks = [
        *(Break("unchained", line, f"line {line} was not written by Shipway, or by one without a chain")
          for line in foreign),
        *_disorder(links),
        *_changes(links, ledger),
        *_cut(links, noted),
        *_replaced(links, earlier),
    ]  # fmt: skip
    last = max(links, key=lambda link: link.n, default=None)
    return Checked(
        head=Head(last.n, last.chain) if last else Head(),
        lines=len(links) + len(others),
        unprotected=len(others) - len(foreign),
        torn=torn,
        breaks=tuple(sorted(breaks, key=lambda one: (one.line == 0, one.line))),
        notes=_notes(links, noted),
    )


def _read(ledger: bytes) -> tuple[list[_Link], list[int], int]:
    """Return the lines with a chain, the numbers of the records without, and how many lines are torn."""
    links: list[_Link] = []
    others: list[int] = []
    offset = torn = 0
    for number, text in enumerate(ledger.split(b"\n"), 1):
        whole = offset + len(text) < len(ledger)
        if whole and (match := _LINE.fullmatch(text)) is not None:
            body = text[: match.start(3) - len(b',"chain":"')] + b"}"
            links.append(_Link(number, int(match[2]), match[3].decode(), body, offset))
        elif whole and parse_line(text.decode("utf-8", "replace")) is not None:
            others.append(number)
        elif text:
            torn += 1
        offset += len(text) + 1
    return links, others, torn


def _disorder(links: list[_Link]) -> Iterator[Break]:
    """Yield what is missing, moved or there twice. Where a line was moved, only that one is named."""
    before = 0
    for n, line in sorted({link.n: link.line for link in reversed(links)}.items()):
        if n > before + 1:
            yield Break("removed", line, f"{_numbers(before + 1, n - 1)} missing before line {line}")
        before = n
    seen: set[int] = set()
    highest = 0
    for link in links:
        if link.n in seen:
            yield Break("repeated", link.line, f"line {link.line} repeats number {link.n}")
        elif link.n < highest:
            yield Break("moved", link.line, f"line {link.line} has number {link.n} and stands after number {highest}")
        seen.add(link.n)
        highest = max(highest, link.n)


def _numbers(first: int, last: int) -> str:
    if first == last:
        return f"number {first} is"
    return f"numbers {first} to {last} ({last - first + 1} lines) are"


def _changes(links: list[_Link], ledger: bytes) -> Iterator[Break]:
    """Yield the lines whose hash does not follow from the line with the number before."""
    hashes = {link.n: link.chain for link in reversed(links)}
    for link in links:
        if link.n == 1:
            start = hashlib.sha256(ledger[: link.offset]).hexdigest()[:HASH_CHARS]
            if link_hash(start, link.body) != link.chain:
                what = f"line {link.line} was changed" + (", or what stands before it" if link.offset else "")
                yield Break("edited", link.line, what)
        elif link.n - 1 in hashes and link_hash(hashes[link.n - 1], link.body) != link.chain:
            yield Break("edited", link.line, f"line {link.line} was changed, or the one before it with its hash")


def _cut(links: list[_Link], noted: bytes | None) -> Iterator[Break]:
    """Yield where the note beside the ledger tells of more than there is."""
    match = _HEAD.fullmatch(noted or b"")
    if match is None:
        if noted is None and len(links) > 1:
            yield Break("cut", 0, "the note beside it is gone, so lines may be missing at its end")
        return
    n, chain = int(match[1]), match[2].decode()
    there = {link.n: link.chain for link in links}
    last = max(there, default=0)
    if n > last:
        yield Break("cut", 0, f"{_numbers(last + 1, n)} missing at its end")
    elif there.get(n, chain) != chain:
        yield Break("replaced", 0, f"number {n} is not the line that was written: the note beside it has another hash")


def _replaced(links: list[_Link], earlier: Head | None) -> Iterator[Break]:
    if earlier is None or earlier.n == 0:
        return
    found = next((link for link in links if link.n == earlier.n), None)
    if found is None:
        yield Break("cut", 0, f"number {earlier.n} was there when it was checked before, and is gone")
    elif found.chain != earlier.chain:
        yield Break("replaced", found.line, f"line {found.line} is not what it was when it was checked before")


def _notes(links: list[_Link], noted: bytes | None) -> tuple[str, ...]:
    if links and noted is not None and _HEAD.fullmatch(noted) is None:
        return ("the note beside it is empty, as a full disk leaves it: lines removed at its end would not show",)
    return ()


def heads_in(document: Any) -> Mapping[str, Head]:
    """Return the heads by host in what `shipway audit --check --json` answered earlier. Raises ValueError."""
    try:
        found = {str(one["host"]): Head(int(one["head"]["n"]), str(one["head"]["chain"])) for one in document}
    except (KeyError, TypeError, ValueError):
        found = {}
    if not found:
        raise ValueError("it is no answer of `shipway audit --check --json`")
    return found
