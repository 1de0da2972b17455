"""The observed cases once more, each in a project of its own with a real database, as a deploy would meet it."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pymysql
import pytest

from shipway.migrations.findings import find
from shipway.migrations.verdict import judge
from tests.contract.migrations.django_project import DjangoProject, make_project
from tests.contract.migrations.mariadb import mariadb
from tests.contract.migrations.postgres import postgres

CASES = sorted((Path(__file__).parents[2] / "unit/migrations/cases").glob("*.json"))
SETUP = """
from django.db import connection
from django.apps import apps
M = lambda name: apps.get_model("shop", name)
def RAW(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
"""
MYSQL = """
import pymysql
pymysql.version_info = (2, 2, 1, "final", 0)
pymysql.install_as_MySQLdb()
"""


@pytest.fixture(scope="module")
def socket_of_postgresql() -> Iterator[str]:
    with postgres() as socket:
        yield socket


@pytest.fixture(scope="module")
def socket_of_mariadb() -> Iterator[str]:
    with mariadb() as socket:
        yield socket


def connect(project: DjangoProject, vendor: str, name: str, socket: str) -> None:
    """Give the project a database of its own."""
    if vendor == "sqlite":
        return
    if vendor == "postgresql":
        with psycopg.connect(host=socket, user="postgres", autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}")
        where = {"ENGINE": "django.db.backends.postgresql", "NAME": name, "HOST": socket, "USER": "postgres"}
    else:
        with pymysql.connect(unix_socket=socket, user="root") as admin, admin.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        where = {"ENGINE": "django.db.backends.mysql", "NAME": name, "HOST": socket, "USER": "root"}
    project.settings(f"{MYSQL if vendor == 'mariadb' else ''}\nDATABASES = {{'default': {where!r}}}\n")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem[:5])
def test_the_verdict_on_a_real_database(path: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    case = json.loads(path.read_text())
    vendor = case["db"]
    socket = "" if vendor == "sqlite" else request.getfixturevalue(f"socket_of_{vendor}")
    project = make_project(tmp_path, models=case["before_models"])
    connect(project, vendor, case["id"].replace("-", "_"), socket)
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
