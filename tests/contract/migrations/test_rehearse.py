"""The rehearsal against real databases: it sees what was measured, leaves nothing, and touches nothing that is live."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from shipway.cli.main import main
from tests.contract.migrations.django_project import DjangoProject, make_project
from tests.contract.migrations.new_models import follow_migrations
from tests.contract.migrations.servers import give_database
from tests.contract.migrations.test_cases import CASES, SETUP

GIT = ("git", "-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "init.defaultBranch=main")
DROP = "migrations.RemoveField('customer', 'vat')"
WITHOUT = """\
from django.db import models
class Customer(models.Model):
    name = models.CharField(max_length=60)
class Room(models.Model):
    guests = models.ManyToManyField(Customer)
"""
NUMBERS = iter(range(1000))


def commit(project: DjangoProject) -> None:
    """Let the code as it is now be the one that serves."""
    for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "first"), ("tag", "serving")):
        subprocess.run((*GIT, *words), cwd=project.directory, check=True)


def rehearse(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict]:
    capsys.readouterr()
    code = main(["migrations", "rehearse", "--base", "serving", "--json", *words])
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture(autouse=True)
def own_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem[:5])
def test_what_is_seen_is_what_was_measured(
    path: Path, tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    case = json.loads(path.read_text())
    vendor = case["db"]
    socket = "" if vendor == "sqlite" else request.getfixturevalue(f"socket_of_{vendor}")
    project = make_project(tmp_path, models=case["before_models"])
    give_database(project, vendor, f"rehearsed{next(NUMBERS)}", socket)
    commit(project)
    project.manage("migrate", "-v0")
    if case["setup"]["python"]:
        project.write("setup.py", f"{SETUP}\n{case['setup']['python']}\n")
        project.manage("shell", "-c", "exec(open('setup.py').read())")
    project.write("shop/migrations/0002_change.py", case["migration"])
    follow_migrations(project)
    os.chdir(tmp_path)
    code, answer = rehearse(capsys)
    assert (code, answer.get("kept"), answer.get("leftovers")) == (0, {}, []), answer
    (seen,) = answer["rehearsal"]
    expected, also = case["expected"], case["also_acceptable"]
    old_code, rollback = seen["verdict"]["old_code"], seen["verdict"]["code_rollback"]
    assert old_code in (expected["a_old_code_keeps_working"], *also.get("a", ())), seen["failures"]
    assert rollback in (expected["d_code_rollback"], *also.get("d", ())), seen["failures"]
    assert (seen["new_code"], seen["not_tried"]) == (expected["new_release_after_apply"], [])
    if case["id"] != "mc-31":  # values of a constant default look as before
        assert seen["old_code"] == old_code
        assert seen["code_rollback"] == rollback


@pytest.fixture
def shop(project: DjangoProject, socket_of_postgresql: str, monkeypatch: pytest.MonkeyPatch) -> DjangoProject:
    """A project with a database on PostgreSQL, whose code serves."""
    give_database(project, "postgresql", f"shop{next(NUMBERS)}", socket_of_postgresql)
    commit(project)
    project.manage("migrate", "-v0")
    monkeypatch.chdir(project.directory)
    return project


def name_of(project: DjangoProject) -> str:
    settings = (project.directory / "conf/settings.py").read_text()
    return settings.split("'NAME': '")[1].split("'")[0]


def sql(socket: str, name: str, text: str, user: str = "postgres") -> list[tuple]:
    with psycopg.connect(host=socket, user=user, dbname=name, autocommit=True) as connection:
        cursor = connection.execute(text)
        return cursor.fetchall() if cursor.description else []


def databases(socket: str) -> list[str]:
    found = sql(socket, "postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'shipway%'")
    return [name for (name,) in found]


def drop_vat(project: DjangoProject) -> None:
    project.migration("0002_drop", DROP)
    project.write("shop/models.py", WITHOUT)


def test_the_catalogue_serves_where_there_is_no_pg_dump(
    shop: DjangoProject, socket_of_postgresql: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A view over the column, a type, a function with its trigger, a partition: what pg_dump would have carried."""
    name = name_of(shop)
    for text in (
        "CREATE TYPE mood AS ENUM ('good', 'bad')",
        "CREATE TABLE notes (id serial PRIMARY KEY, m mood DEFAULT 'good', c bigint REFERENCES shop_customer)",
        "CREATE TABLE days (day date NOT NULL, n int) PARTITION BY RANGE (day)",
        "CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
        "CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := NEW.name; RETURN NEW; END $$",
        "CREATE TRIGGER stamp BEFORE INSERT ON shop_customer FOR EACH ROW EXECUTE FUNCTION stamp()",
        "CREATE VIEW payers AS SELECT name, vat FROM shop_customer",
    ):
        sql(socket_of_postgresql, name, text)
    git = Path(shutil.which("git") or "").parent
    place = shop.directory.parent / "bin"
    place.mkdir()
    (place / "git").symlink_to(git / "git")
    monkeypatch.setenv("PATH", str(place))
    drop_vat(shop)
    _, answer = rehearse(capsys)
    (seen,) = answer["rehearsal"]
    assert (seen["schema"], seen["notes"], seen["old_code"]) == ("the catalogue", [], "breaks")
    assert databases(socket_of_postgresql) == []


def test_a_sample_of_rows_with_all_that_they_refer_to(
    shop: DjangoProject, socket_of_postgresql: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row that the migration cannot bear is found only where rows are."""
    name = name_of(shop)
    sql(socket_of_postgresql, name, "INSERT INTO shop_customer (name) SELECT 'n' || n FROM generate_series(1, 50) n")
    sql(socket_of_postgresql, name, "INSERT INTO shop_room DEFAULT VALUES")
    sql(socket_of_postgresql, name, "INSERT INTO shop_room_guests (room_id, customer_id) VALUES (1, 50)")
    shop.migration("0002_filled", "migrations.RunSQL('ALTER TABLE shop_customer ALTER vat SET NOT NULL')")
    code, answer = rehearse(capsys, "--rows", "5")
    (seen,) = answer["rehearsal"]
    assert (code, seen["rows"]) == (4, 5 + 1 + 1 + 1)
    assert (seen["failed"], "contains null values" in seen["error"]) == ("shop.0002_filled", True)
    assert sql(socket_of_postgresql, name, "SELECT count(*) FROM shop_customer") == [(50,)]


def test_who_may_not_create_databases_is_told_what_helps(
    shop: DjangoProject, socket_of_postgresql: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, user = name_of(shop), f"poor{next(NUMBERS)}"
    sql(socket_of_postgresql, name, f"CREATE ROLE {user} LOGIN")
    sql(socket_of_postgresql, name, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}")
    settings = shop.directory / "conf/settings.py"
    settings.write_text(settings.read_text().replace("'USER': 'postgres'", f"'USER': '{user}'"))
    drop_vat(shop)
    code, answer = rehearse(capsys)
    assert (code, answer["error"]["code"]) == (4, "rehearse.rights")
    assert answer["error"]["next"].startswith(f'ALTER ROLE "{user}" CREATEDB')


def test_nothing_of_the_project_reaches_what_is_live(
    shop: DjangoProject, socket_of_postgresql: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Receivers, mail, caches and a `save` of its own are not what a rehearsal wants to try."""
    shop.write(
        "shop/models.py",
        """
        from django.db import models
        from django.db.models.signals import post_save
        class Customer(models.Model):
            name = models.CharField(max_length=60)
            def save(self, *args, **kwargs):
                open("saved", "w").close()
        class Room(models.Model):
            guests = models.ManyToManyField(Customer)
        def heard(**_):
            open("heard", "w").close()
        post_save.connect(heard)
        """,
    )
    shop.migration("0002_drop", DROP)
    _, answer = rehearse(capsys)
    assert answer["rehearsal"][0]["new_code"] == "ok"
    assert not {"saved", "heard"} & {path.name for path in shop.directory.iterdir()}
    assert sql(socket_of_postgresql, name_of(shop), "SELECT count(*) FROM shop_customer") == [(0,)]
    assert len(sql(socket_of_postgresql, name_of(shop), "SELECT 1 FROM django_migrations WHERE app = 'shop'")) == 1


def test_a_database_that_is_ahead_begins_anew(
    shop: DjangoProject, socket_of_postgresql: str, capsys: pytest.CaptureFixture[str]
) -> None:
    drop_vat(shop)
    shop.manage("migrate", "-v0")
    _, answer = rehearse(capsys)
    (seen,) = answer["rehearsal"]
    assert (seen["schema"], seen["prepared"]) == ("the old release's migrations", ["shop.0001_initial"])
    assert (seen["applied"], seen["old_code"]) == (["shop.0002_drop"], "breaks")


def test_what_an_earlier_one_left_is_said(
    shop: DjangoProject, socket_of_postgresql: str, capsys: pytest.CaptureFixture[str]
) -> None:
    left = "shipway_rehearsal_20240102t030405_0123abcd"
    sql(socket_of_postgresql, "postgres", f"CREATE DATABASE {left}")
    try:
        drop_vat(shop)
        _, answer = rehearse(capsys)
        assert [one["name"] for one in answer["leftovers"]] == [left]
    finally:
        sql(socket_of_postgresql, "postgres", f"DROP DATABASE {left}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_ends_it_leaves_nothing(shop: DjangoProject, socket_of_postgresql: str, number: int) -> None:
    shop.migration("0002_slow", "migrations.RunPython(lambda apps, editor: __import__('time').sleep(60))")
    words = (sys.executable, "-m", "shipway", "migrations", "rehearse", "--base", "serving")
    with subprocess.Popen(words, cwd=shop.directory, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if "the new release applies" in line:
                break
        assert len(databases(socket_of_postgresql)) == 1
        time.sleep(0.2)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert databases(socket_of_postgresql) == []


def test_the_new_release_that_does_not_suit_its_own_schema(
    project: DjangoProject, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite, and no database yet: the old release's migrations make it."""
    commit(project)
    monkeypatch.chdir(project.directory)
    inner = "migrations.RemoveField('customer', 'name')"
    project.migration("0002_unmap", f"migrations.SeparateDatabaseAndState(state_operations=[{inner}])")
    project.write(
        "shop/models.py",
        WITHOUT.replace("name = models.CharField(max_length=60)", "vat = models.CharField(max_length=20, null=True)"),
    )
    code, answer = rehearse(capsys)
    (seen,) = answer["rehearsal"]
    assert (code, seen["new_code"], seen["old_code"]) == (4, "breaks", "ok"), seen
    assert {f["model"] for f in seen["failures"] if f["release"] == "new"} == {"shop.Customer"}
    assert not list(Path(project.directory).glob("*.sqlite3"))
