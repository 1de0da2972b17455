"""Whether code may go back, from what the earlier release names and what there is now."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from shipway.core.migration import Database
from shipway.core.schema import Schema, Table, apply_changes
from shipway.migrations.gate import base_of_database
from shipway.migrations.plan import Base
from shipway.migrations.way_back import way_back
from tests.unit.migrations.replay import database_of

# What mc-15 drops was left behind by a release before it, of which this case does not tell.
CASES = sorted(p for p in (Path(__file__).parent / "cases").glob("*.json") if not p.stem.startswith("mc-15"))
BEFORE = """
from django.db import models
class Customer(models.Model):
    name = models.CharField(max_length=60)
    vat = models.CharField(max_length=20, null=True)
"""
ADD = "migrations.AddField('customer', 'x', models.IntegerField(null=True))"
ADD_REQUIRED = "migrations.AddField('customer', 'x', models.IntegerField(default=1))"
GIVE_DEFAULT = "migrations.AlterField('customer', 'x', models.IntegerField(db_default=1))"
UNMAP = "migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField('customer', 'vat')])"
REMOVE = "migrations.RemoveField('customer', 'vat')"
PYTHON = "migrations.RunPython(print)"


def schema_of(database: Database) -> Schema:
    """The schema that all migrations of a walk leave."""
    changes = [c for m in database.walk for o in m.operations if o.scope != "state" for c in o.changes]
    return apply_changes({}, changes)


def migrated(*sources: str, vendor: str = "postgresql", before: str = BEFORE) -> tuple[Base, Database]:
    """The release before `sources`, and the database after them."""
    database = database_of(vendor, before, *sources)
    base = base_of_database(database, "r1")
    applied = frozenset(m.key for m in database.walk)
    return base, replace(database, applied=applied, live=schema_of(database))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem[:5])
def test_the_answer_is_what_was_observed(path: Path) -> None:
    case = json.loads(path.read_text())
    base, database = migrated(case["migration"], vendor=case["db"], before=case["before_models"])
    allowed = (case["expected"]["d_code_rollback"], *case["also_acceptable"].get("d", ()))
    found = way_back(base, database)
    assert found.verdict in allowed, found.reasons
    assert found.verdict == "allowed" or found.reasons[0].migration == "shop.0002_change"


@pytest.mark.parametrize(
    ("sources", "verdict"),
    [
        ([], "allowed"),
        ([ADD], "allowed"),
        ([ADD_REQUIRED], "refused"),
        ([ADD_REQUIRED, GIVE_DEFAULT], "allowed"),
        ([REMOVE], "refused"),
        ([ADD, REMOVE], "refused"),
        ([PYTHON], "warn"),
        ([UNMAP], "allowed"),
    ],
)
def test_net_effect(sources: list[str], verdict: str) -> None:
    found = way_back(*migrated(*sources))
    assert (found.verdict, bool(found.reasons)) == (verdict, verdict != "allowed")


def test_two_allowed_steps_are_not_an_allowed_way() -> None:
    """The column was forgotten by r2 and dropped with r3: from r3 to r2, and from r2 to r1, but not from r3 to r1."""
    database = database_of("postgresql", BEFORE, UNMAP, REMOVE_IN_DATABASE)
    after = replace(database, applied=frozenset(m.key for m in database.walk))
    live = dict(schema_of(after))
    columns = {n: c for n, c in live["shop_customer"].columns.items() if n != "vat"}
    after = replace(after, live={**live, "shop_customer": replace(live["shop_customer"], columns=columns)})
    first = base_of_database(database, "r1")
    known = {n: c for n, c in first.footprint["shop_customer"].columns.items() if n != "vat"}
    second = Base("r2", first.keys | {("shop", "0002_change")}, {
        "shop_customer": replace(first.footprint["shop_customer"], columns=known)})  # fmt: skip
    assert way_back(first, after).verdict == "refused"
    assert way_back(second, after).verdict in ("allowed", "warn")


REMOVE_IN_DATABASE = "migrations.RunSQL('ALTER TABLE shop_customer DROP COLUMN vat')"


def test_a_milder_change_of_a_column_does_not_explain_that_it_is_gone() -> None:
    """What a manifest leaves out, such as the text of RunSQL, is seen in the live schema all the same."""
    loosen = "migrations.AlterField('customer', 'name', models.CharField(max_length=60, null=True))"
    base, database = migrated(loosen)
    assert way_back(base, database).verdict == "warn"
    live = dict(database.live or {})
    columns = {n: c for n, c in live["shop_customer"].columns.items() if n != "name"}
    gone = replace(database, live={**live, "shop_customer": replace(live["shop_customer"], columns=columns)})
    found = way_back(base, gone)
    assert found.verdict == "refused", found.reasons


def test_what_was_done_by_hand_is_seen() -> None:
    base, database = migrated(ADD)
    without = {n: c for n, c in database.live["shop_customer"].columns.items() if n != "vat"}
    database = replace(database, live={"shop_customer": Table("shop_customer", columns=without)})
    found = way_back(base, database)
    assert found.verdict == "refused"
    assert "no migration that is known did that" in str(found.reasons[0])


def test_a_silent_database_is_no_way_back() -> None:
    base, database = migrated(ADD)
    found = way_back(base, replace(database, live=None, error="OperationalError: connection refused"))
    assert found.verdict == "refused"
    assert "connection refused" in str(found.reasons[0])


def test_strangers_and_what_is_missing_are_told() -> None:
    base, database = migrated(ADD)
    stranger = replace(database, applied=database.applied | {("shop", "0009_elsewhere")})
    assert [r.migration for r in way_back(base, stranger).reasons] == ["shop.0009_elsewhere"]
    missing = replace(base, keys=base.keys | {("shop", "0003_not_there")})
    assert way_back(missing, database).verdict == "warn"
