"""Releases, audit and units as rows, from facts and records."""

from shipway.app.audit import audit_rows
from shipway.app.releases import release_rows
from shipway.app.serving import all_units
from shipway.core.record import Record
from tests.sites import ended, facts_serving, site

HISTORY = (
    *ended("deploy", "r1"),
    *ended("deploy", "r2", base="r1"),
    *ended("deploy", "r3", base="r2", outcome="undone"),
    *ended("rollback", "r1", base="r2"),
)


def test_releases_are_listed_with_their_own_deploy_newest_first() -> None:
    shop = site(("a", "b"))
    rows = release_rows(shop, facts_serving(shop, "r1", kept=["r2"], records=HISTORY))
    assert [(row.release, row.outcome, row.is_serving, row.kept_on) for row in rows] == [
        ("r3", "undone", False, ()),
        ("r2", "done", False, ("a", "b")),
        ("r1", "done", True, ("a", "b")),
    ]
    assert [row.version for row in rows] == ["v-r3", "v-r2", "v-r1"]


def test_a_release_that_no_record_knows_is_listed_all_the_same() -> None:
    shop = site(("a",))
    (row,) = release_rows(shop, facts_serving(shop, "r7"))
    assert (row.release, row.at, row.outcome, row.is_serving) == ("r7", "", "", True)


def test_audit_joins_the_beginning_and_the_end_of_a_run_and_shows_open_ones() -> None:
    note = Record("note", "", "2026-01-02T00:00:00Z", detail={"who": "bo", "note": "lock taken: moving"})
    begun = Record("run.begin", "late", "2026-01-03T00:00:00Z", detail={"verb": "deploy", "release": "r4", "who": "cy"})
    rows = audit_rows((*HISTORY, note, begun, begun))
    assert [(row.what, row.outcome) for row in rows] == [
        ("deploy r4", ""),
        ("note", ""),
        ("rollback r1", "done"),
        ("deploy r3", "undone"),
        ("deploy r2", "done"),
        ("deploy r1", "done"),
    ]
    assert (rows[0].who, rows[1].note) == ("cy", "lock taken: moving")


def test_audit_leaves_out_a_run_whose_beginning_was_cut_off() -> None:
    assert audit_rows(ended("deploy", "r1")[1:]) == ()


def test_units_say_what_is_live() -> None:
    shop = site(("a",))
    units = all_units(shop, facts_serving(shop, "r2", records=HISTORY))
    assert {(unit.role, unit.is_live) for unit in units} == {("web", True), ("worker", False), ("beat", False)}
    assert {unit.version for unit in units} == {"v-r2"}
