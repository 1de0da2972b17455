"""The observed cases once more, each in a project of its own with a real database, as a deploy would meet it."""

import json
from pathlib import Path

import pytest

from shipway.migrations.findings import find
from shipway.migrations.verdict import judge
from tests.contract.migrations.django_project import make_project
from tests.contract.migrations.servers import give_database

CASES = sorted((Path(__file__).parents[2] / "unit/migrations/cases").glob("*.json"))
SETUP = """
from django.db import connection
from django.apps import apps
M = lambda name: apps.get_model("shop", name)
def RAW(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
"""


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem[:5])
def test_the_verdict_on_a_real_database(path: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    case = json.loads(path.read_text())
    vendor = case["db"]
    socket = "" if vendor == "sqlite" else request.getfixturevalue(f"socket_of_{vendor}")
    project = make_project(tmp_path, models=case["before_models"])
    give_database(project, vendor, case["id"].replace("-", "_"), socket)
    project.manage("migrate", "-v0")
    if case["setup"]["python"]:
        project.write("setup.py", f"{SETUP}\n{case['setup']['python']}\n")
        project.manage("shell", "-c", "exec(open('setup.py').read())")
    project.write("shop/migrations/0002_change.py", case["migration"])
    database = project.report().databases["default"].database
    assert (database.vendor, database.error, find(database, None)) == (vendor, "", ())
    (verdict,) = judge(database)
    expected, also = case["expected"], case["also_acceptable"]
    assert verdict.old_code in (expected["a_old_code_keeps_working"], *also.get("a", ()))
    assert verdict.code_rollback in (expected["d_code_rollback"], *also.get("d", ()))
    assert verdict.cls in (expected["class"], *also.get("class", ()))
