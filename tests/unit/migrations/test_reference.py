"""What was measured on real databases, row by row, against what is said of it without one."""

import tomllib
from pathlib import Path

import pytest

from tests.unit.migrations.replay import verdict_on

DATA = tomllib.loads((Path(__file__).parent / "reference.toml").read_text())
VENDORS = {"p": "postgresql", "m": "mariadb", "s": "sqlite"}
REVERSALS = {"R": ("yes",), "R*": ("until new rows",), "L": ("schema only",), "X": ("no",)}
CASES = [
    pytest.param(case, VENDORS[letter], id=f"{case['row']} {case.get('title', '')}-{VENDORS[letter]}")
    for case in DATA["case"]
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
