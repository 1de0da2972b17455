"""Step, Stage, Plan: a run as data. See DESIGN.md 3 for the laws; `violations` checks them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from shipway.core.action import Action, Command, Pipe, Upload, Wait
from shipway.core.secret import SecretRef, secret_names

Verb = Literal[
    "setup",
    "bootstrap",
    "unbootstrap",
    "deploy",
    "redeploy",
    "rollback",
    "prune",
    "maintenance",
    "remove",
    "app start",
    "app stop",
    "app remove",
    "app stale_containers",
    "proxy boot",
    "proxy reboot",
    "proxy start",
    "proxy stop",
    "proxy restart",
    "proxy remove",
    "accessory boot",
    "accessory reboot",
    "accessory start",
    "accessory stop",
    "accessory restart",
    "accessory upgrade",
    "accessory remove",
]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a run does on one host.

    `done` exits 0 when the step is true already. `undo` takes the step back and must be safe after any part of `do`.
    `repeatable`: doing it twice equals doing it once. `harmless`: leaving it behind hurts nobody.
    """

    id: str
    title: str
    host: str
    do: tuple[Action, ...]
    done: Command | None = None
    undo: tuple[Action, ...] = ()
    repeatable: bool = False
    harmless: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """Tracks that run side by side, at most `width` at once (0: all); the steps of one track run in order.

    A stage that `commits` is a point of no return: once it is complete nothing before it is undone. One that `verifies`
    has no steps: whoever runs the plan looks there whether the release does what it must, and these lines tell at what.
    """

    title: str
    tracks: tuple[tuple[Step, ...], ...]
    width: int = 0
    commits: bool = False
    verifies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All that one run will do. `base` is the release that served when it was planned ("" when none did).

    `is_partial`: it is only the first part. What follows is planned when this part is done, from what the hosts can
    tell by then, and stored over it with the same first stages (`engine/extend.py`). A partial plan never commits.
    """

    run: str
    verb: Verb
    service: str
    release: str
    version: str
    base: str
    primary: str
    stages: tuple[Stage, ...]
    notes: tuple[str, ...] = ()
    is_partial: bool = False

    def steps(self) -> Iterator[Step]:
        """Yield every step, stage by stage and track by track."""
        for stage in self.stages:
            for track in stage.tracks:
                yield from track

    def hosts(self) -> tuple[str, ...]:
        """Return the hosts that the plan touches, the primary first, then in order of appearance."""
        return tuple(dict.fromkeys((self.primary, *(step.host for step in self.steps()))))

    def commit_index(self) -> int:
        """Return the index of the first stage that commits, or the number of stages when none does."""
        return next((i for i, stage in enumerate(self.stages) if stage.commits), len(self.stages))

    def secrets(self) -> tuple[str, ...]:
        """Return the names of all secrets that the plan needs, sorted."""
        names: set[str] = set()
        for step in self.steps():
            for action in (*step.do, *step.undo):
                names.update(_secrets_of(action))
        return tuple(sorted(names))


def _secrets_of(action: Action) -> tuple[str, ...]:
    match action:
        case Command(stdin=stdin):
            return secret_names(stdin)
        case Upload(body=body):
            return secret_names(body)
        case Wait():
            return ()
        case Pipe(source=source, sink=sink):
            return secret_names(source.stdin) + secret_names(sink.stdin)


def violations(plan: Plan) -> tuple[str, ...]:
    """Return every law of DESIGN.md 3 that `plan` breaks, one sentence each; empty for a lawful plan."""
    found = [f"id `{step_id}` is used {n} times" for step_id, n in Counter(s.id for s in plan.steps()).items() if n > 1]
    for index, stage in enumerate(plan.stages):
        for step in (s for track in stage.tracks for s in track):
            found.extend(_step_violations(step, before_commit=index <= plan.commit_index()))
    if any(stage.verifies and (stage.tracks or not stage.commits) for stage in plan.stages):
        found.append("a stage that verifies has steps, or does not commit: nobody could tell whether it is behind us")
    if plan.is_partial and any(stage.commits for stage in plan.stages):
        found.append("a part of a plan commits")
    return tuple(found)


def _step_violations(step: Step, *, before_commit: bool) -> Iterator[str]:
    if step.done is None and not step.repeatable:
        yield f"`{step.id}` has no `done` and is not repeatable"
    if before_commit and not step.undo and not step.harmless:
        yield f"`{step.id}` stands before the commit, has no `undo` and is not harmless"
    if not step.id.startswith(f"{step.host}/"):
        yield f"`{step.id}` does not begin with its host"
    if any(isinstance(word, SecretRef) for action in step.do if isinstance(action, Command) for word in action.argv):
        yield f"`{step.id}` has a secret in an argument"
