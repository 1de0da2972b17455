"""The probe and the verdict against a real PostgreSQL."""

import contextlib
import itertools
from collections.abc import Callable, Iterator

import psycopg
import pytest

from shipway.core.migration import Size
from shipway.migrations.findings import find
from shipway.migrations.plan import Base
from shipway.migrations.verdict import judge
from tests.contract.host import eventually
from tests.contract.migrations.django_project import DjangoProject
from tests.contract.migrations.postgres import postgres

Sql = Callable[..., list[tuple[object, ...]]]
numbers = itertools.count()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as socket:
        yield socket


@pytest.fixture
def sql(server: str, project: DjangoProject) -> Sql:
    """Connects the project to a new database with its migration applied; runs a statement in it."""
    name = f"shop{next(numbers)}"
    with psycopg.connect(host=server, user="postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    project.settings(
        f"""
        DATABASES = {{"default": {{"ENGINE": "django.db.backends.postgresql", "NAME": "{name}", "USER": "postgres",
            "HOST": "{server}", "OPTIONS": {{"options": "-c search_path=public"}}}}}}
        """
    )
    project.manage("migrate", "-v0")

    def run(statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(host=server, user="postgres", dbname=name, autocommit=True) as connection:
            done = connection.execute(statement)
            return done.fetchall() if done.description else []

    return run


def test_what_is_there_is_seen_and_nothing_drifts(project: DjangoProject, sql: Sql) -> None:
    database = project.report().databases["default"].database
    assert (database.vendor, database.error, database.version[:2].isdigit()) == ("postgresql", "", True)
    live = database.live["shop_room_guests"].columns["room_id"]
    assert (live.target, live.enforced, live.null) == (("shop_room", "id"), True, False)
    assert database.live["shop_customer"].columns["id"].identity
    assert find(database, None) == ()
    assert judge(database) == ()


def test_a_size_that_nobody_counted_is_unknown(project: DjangoProject, sql: Sql) -> None:
    sql("INSERT INTO shop_customer (name) SELECT 'n' FROM generate_series(1, 5000)")

    def is_forgotten() -> bool:
        # The session that inserted reports its count when it ends, which may be after a first reset.
        sql("SELECT pg_stat_reset()")
        return project.report().databases["default"].database.sizes["shop_customer"].rows == -1

    eventually(is_forgotten)
    sizes = project.report().databases["default"].database.sizes
    assert sizes["shop_customer"].bytes > 100_000
    assert sizes["shop_room"].rows == 0
    sql("ANALYZE shop_customer")
    assert project.report().databases["default"].database.sizes["shop_customer"].rows == 5000


def test_a_partitioned_table_is_as_big_as_its_parts(project: DjangoProject, sql: Sql) -> None:
    sql("CREATE TABLE parted (id int) PARTITION BY RANGE (id)")
    sql("CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (9999)")
    sql("INSERT INTO parted SELECT generate_series(1, 3000)")
    sql("ANALYZE parted")
    found = project.report().databases["default"].database
    assert found.sizes["parted"].rows == 3000
    assert found.sizes.get("parted_1", Size()) == Size()


def test_the_session_is_read_only_whatever_the_settings_say(project: DjangoProject, sql: Sql) -> None:
    project.write(
        "shop/cache.py",
        """
        from django.core.cache.backends.dummy import DummyCache
        class Writer(DummyCache):
            def get(self, *args, **kwargs):
                from shop.models import Customer
                Customer.objects.create(name="written")
        """,
    )
    settings = (project.directory / "conf/settings.py").read_text()
    project.write("conf/settings.py", settings + '\nCACHES = {"default": {"BACKEND": "shop.cache.Writer"}}\n')
    report = project.report(want=("databases", "caches"))
    assert "read-only" in report.caches["default"]
    assert sql("SELECT count(*) FROM shop_customer") == [(0,)]


def test_a_column_that_was_left_behind(project: DjangoProject, sql: Sql) -> None:
    sql("ALTER TABLE shop_customer ADD COLUMN legacy integer")
    project.migration(
        "0002_drop",
        "migrations.SeparateDatabaseAndState(database_operations=["
        "migrations.RunSQL('ALTER TABLE shop_customer DROP COLUMN legacy')])",
    )
    (verdict,) = judge(project.report().databases["default"].database)
    assert (verdict.old_code, verdict.code_rollback, verdict.cls) == ("ok", "allowed", "destructive")
    assert verdict.reversal == "no"


def test_what_was_done_by_hand_is_found(project: DjangoProject, sql: Sql) -> None:
    sql("ALTER TABLE shop_customer DROP COLUMN vat, ADD COLUMN taxed boolean NOT NULL")
    database = project.report().databases["default"].database
    assert [f.code for f in find(database, None)] == ["migrations.drift", "migrations.drift"]


def test_an_interrupted_index_is_found(project: DjangoProject, sql: Sql) -> None:
    sql("INSERT INTO shop_customer (name) VALUES ('same'), ('same')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        sql("CREATE UNIQUE INDEX CONCURRENTLY broken_ix ON shop_customer (name)")
    assert project.report().databases["default"].invalid_indexes == (("shop_customer", "broken_ix"),)


def test_a_database_that_is_ahead_of_the_code(project: DjangoProject, sql: Sql) -> None:
    sql("INSERT INTO django_migrations (app, name, applied) VALUES ('shop', '0009_from_elsewhere', now())")
    database = project.report().databases["default"].database
    assert [f.code for f in find(database, None)] == ["migrations.unknown"]


CHANGES = {
    "migrations.AddField('customer', 'x', models.IntegerField(db_default=1))": ("ok", True),
    "migrations.AddField('customer', 'x', models.IntegerField(default=1))": ("breaks", False),
    "migrations.AddField('customer', 'x', models.ForeignKey('shop.room', models.CASCADE, null=True))": (
        "conditional",
        True,
    ),
    "migrations.RenameField('customer', 'name', 'title')": ("breaks", False),
    "migrations.RunSQL('ALTER TABLE shop_customer ALTER COLUMN vat SET NOT NULL')": ("conditional", False),
}


@pytest.mark.parametrize(("change", "old_code", "inserts"), [(c, *e) for c, e in CHANGES.items()], ids=CHANGES)
def test_the_verdict_comes_true(project: DjangoProject, sql: Sql, change: str, old_code: str, *, inserts: bool) -> None:
    """What an INSERT of the old release does on the new schema is what the verdict said of it."""
    before = project.report().databases["default"]
    project.migration("0002_change", change)
    (verdict,) = judge(project.report().databases["default"].database)
    assert verdict.old_code == old_code
    project.manage("migrate", "-v0")
    with contextlib.nullcontext() if inserts else pytest.raises(psycopg.Error):
        sql("INSERT INTO shop_customer (name, vat) VALUES ('a', NULL)")
    # Asked again with the old release named, the answer is the same although the database has the migration now.
    base = Base("old", before.disk, before.database.footprint)
    (again,) = judge(project.report().databases["default"].database, base)
    assert (again.old_code, again.code_rollback, again.cls) == (verdict.old_code, verdict.code_rollback, verdict.cls)
