import pytest

from shipway.app.demo.report import Row
from shipway.app.demo.story import (
    ACTS,
    LOST_NOTHING,
    NEW_SERVES,
    OLD_SERVES,
    Evidence,
    Outcome,
    Seen,
    ends_with,
    serves_again,
    shows,
)
from shipway.core.errors import Exit


def row(count=10, failed=0, retried=0, releases=("r1",)):
    return Row("x", count, failed, retried, 0.0, 0.0, releases)


def evidence(exit_=Exit.OK, made="r2", before="r1", after="r2", found=None, **more):
    return Evidence(Outcome(exit_, made), Seen(before, "a"), Seen(after, "b"), found, **more)


CASES = [
    (ends_with(Exit.OK), evidence(), True),
    (ends_with(Exit.OK), evidence(Exit.UNDONE), False),
    (ends_with(Exit.UNDONE), evidence(Exit.OK), False),
    (ends_with(Exit.UNDONE), evidence(Exit.MIXED), False),
    (shows("b"), evidence(), True),
    (shows("a"), evidence(), False),
    (NEW_SERVES, evidence(), True),
    (NEW_SERVES, evidence(after="r1"), False),
    (NEW_SERVES, evidence(after="r3"), False),
    (NEW_SERVES, evidence(made="", after=""), False),
    (OLD_SERVES, evidence(after="r1", found=row()), True),
    (OLD_SERVES, evidence(after="r2", found=row()), False),
    (OLD_SERVES, evidence(after="r1", found=row(releases=("r1", "r2"))), False),
    (OLD_SERVES, evidence(before="", after=""), False),
    (LOST_NOTHING, evidence(found=row()), True),
    (LOST_NOTHING, evidence(found=row(failed=1)), False),
    (LOST_NOTHING, evidence(found=row(retried=1)), False),
    (LOST_NOTHING, evidence(found=row(count=0)), False),
    (LOST_NOTHING, evidence(found=None), False),
    (serves_again("first"), evidence(after="r1", earlier={"first": Seen("r1")}), True),
    (serves_again("first"), evidence(after="r2", earlier={"first": Seen("r1")}), False),
    (serves_again("first"), evidence(after="", earlier={}), False),
]


@pytest.mark.parametrize(("claim", "found", "holds"), CASES)
def test_claims(claim, found, holds):
    assert (claim.judge(found) == "") is holds


def test_names_of_acts_are_unique_and_each_claims_something():
    assert len({act.name for act in ACTS}) == len(ACTS)
    assert all(act.claims and act.words for act in ACTS)
    assert all(LOST_NOTHING in act.claims for act in ACTS if act.is_under_load)
