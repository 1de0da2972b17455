"""When migrations run: before the switch, after it, with approval, or not in this release."""

import pytest

from shipway.migrations.gate import order, sort_out
from shipway.migrations.plan import Base, expand
from shipway.migrations.verdict import judge
from tests.unit.migrations.replay import database_of

BEFORE = """
from django.db import models
class Customer(models.Model):
    name = models.CharField(max_length=60)
    vat = models.CharField(max_length=20, null=True)
    credit = models.IntegerField()
"""
ADD = "migrations.AddField('customer', 'x', models.IntegerField(null=True))"
ADD_REQUIRED = "migrations.AddField('customer', 'x', models.IntegerField(default=1))"
GIVE_DEFAULT = "migrations.AlterField('customer', 'x', models.IntegerField(db_default=1))"
DROP_NULL = "migrations.RemoveField('customer', 'vat')"
DROP_REQUIRED = "migrations.RemoveField('customer', 'credit')"
PYTHON = "migrations.RunPython(print)"
UNMAP = "migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField('customer', 'credit')])"
LATE = f"shipway = {{'phase': 'after'}}\noperations = [{PYTHON}]"
SYZYGY = f"stage = 'POST_DEPLOY'\noperations = [{PYTHON}]"
SAFEMIGRATE = f"safe = 'Safe.after_deploy()'\noperations = [{PYTHON}]"
LATE_BUT_NEEDED = f"shipway = {{'phase': 'after'}}\noperations = [{ADD}]"
CASES = {
    "additive": ([ADD], ["before"], []),
    "destructive": ([DROP_NULL], ["after"], ["0002_change"]),
    "neither survives": ([DROP_REQUIRED], ["refused"], []),
    "required column": ([ADD_REQUIRED], ["refused"], []),
    "repaired later": ([ADD_REQUIRED, GIVE_DEFAULT], ["before", "before"], []),
    "rows": ([PYTHON], ["before"], ["0002_change"]),
    "the new code would break": ([UNMAP], ["refused"], []),
    "declared late": ([LATE], ["after"], ["0002_change"]),
    "syzygy": ([SYZYGY], ["after"], ["0002_change"]),
    "safemigrate": ([SAFEMIGRATE], ["after"], ["0002_change"]),
    "declared late, but the new code needs it": ([LATE_BUT_NEEDED], ["before"], []),
    "behind a late one": ([DROP_NULL, PYTHON], ["after", "after"], ["0002_change", "0003_change"]),
    "behind a late one, and needed": ([DROP_NULL, ADD], ["after", "refused"], ["0002_change"]),
    "behind a refused one": ([DROP_REQUIRED, ADD], ["refused", "refused"], []),
}


@pytest.mark.parametrize(("sources", "whens", "approvals"), CASES.values(), ids=CASES)
def test_order(sources: list[str], whens: list[str], approvals: list[str]) -> None:
    gate = order(judge(database_of("postgresql", BEFORE, *sources)))
    assert [slot.when for slot in gate.slots] == whens
    assert [slot.verdict.key[1] for slot in gate.approvals] == approvals


def test_nothing_serves_yet() -> None:
    gate = sort_out(database_of("postgresql", BEFORE, DROP_REQUIRED), None)
    assert [slot.when for slot in gate.slots] == ["before"]


def test_the_release_that_serves_is_what_counts() -> None:
    """Two releases back the column was still named: what is allowed against the last one is refused against it."""
    drop = "migrations.SeparateDatabaseAndState(database_operations=[migrations.RemoveField('customer', 'vat')])"
    unmap = "migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField('customer', 'vat')])"
    database = database_of("postgresql", BEFORE, drop, unmap)
    oldest = judge(database)[0]
    footprint = dict(oldest.names.schemas[0])
    keys = frozenset({("shop", "0001_initial")})
    (one, _) = judge(database, Base("r1", keys, footprint))
    assert (one.old_code, one.code_rollback) == ("breaks", "refused")


def test_a_squash_is_what_it_replaces() -> None:
    database = database_of("postgresql", BEFORE, ADD)
    squash = type(database.walk[1])(
        ("shop", "0002_squashed"), replaces=(("shop", "0001_initial"), ("shop", "0002_change"))
    )
    both = {("shop", "0001_initial"), ("shop", "0002_change")}
    assert expand(both, (squash,)) == both | {squash.key}
    assert expand({squash.key}, (squash,)) == both | {squash.key}
    assert expand({("shop", "0001_initial")}, (squash,)) == {("shop", "0001_initial")}
