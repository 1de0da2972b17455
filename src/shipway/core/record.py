"""Lines of the ledger, and how they are written and read back.

Each host keeps a ledger of its own (`Layout.ledger`): the lines of the steps that ran there. The ledger of the primary
host has also the lines of each run. A line travels in the same exchange as the step it speaks of, so a connection
that breaks cannot separate a step from its record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

RecordKind = Literal[
    "run.begin",  # detail: verb, release, version, base, who, from, service, note
    "run.extended",  # the second part was planned; detail: manifest (its hash), before, after, window, approved
    "run.verified",  # what came of the checks; detail: release, verified (passed, failed, skipped), checks, failed
    "run.unwinding",  # undo has begun; detail: why
    "run.commit",  # a committing stage is complete; detail: stage
    "run.end",  # detail: outcome (done, undone, mixed, held, abandoned), took_s; a mixed or held run stays open
    "step.begin",
    "step.done",
    "step.skipped",  # it was true before we touched it: never undone
    "step.failed",  # detail: status, said
    "step.undoing",
    "step.undone",
    "step.undo_failed",
    "approval.wanted",  # a run was refused for lack of it; detail: fingerprint, who, what, count
    "approval",  # detail: fingerprint, who, reason, as (how the name was found), via (the login and address there)
    "hold",  # nobody is to deploy; detail: who, reason
    "hold.end",  # detail: who, reason
    "note",  # anything a person or a verb outside a run wrote: lock taken over, maintenance, override with a reason
]
_KINDS: frozenset[str] = frozenset(get_args(RecordKind))
MAX_LINE_BYTES = 16_384
CHAIN_BYTES = 128
"""What the host adds to a line at most: its number and its hash (`core/chain.py`)."""


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a ledger. `detail` holds strings and numbers only.

    `at` is UTC, ISO 8601 with seconds, by the clock of the host on which the line stands.
    """

    kind: RecordKind
    run: str
    at: str
    step: str = ""
    detail: Mapping[str, str | int | float] = field(default_factory=dict)

    def to_line(self) -> str:
        """Return the record as one line of JSON without its newline, at most `MAX_LINE_BYTES` long."""
        body: dict[str, object] = {"kind": self.kind, "run": self.run, "at": self.at}
        if self.step:
            body["step"] = self.step
        if self.detail:
            body["detail"] = dict(self.detail)
        line = json.dumps(body, ensure_ascii=True, separators=(",", ":"))
        if len(line) <= MAX_LINE_BYTES:
            return line
        short = {key: value[:200] if isinstance(value, str) else value for key, value in self.detail.items()}
        return json.dumps(body | {"detail": short}, ensure_ascii=True, separators=(",", ":"))[:MAX_LINE_BYTES]


def parse_line(line: str) -> Record | None:
    """Return the record of one line, or None for a line that is torn, foreign or malformed."""
    if len(line) > MAX_LINE_BYTES + CHAIN_BYTES:
        return None
    try:
        body = json.loads(line)
    except ValueError:
        return None
    if not isinstance(body, dict) or body.get("kind") not in _KINDS:
        return None
    run, at, step, detail = body.get("run"), body.get("at"), body.get("step", ""), body.get("detail", {})
    if not (isinstance(run, str) and isinstance(at, str) and isinstance(step, str) and isinstance(detail, dict)):
        return None
    clean = {str(k): v for k, v in detail.items() if isinstance(v, (str, int, float))}
    return Record(kind=body["kind"], run=run, at=at, step=step, detail=clean)


def parse_lines(text: str) -> tuple[Record, ...]:
    """Return the records of `text` in order; lines that are no records are passed over."""
    return tuple(record for line in text.splitlines() if (record := parse_line(line)) is not None)


def render_lines(records: Iterable[Record]) -> str:
    """Return `records` as text, a line each, with a newline after each."""
    return "".join(record.to_line() + "\n" for record in records)
