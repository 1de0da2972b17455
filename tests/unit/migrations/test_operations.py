"""Every operation of Django, on each database where it is something else."""

import tomllib
from pathlib import Path

import pytest

from shipway.migrations.explain import recipe
from tests.unit.migrations.replay import verdict_on

DATA = tomllib.loads((Path(__file__).parent / "operations.toml").read_text())
CASES = [pytest.param(case, vendor, id=f"{case['title']}-{vendor}") for case in DATA["case"] for vendor in case["on"]]


@pytest.mark.parametrize(("case", "vendor"), CASES)
def test_operation(case: dict[str, str], vendor: str) -> None:
    verdict = verdict_on(vendor, DATA["before"], case["change"])
    found = (verdict.old_code, verdict.code_rollback, verdict.cls)
    assert found == (case["a"], case["d"], case["class"]), verdict.standing
    if verdict.cls in ("needs-approval", "destructive"):
        assert recipe(verdict), "whoever is told no is told how"
