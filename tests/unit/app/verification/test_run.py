"""Checks side by side, with their tries and their time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from shipway.adapters.clock import SystemClock
from shipway.app.verification.run import Batch, run_checks
from shipway.core.errors import Refused
from shipway.verification.outcome import Answer, Check, CheckOutcome, failed, fatal, passed, skipped, tally


class Hurried(SystemClock):
    """A clock on which nobody waits."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class Asked:
    """Answers in turn, by name; the last stays."""

    def __init__(self, **answers: list[Answer | Exception]) -> None:
        self.answers = answers
        self.calls: list[tuple[str, ...]] = []

    async def __call__(self, checks: Sequence[Check]) -> Mapping[Check, Answer]:
        self.calls.append(tuple(check.name for check in checks))
        found: dict[Check, Answer] = {}
        for check in checks:
            answers = self.answers.get(check.name, [])
            answer = answers.pop(0) if len(answers) > 1 else next(iter(answers), None)
            if isinstance(answer, Exception):
                raise answer
            if answer is not None:
                found[check] = answer
        return found


def check(name: str, *, retries: int = 2, limit_s: float = 5.0, is_required: bool = True) -> Check:
    return Check("verify.http", name, "web-1", is_required=is_required, limit_s=limit_s, retries=retries)


def run(asked: Asked, *checks: Check) -> tuple[CheckOutcome, ...]:
    return asyncio.run(run_checks([Batch(checks, asked)], Hurried()))


def test_only_what_failed_is_tried_again() -> None:
    asked = Asked(a=[passed()], b=[failed("no"), passed("now")], c=[failed("never")], d=[skipped("not here")])
    found = run(asked, *map(check, "abcd"))
    assert [(one.check.name, one.state, one.attempts) for one in found] == [
        ("a", "passed", 1),
        ("b", "passed", 2),
        ("c", "failed", 3),
        ("d", "skipped", 1),
    ]
    assert asked.calls == [("a", "b", "c", "d"), ("b", "c"), ("c",)]
    assert [one.check.name for one in fatal(found)] == ["c"]
    assert tally(found) == "2 passed, 1 failed, 1 skipped"


def test_what_is_not_answered_has_failed() -> None:
    (found,) = run(Asked(), check("a", retries=0))
    assert found.state == "failed"


def test_an_error_of_a_host_fails_and_a_mistake_of_ours_does_not() -> None:
    (refused,) = run(
        Asked(a=[Refused("probe.silent", "the release did not answer", said="killed")]), check("a", retries=0)
    )
    assert (refused.state, refused.answer.what, refused.answer.evidence) == (
        "failed",
        "the release did not answer",
        ("killed",),
    )
    (mistake,) = run(Asked(a=[TypeError("oh")]), check("a"))
    assert mistake.state == "skipped"
    assert "mistake in Shipway" in mistake.answer.what


def test_a_try_has_its_time() -> None:
    async def never(_checks: Sequence[Check]) -> Mapping[Check, Answer]:
        await asyncio.Event().wait()
        return {}

    (found,) = asyncio.run(run_checks([Batch((check("a", retries=1, limit_s=0.01),), never)], Hurried()))
    assert (found.state, found.attempts) == ("failed", 2)
    assert "no answer in 0.01 s" in found.answer.what


def test_batches_run_side_by_side_and_stay_in_order() -> None:
    gate = asyncio.Event()
    heard: list[str] = []

    async def first(checks: Sequence[Check]) -> Mapping[Check, Answer]:
        await gate.wait()
        return dict.fromkeys(checks, passed())

    async def second(checks: Sequence[Check]) -> Mapping[Check, Answer]:
        gate.set()
        return dict.fromkeys(checks, passed())

    async def main() -> tuple[CheckOutcome, ...]:
        batches = [Batch((check("a"),), first), Batch((check("b"),), second)]
        return await run_checks(batches, SystemClock(), heard=lambda one: heard.append(one.check.name))

    assert [one.check.name for one in asyncio.run(main())] == ["a", "b"]
    assert sorted(heard) == ["a", "b"]
