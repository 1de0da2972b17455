"""What was measured on real databases, row by row, against what is said of it without one."""

import tomllib
from pathlib import Path

import pytest

from shipway.migrations.verdict import judge
from tests.unit.migrations.replay import database_of, verdict_on

HERE = Path(__file__).parent
DATA = tomllib.loads((HERE / "reference.toml").read_text())
COMBINED = tomllib.loads((HERE / "combined.toml").read_text())
VENDORS = {"p": "postgresql", "m": "mariadb", "s": "sqlite"}
REVERSALS = {"R": ("yes",), "R*": ("until new rows",), "L": ("schema only",), "X": ("no",)}
CASES = [
    pytest.param(case, VENDORS[letter], id=f"{case.get('row', '')} {case.get('title', '')}-{VENDORS[letter]}")
    for case in (*DATA["case"], *COMBINED["case"])
    for letter in case["on"]
]


@pytest.mark.parametrize(("case", "vendor"), CASES)
def test_row(case: dict, vendor: str) -> None:
    """Where several words stand, each of them was an honest answer."""
    verdict = verdict_on(vendor, DATA["before"][case.get("before", "shop")], case["do"])
    measured = case["is"]
    found = {"a": verdict.old_code, "b": verdict.new_code_before, "d": verdict.code_rollback, "class": verdict.cls}
    wrong = {key: word for key, word in found.items() if measured[key] and word not in _words(measured[key])}
    if measured["e"] and verdict.reversal not in REVERSALS[measured["e"]]:
        wrong["e"] = verdict.reversal
    assert not wrong, (verdict.standing, [effect.slug for effect in verdict.effects])


def _words(text: str) -> tuple[str, ...]:
    return (
        tuple(text.split())
        if "migration" not in text
        else ("data migration", *text.replace("data migration", "").split())
    )


def test_a_plan_is_judged_by_what_it_leaves() -> None:
    """Each migration alone would break the old code; all of them leave it what it knows."""
    add, remove = (
        "migrations.AddField('customer', 'x', models.IntegerField(default=1))",
        "migrations.RemoveField('customer', 'x')",
    )
    verdicts = judge(database_of("postgresql", DATA["before"]["shop"], add, remove))
    assert [(v.old_code, v.code_rollback, v.cls) for v in verdicts] == [
        ("conditional", "allowed", "safe-with-care"),
        ("ok", "allowed", "safe-with-care"),
    ]


def test_a_column_that_comes_back_later_is_another_one() -> None:
    rename = "migrations.RenameField('customer', 'vat', 'old_vat')"
    again = "migrations.AddField('customer', 'vat', models.CharField(max_length=20, null=True))"
    verdicts = judge(database_of("postgresql", DATA["before"]["shop"], rename, again))
    assert [v.code_rollback for v in verdicts] == ["allowed", "refused"]


def test_each_migration_is_a_start_of_its_own_where_nobody_serves() -> None:
    rename = "migrations.RenameField('customer', 'vat', 'tax')"
    again = "migrations.AddField('customer', 'vat', models.CharField(max_length=20, null=True))"
    database = database_of("postgresql", DATA["before"]["shop"], rename, again, applied=None)
    assert [v.old_code for v in judge(database)][1:] == ["breaks", "ok"]
