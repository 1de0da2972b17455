"""A check, an answer to it, and what came of it: values that every kind of check shares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["passed", "failed", "skipped"]
"""`skipped`: it could not be asked here, or makes no sense here; it neither proves nor fails anything."""

LIMIT_S = 10.0
"""How long one try of a check may take where nothing else is configured."""
RETRIES = 2
"""How often a check that failed is tried again: a worker process that answers its first request is often slow."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be true. `code` is `verify.…`; `name` says which of several with this code is meant.

    `host`: where it is asked, "" when it is about the service as a whole. `is_required`: a failure turns a deploy back;
    otherwise it is only told. `limit_s` bounds one try, `retries` are the tries after the first.
    """

    code: str
    name: str
    host: str = ""
    is_required: bool = True
    limit_s: float = LIMIT_S
    retries: int = RETRIES

    @property
    def key(self) -> tuple[str, str, str]:
        """What no other check of a verification has."""
        return (self.code, self.name, self.host)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one try of a check came to.

    `what` is a sentence in the past tense without a full stop ("" for one that passed), `evidence` are lines that show
    it, `next` a command that can be pasted or what a person can do.
    """

    state: State
    what: str = ""
    evidence: tuple[str, ...] = ()
    next: str = ""


def passed(*evidence: str) -> Answer:
    """Return the answer of a check that is true."""
    return Answer("passed", "", evidence)


def failed(what: str, *evidence: str, next: str = "") -> Answer:
    """Return the answer of a check that is not true."""
    return Answer("failed", what, evidence, next)


def skipped(why: str) -> Answer:
    """Return the answer of a check that could not be asked."""
    return Answer("skipped", why)


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """What came of a check after `attempts` tries, in `duration_s` altogether."""

    check: Check
    answer: Answer
    duration_s: float = 0.0
    attempts: int = 1

    @property
    def state(self) -> State:
        """Passed, failed or skipped."""
        return self.answer.state

    @property
    def is_fatal(self) -> bool:
        """Whether it must turn a deploy back."""
        return self.state == "failed" and self.check.is_required


def fatal(outcomes: Iterable[CheckOutcome]) -> tuple[CheckOutcome, ...]:
    """Return the required checks that failed."""
    return tuple(one for one in outcomes if one.is_fatal)


def tally(outcomes: Iterable[CheckOutcome]) -> str:
    """Return how many passed, failed and were skipped: `9 passed, 1 failed`."""
    counts: dict[State, int] = {"passed": 0, "failed": 0, "skipped": 0}
    for one in outcomes:
        counts[one.state] += 1
    return ", ".join(f"{n} {state}" for state, n in counts.items() if n) or "nothing was checked"
