"""Calls that wait against the signatures that meet them, and two releases against what waits between them."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipway.core.errors import Exit, Refused
from shipway.core.task import Known, Message, Queued, Signature
from shipway.django.strict import Malformed
from shipway.django.task_codec import parse_known, parse_queued
from shipway.planning.site import RoleSpec
from shipway.planning.tasks import TaskRules, check_schedule, cross, refusal, undrainable
from shipway.tasks.binding import drift, misfit
from shipway.tasks.compare import stuck, unknown_beats
from tests.sites import site

CASES = tomllib.loads((Path(__file__).parent / "binding.toml").read_text())


def signature(body: dict[str, Any]) -> Signature:
    words = {name: tuple(body.get(name, ())) for name in ("required", "optional")}
    flags = {name: body.get(name, False) for name in ("varargs", "varkw")}
    return Signature(**words, keyword=body.get("keyword", {}), **flags)


@pytest.mark.parametrize("case", CASES["call"], ids=lambda case: case["name"])
def test_a_call_that_waits(case: dict[str, Any]) -> None:
    message = Message("celery", "t", arguments=case["args"], keywords=tuple(case.get("keywords", ())))
    assert misfit(message, signature(case["signature"])) == case["why"]


@pytest.mark.parametrize("case", CASES["drift"], ids=lambda case: case["name"])
def test_calls_that_may_come(case: dict[str, Any]) -> None:
    assert drift(signature(case["caller"]), signature(case["callee"])) == case["why"]


OLD = Known({"celery": {"weigh": Signature(("parcel",)), "count": Signature()}})
NEW = Known({"celery": {"measure": Signature(("parcel",)), "count": Signature()}})
WAITING = Message("celery", "weigh", "celery", "ready", 1, count=3)
LATER = replace(WAITING, state="delayed", count=1, due_s=900)
NAMES = ("r1", "r2")


def test_what_waits_is_counted_by_task() -> None:
    queued = Queued((WAITING, LATER, replace(WAITING, name="count", arguments=0)))
    (found,) = stuck(NEW, queued, OLD)
    assert (found.name, found.ready, found.delayed, found.count, found.due_s) == ("weigh", 3, 1, 4, 900)
    assert str(found) == "weigh: 3 waiting, 1 for later; no such task"
    assert stuck(OLD, queued, NEW) == (), "a way back"


def test_what_nobody_could_do_stops_nobody() -> None:
    foreign = Queued((replace(WAITING, name="of.another.service"),))
    assert stuck(NEW, foreign, OLD) == ()
    assert [one.name for one in stuck(NEW, foreign, None)] == ["of.another.service"]


def test_a_number_without_names_says_nothing() -> None:
    assert stuck(NEW, Queued((replace(WAITING, name=""),)), OLD) == ()


def test_rq_does_what_it_can_import() -> None:
    job = Message("rq", "shop.jobs.send", "default", "ready", 1)
    empty = Known({"rq": {}})
    assert [one.why for one in stuck(empty, Queued((job,)), empty)] == ["no such task"]
    found = Queued((job,), also={"rq": {"shop.jobs.send": Signature(("a",))}})
    assert stuck(empty, found, empty) == ()


def test_who_goes_first() -> None:
    assert cross(OLD, OLD, Queued(), NAMES).workers_first is False
    more = Known({"celery": {**OLD.registries["celery"], "new": Signature()}})
    added = cross(more, OLD, Queued(), NAMES)
    assert (added.workers_first, added.notes) == (True, ())
    removed = cross(OLD, more, Queued(), NAMES)
    assert removed.workers_first is False
    assert "r1 still asks for" in removed.notes[0]
    assert "new (no such task)" in removed.notes[0]
    assert cross(OLD, None, Queued(), NAMES).workers_first is True, "nobody knows what the old ones can do"


def test_a_broker_that_cannot_be_read_is_told_where_it_matters() -> None:
    unread = Queued(unread={"celery": "no answer"})
    assert cross(OLD, OLD, unread, NAMES).notes == ()
    assert "no answer" in cross(NEW, OLD, unread, NAMES).notes[-1]


def test_waiting_for_what_is_due_too_late_is_useless() -> None:
    found = stuck(NEW, Queued((WAITING,)), OLD)
    assert not undrainable(found, TaskRules(limit_s=300))
    assert undrainable(found, TaskRules("refuse"))
    assert undrainable(stuck(NEW, Queued((LATER,)), OLD), TaskRules(limit_s=300))
    error = refusal(found, NAMES, TaskRules(), 300)
    assert (error.code, error.exit) == ("tasks.incompatible", Exit.REFUSED)
    assert "3 queued tasks of r1" in error.what
    assert [finding.code for finding in error.findings] == ["tasks.stuck"]


def test_a_schedule_of_unknown_tasks() -> None:
    known = replace(OLD, scheduled=("count", "nightly", "celery.backend_cleanup"))
    assert unknown_beats(known) == ("nightly",)
    with pytest.raises(Refused, match="nightly"):
        check_schedule(site(), known, "r2", TaskRules())
    check_schedule(site(), known, "r2", TaskRules("ignore"))
    check_schedule(site(roles=(RoleSpec("web", ("a",)),)), known, "r2", TaskRules())


def test_what_is_read_is_what_the_probe_writes() -> None:
    task = {"name": "weigh", "required": ["parcel"], "keyword": [["scale", True]], "varargs": True}
    known = parse_known({"celery": {"tasks": [task], "beat": [["each hour", "weigh", "3600"]]}})
    assert known.registries["celery"]["weigh"] == Signature(("parcel",), keyword={"scale": True}, varargs=True)
    assert known.scheduled == ("weigh",)
    row = ["weigh", "celery", "delayed", 1, ["scale"], 2, 60]
    queued = parse_queued({"celery": {"messages": [row], "unread": ""}, "huey": {"messages": [], "unread": "why"}})
    assert queued.messages == (Message("celery", "weigh", "celery", "delayed", 1, ("scale",), 2, 60),)
    assert queued.unread == {"huey": "why"}


@pytest.mark.parametrize(
    "row", [[], ["weigh"], ["weigh", "q", "lost", 1, [], 1, 0], ["w", "q", "ready", "1", [], 1, 0]]
)
def test_what_makes_no_sense_is_refused(row: list[Any]) -> None:
    with pytest.raises(Malformed):
        parse_queued({"celery": {"messages": [row]}})
