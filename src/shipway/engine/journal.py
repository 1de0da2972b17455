"""How lines of the ledger are written and read: as requests that ride in the same exchange as the step they tell of.

A record and its effect therefore cost one round trip and cannot be separated by the network.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shipway.core.action import Command
from shipway.core.errors import Refused
from shipway.core.layout import Layout
from shipway.core.ports import Request, Result, StopOn
from shipway.core.record import Record, RecordKind, parse_lines, render_lines
from shipway.core.step import Plan
from shipway.core.upkeep import APPEND_SCRIPT, TAIL_BYTES, TAIL_SCRIPT, WHEN_WRITTEN
from shipway.engine.world import World

_LIMIT_S = 20.0
_SAID_LINES = 60
_SAID_CHARS = 6_000


def append(layout: Layout, records: Iterable[Record], stop_on: StopOn = "failure") -> Request:
    """Return the request that appends `records` to the ledger of a host (mode 0600, directory 0700 when new)."""
    argv = ("sh", "-c", APPEND_SCRIPT, "sh", layout.ledger)
    return Request(Command(argv, stdin=(render_lines(records),), limit_s=_LIMIT_S), stop_on)


def is_append(request: Request) -> bool:
    """Whether `request` writes to a ledger."""
    return APPEND_SCRIPT in request.command.argv


def tail(layout: Layout, limit_bytes: int = TAIL_BYTES) -> Request:
    """Return the request that reads the last `limit_bytes` of the ledger of a host; a missing ledger is empty."""
    argv = ("sh", "-c", TAIL_SCRIPT, "sh", layout.ledger, str(limit_bytes))
    return Request(Command(argv, limit_s=_LIMIT_S), "never")


def parse_tail(result: Result) -> tuple[Record, ...]:
    """Return the records in the answer to `tail`; a line cut at either end is passed over."""
    return parse_lines(result.text) if result.ok else ()


def require_tail(host: str, result: Result) -> tuple[Record, ...]:
    """Return the records in the answer to `tail`. Raises Refused when the ledger could not be read in full.

    A ledger that is taken for empty would make steps of an open run look as if they had never begun.
    """
    if result.ok and not result.truncated:
        return parse_lines(result.text)
    raise Refused("ledger.unreadable", f"could not read the ledger on {host}", said=last_words(result.said))


def last_words(said: str) -> str:
    """Return the last sixty lines of what a program said, at most 6,000 characters: a log with its verdict."""
    return "\n".join(said.strip().splitlines()[-_SAID_LINES:])[-_SAID_CHARS:]


@dataclass(frozen=True, slots=True)
class Journal:
    """Makes the records of one run."""

    plan: Plan
    world: World

    def record(self, kind: RecordKind, step: str = "", **detail: str | float) -> Record:
        """Return a record of this run; it gets its time when it is written, by the clock of its host."""
        return Record(kind=kind, run=self.plan.run, at=WHEN_WRITTEN, step=step, detail=detail)

    def begin(self) -> Record:
        """Return the record that opens the run."""
        author, plan = self.world.author, self.plan
        detail = self._about() | {"service": plan.service, "who": author.who, "from": author.origin}
        if author.process:
            detail["process"] = author.process
        if author.note or plan.notes:
            detail["note"] = last_words("\n".join((author.note, *plan.notes)))
        return self.record("run.begin", **detail)

    def end(self, outcome: str, took_s: float) -> Record:
        """Return the record that ends the run, with all that a list of releases shows."""
        return self.record("run.end", outcome=outcome, took_s=round(took_s, 3), **self._about())

    def _about(self) -> dict[str, str]:
        plan = self.plan
        return {"verb": plan.verb, "release": plan.release, "version": plan.version, "base": plan.base}

    def append(self, host: str, records: Iterable[Record], stop_on: StopOn = "failure") -> Request:
        """Return the request that appends `records` to the ledger of `host`."""
        return append(self.world.layout(host), records, stop_on)
