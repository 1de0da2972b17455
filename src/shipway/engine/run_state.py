"""`replay`: what the ledgers say about a run. Pure, so that every crash can be thought through as a list of records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from shipway.core.record import Record, RecordKind
from shipway.core.step import Plan, Step

StepState = Literal["new", "open", "done", "skipped", "failed", "undoing", "undone", "undo_failed"]
Phase = Literal["forward", "unwinding", "ended"]

_STATE_AFTER: Mapping[RecordKind, StepState] = {
    "step.begin": "open",
    "step.done": "done",
    "step.skipped": "skipped",
    "step.failed": "failed",
    "step.undoing": "undoing",
    "step.undone": "undone",
    "step.undo_failed": "undo_failed",
}
OURS: frozenset[StepState] = frozenset({"open", "done", "failed", "undoing", "undo_failed"})
"""Steps that this run touched and that were not taken back. A skipped step was true before and is not ours."""
OPEN = frozenset({"", "mixed", "held"})
"""What the last line of a run says of one that is still to be settled."""
BEHIND: frozenset[StepState] = frozenset({"done", "skipped"})
"""Steps that a run going forward has behind it."""


@dataclass(frozen=True, slots=True)
class RunState:
    """How far a run came.

    `committed` is the number of stages that may not be taken back any more (0: all may). `outcome` is that of the
    last `run.end`; a run that ended `mixed` or `held` is still open, so its phase is not `ended`. `ran_s` is how long
    its first part took, in this process.
    """

    steps: Mapping[str, StepState] = field(default_factory=dict)
    phase: Phase = "forward"
    committed: int = 0
    outcome: str = ""
    ran_s: float = 0.0

    def of(self, step: Step) -> StepState:
        """Return the state of `step`; `new` when no record tells of it."""
        return self.steps.get(step.id, "new")


def replay(plan: Plan, records: Iterable[Record]) -> RunState:
    """Return the state of the run of `plan` from the records of all its hosts.

    The records of one host must be in order; hosts may follow each other in any order, since a step belongs to one
    host. A run unwinds from the first record that says so, even where the line `run.unwinding` itself was lost.
    """
    known = {step.id for step in plan.steps()}
    steps: dict[str, StepState] = {}
    committed, outcome, is_unwinding = 0, "", False
    for record in records:
        if record.run != plan.run:
            continue
        if record.kind in _STATE_AFTER and record.step in known:
            steps[record.step] = _STATE_AFTER[record.kind]
        if record.kind == "run.unwinding" or record.kind.startswith("step.und"):
            is_unwinding = True
        elif record.kind == "run.commit":
            committed = max(committed, _committed(plan, record))
        elif record.kind == "run.end":
            outcome = str(record.detail.get("outcome", ""))
    if outcome not in OPEN:
        return RunState(steps, "ended", committed, outcome)
    return RunState(steps, "unwinding" if is_unwinding and not committed else "forward", committed, outcome)


def _committed(plan: Plan, record: Record) -> int:
    """Return the number of stages that a `run.commit` closed; a number that cannot be closes the first that commits."""
    stage = record.detail.get("stage")
    if isinstance(stage, int) and 0 <= stage < len(plan.stages) and plan.stages[stage].commits:
        return stage + 1
    return min(plan.commit_index() + 1, len(plan.stages))


def is_standing(state: RunState, step: Step) -> bool:
    """Whether `step` has an effect of this run that an undo would take back."""
    return bool(step.undo) and state.of(step) in OURS
