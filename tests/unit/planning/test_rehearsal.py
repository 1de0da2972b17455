"""The order of a rehearsal's acts, played with answers made up."""

import pytest

from shipway.core.errors import Refused
from shipway.core.rehearsal import Rehearsed, Scratch
from shipway.django.rehearsal_answer import Made, Seeded
from shipway.django.rehearsal_source import ActOptions
from shipway.planning.rehearsal import Names, acts, drop_act

OPTIONS = ActOptions("make", name="shipway_rehearsal_x")
MADE = Made({"default": Scratch("a", "pg_dump"), "old": Scratch("b", error="no such engine")}, (), {"default": "joe"})
SEEDED = Seeded({"default": Rehearsed(meets={"M": {"x": "NULL"}})}, {"default": {"M": {}}})


def test_each_act_is_asked_of_its_release_with_what_came_before() -> None:
    names = Names()
    course = acts(OPTIONS, names)
    make = next(course)
    seed = course.send(MADE)
    apply = course.send(SEEDED)
    last = course.send({"default": Rehearsed(applied=("shop.0002",))})
    assert [(a.release, a.options.act) for a in (make, seed, apply, last)] == [
        ("new", "make"), ("old", "seed"), ("new", "apply"), ("old", "try"),
    ]  # fmt: skip
    assert seed.options.scratch == {"default": "a", "old": ""}
    assert last.options.known == SEEDED.known
    with pytest.raises(StopIteration) as end:
        course.send({"default": Rehearsed(meets={"M": {"x": "NULL", "y": "too long"}})})
    seen = end.value.value.seen["default"]
    assert (seen.applied, seen.meets) == (("shop.0002",), {"M": {"y": "too long"}})
    assert drop_act(OPTIONS, names).options.scratch == {"default": "a", "old": "b"}


def test_a_plan_that_fails_ends_it() -> None:
    course = acts(OPTIONS, Names())
    next(course)
    course.send(MADE)
    course.send(SEEDED)
    with pytest.raises(StopIteration):
        course.send({"default": Rehearsed(error="DataError: x")})


@pytest.mark.parametrize(
    ("said", "code", "helps"),
    [
        ("permission denied to create database", "rehearse.rights", 'ALTER ROLE "joe" CREATEDB'),
        ("(1044, \"Access denied for user 'joe'\")", "rehearse.rights", r"GRANT ALL ON `shipway\_rehearsal\_%`"),
        ("could not extend file: No space left on device", "rehearse.no_scratch", ""),
    ],
)
def test_no_scratch_database(said: str, code: str, helps: str) -> None:
    names = Names()
    course = acts(OPTIONS, names)
    next(course)
    with pytest.raises(Refused) as caught:
        course.send(Made({"default": Scratch("a", error=said)}, (), {"default": "joe"}))
    assert (caught.value.code, helps in caught.value.next) == (code, True)
    assert names == {"default": "a"}, "what was begun is removed"


def test_what_gave_no_answer_is_removed_by_the_name_it_was_told() -> None:
    assert drop_act(OPTIONS, Names()).options.scratch == {"default": "shipway_rehearsal_x"}
