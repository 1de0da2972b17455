"""What was seen in a scratch database, as an opinion beside the first one."""

import pytest

from shipway.core.rehearsal import Rehearsed
from shipway.migrations.rehearsal import compare, opine

FINE = {"shop.Room": {"list": "", "create": "", "delete": "", "create with NULLs": "", "refer to nothing": "no"}}


def seen(**now: str) -> Rehearsed:
    return Rehearsed(baseline=FINE, after={"shop.Room": FINE["shop.Room"] | now}, new_after=FINE | {"shop.Room": {}})


@pytest.mark.parametrize(
    ("what", "old_code", "rollback"),
    [
        (seen(), "ok", "allowed"),
        (seen(list="no column"), "breaks", "refused"),
        (seen(**{"create with NULLs": "not null"}), "conditional", "warn"),
        (seen(**{"refer to nothing": "failed before too"}), "ok", "allowed"),
        (Rehearsed(changed={"shop.Room": {"name": "changed"}}), "conditional", "warn"),
        (Rehearsed(changed={"shop.Room": {"name": "lost"}}), "conditional", "refused"),
        (Rehearsed(changed={"shop.Room": {"": "gone"}}), "conditional", "refused"),
        (Rehearsed(meets={"shop.Room": {"name": "NULL"}}), "ok", "warn"),
    ],
)
def test_what_counts(what: Rehearsed, old_code: str, rollback: str) -> None:
    opinion = opine(what)
    assert (opinion.old_code, opinion.code_rollback, opinion.new_works) == (old_code, rollback, True)


@pytest.mark.parametrize(
    ("baseline", "unseeded", "words", "works"),
    [
        ({}, {}, "", True),
        ({}, {}, "IntegrityError: no", False),
        ({"shop.Room": {"create": "a trigger"}}, {}, "a trigger", True),
        ({}, {"shop.Room": "a trigger"}, "a trigger", True),
        ({}, {}, "NoValue: no value is known for x (Odd)", True),
    ],
)
def test_the_new_release_answers_for_what_is_new(baseline: dict, unseeded: dict, words: str, *, works: bool) -> None:
    opinion = opine(Rehearsed(baseline=baseline, unseeded=unseeded, new_after={"shop.Room": {"create": words}}))
    assert opinion.new_works is works


def test_a_plan_that_fails_says_nothing_of_code() -> None:
    opinion = opine(Rehearsed(error="DataError: x", failed="shop.0002", baseline=FINE))
    assert (opinion.error, opinion.failed, opinion.new_works) == ("DataError: x", "shop.0002", False)


@pytest.mark.parametrize(
    ("second", "first", "both", "says"),
    [
        (seen(), [("ok", "allowed")], ("ok", "allowed"), "the same"),
        (seen(list="no"), [("ok", "allowed"), ("conditional", "warn")], ("breaks", "refused"), "more"),
        (seen(), [("conditional", "warn"), ("ok", "allowed")], ("conditional", "warn"), "less"),
        (Rehearsed(meets={"a": {"b": "NULL"}}), [("conditional", "allowed")], ("conditional", "warn"), "more"),
        (seen(), [], ("ok", "allowed"), "the same"),
    ],
)
def test_the_worse_of_both_counts(second: Rehearsed, first: list, both: tuple, says: str) -> None:
    assert compare(opine(second), first) == (*both, says)
