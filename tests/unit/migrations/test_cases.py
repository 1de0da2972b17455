"""Migrations that were run against real databases, with what was seen there."""

import json
from pathlib import Path

import pytest

from shipway.core.migration import Size
from shipway.core.schema import Column, Table
from shipway.migrations.explain import reason, recipe
from tests.unit.migrations.replay import verdict_on

CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))
LEFT_BEHIND = {
    "mc-15": {"shop_customer": Table("shop_customer", columns={"legacy_ref": Column("legacy_ref", null=True)})}
}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_verdict_is_what_was_observed(path: Path) -> None:
    case = json.loads(path.read_text())
    live = LEFT_BEHIND.get(case["id"])
    verdict = verdict_on(case["db"], case["before_models"], case["migration"], live=live)
    expected, also = case["expected"], case["also_acceptable"]
    assert verdict.old_code in (expected["a_old_code_keeps_working"], *also.get("a", ()))
    assert verdict.code_rollback in (expected["d_code_rollback"], *also.get("d", ()))
    assert verdict.cls in (expected["class"], *also.get("class", ()))
    assert reason(verdict)
    assert recipe(verdict) or verdict.cls in ("safe", "safe-with-care", "long-running")


@pytest.mark.parametrize(
    ("size", "is_long"),
    [
        (Size(), True),
        (Size(-1, 5 << 30), True),
        (Size(200_000, -1), True),
        (Size(30, 8192), False),
        (Size(0, 0), False),
    ],
)
def test_an_unknown_size_is_not_a_small_one(size: Size, *, is_long: bool) -> None:
    case = json.loads(next(p for p in CASES if p.stem.startswith("mc-22")).read_text())
    verdict = verdict_on(case["db"], case["before_models"], case["migration"], sizes={"shop_customer": size})
    assert verdict.long_running is is_long
