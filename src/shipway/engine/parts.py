"""What a step is as requests: its question, its lines in the ledger, and what it does, to be sent with other steps.

The host goes on by itself from one to the next: a step that proves true is left out, a failure ends all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from shipway.core.action import Action, Pipe, lower
from shipway.core.ports import Request
from shipway.core.step import Plan, Stage, Step
from shipway.engine.journal import Journal
from shipway.engine.run_state import BEHIND, RunState

Role = Literal["probe", "begin", "act", "end", "commit"]

BATCH_STEPS = 32
"""How many steps one exchange has at most: what stands in the way of a stop that cannot be told to the host."""
BATCH_BYTES = 1 << 18
"""How much input the commands of one exchange have at most; a shell reads about a megabyte in a second."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place between steps: a stage begins there, is done, or commits. `stage` is its number in the plan."""

    kind: Literal["begin", "done", "commit"]
    stage: int


Entry = Step | Mark
"""What a track has in its order. Only those of a track that has its stages for itself are other than steps."""


@dataclass(frozen=True, slots=True)
class Part:
    """A request or a pipe, and what it is for: `entry` is a step or the commit."""

    role: Role
    host: str
    entry: Entry
    call: Request | Pipe


def chain_of(plan: Plan, state: RunState, first: int, is_waited: Callable[[Plan, Stage], bool]) -> tuple[Entry, ...]:
    """Return what is left of the stages from `first` on that have one track each, as one track with their commits.

    Nothing waits for anything else between them, so nobody has to be asked there. Empty when `first` is no such stage,
    or one for which somebody else waits.
    """
    entries: list[Entry] = []
    for index, stage in islice(enumerate(plan.stages), first, None):
        tracks = [track for track in stage.tracks if track]
        if len(tracks) > 1 or not (tracks or stage.commits) or is_waited(plan, stage):
            break
        if left := [step for track in tracks for step in track if state.of(step) not in BEHIND]:
            entries += [Mark("begin", index), *left, Mark("done", index)]
        if stage.commits and state.committed <= index:
            entries.append(Mark("commit", index))
    return tuple(entries)


def step_parts(step: Step, actions: Sequence[Action], journal: Journal) -> list[Part]:
    """Return the parts of `step`, done by `actions`. The first is a gate; a question that is true skips the rest."""
    host = step.host
    begin = journal.append(host, [journal.record("step.begin", step.id)])
    calls = [action if isinstance(action, Pipe) else Request(lower(action)) for action in actions]
    parts = [
        Part("begin", host, step, begin if step.done is not None else replace(begin, gate=True)),
        *(Part("act", host, step, call) for call in calls),
        Part("end", host, step, journal.append(host, [journal.record("step.done", step.id)])),
    ]
    if step.done is None:
        return parts
    return [Part("probe", host, step, Request(step.done, "never", skip=len(parts), gate=True)), *parts]


def commit_part(mark: Mark, journal: Journal) -> Part:
    """Return the part that writes that nothing up to the stage of `mark` will be taken back."""
    host = journal.plan.primary
    request = journal.append(host, [journal.record("run.commit", stage=mark.stage)])
    return Part("commit", host, mark, replace(request, gate=True))


def batch_of(parts: Iterable[Part], *, is_last: bool) -> list[Request]:
    """Return the requests at the head of `parts` that may be sent together: to one host, up to a pipe, not too many.

    `is_last`: the run halts, so nothing after the step that is under way.
    """
    batch: list[Request] = []
    host, steps, size = "", 0, 0
    for part in parts:
        call = part.call
        if isinstance(call, Pipe) or part.host != (host or part.host):
            break
        if call.gate:
            steps += 1
            if batch and (is_last or steps > BATCH_STEPS or size > BATCH_BYTES):
                break
        host = part.host
        size += sum(len(text) for text in call.command.stdin if isinstance(text, str))
        batch.append(call)
    return batch
