"""Plays models and a migration, given as source, through the probe's own walk; no database and no project."""

import functools
import importlib.machinery
import itertools
import json
import sys
import types
from dataclasses import replace

import django
from django.apps import apps as registry
from django.conf import settings
from django.db import connections, migrations, models
from django.db.migrations.state import ModelState, ProjectState
from django.test.utils import isolate_apps

from shipway.core.migration import Database
from shipway.django.probe.columns import Naming, tables_of
from shipway.django.probe.common import Answer
from shipway.django.probe.walk import Walker
from shipway.django.schema_codec import parse_migration
from shipway.migrations.verdict import Verdict, judge

ENGINES = {
    "postgresql": "django.db.backends.postgresql",
    "mariadb": "django.db.backends.mysql",
    "mysql": "django.db.backends.mysql",
    "sqlite": "django.db.backends.sqlite3",
}


class Quiet(Answer):
    """An answer that goes nowhere."""

    def __init__(self) -> None:
        self.secrets: list[str] = []


LOADER = types.SimpleNamespace(graph=types.SimpleNamespace(node_map={}))


@functools.cache
def prepare() -> None:
    """Configure Django once for this process, with one alias per vendor."""
    import pymysql

    pymysql.version_info = (2, 2, 1, "final", 0)
    pymysql.install_as_MySQLdb()
    module = types.ModuleType("shop")
    module.__path__ = ["/nonexistent"]
    module.__spec__ = importlib.machinery.ModuleSpec("shop", None, is_package=True)
    sys.modules["shop"] = module
    if not settings.configured:
        settings.configure(
            SECRET_KEY="of no use",
            USE_TZ=True,
            INSTALLED_APPS=["shop"],
            DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
            DATABASES={"default": {}, **{v: {"ENGINE": engine, "NAME": "none"} for v, engine in ENGINES.items()}},
        )
        django.setup()


def connection_for(vendor: str):
    prepare()
    connection = connections[vendor]
    if vendor in ("mariadb", "mysql"):
        connection.__dict__["mysql_server_data"] = {
            "version": "10.11.19-MariaDB" if vendor == "mariadb" else "8.0.36",
            "sql_mode": "STRICT_TRANS_TABLES",
            "default_storage_engine": "InnoDB",
            "sql_auto_is_null": False,
            "lower_case_table_names": 0,
            "has_zoneinfo_database": True,
        }
        connection.features.__dict__["minimum_database_version"] = (1,)
    return connection


@functools.cache
def state_of(source: str) -> ProjectState:
    """Return the state of models given as source; they belong to the app `shop`."""
    state = ProjectState()
    with isolate_apps("shop"):
        space = {"__name__": "shop.models", "models": models}
        exec(source, space)  # noqa: S102  cases are source
        for value in list(space.values()):
            if isinstance(value, type) and issubclass(value, models.Model) and not value._meta.abstract:
                state.add_model(ModelState.from_model(value))
    return state


def migration_of(source: str) -> migrations.Migration:
    """Return the migration that a whole module, or only a list of operations, is the source of."""
    space = {"migrations": migrations, "models": models, "Q": models.Q, "F": models.F, "__name__": "shop.migrations"}
    if "class Migration" not in source:
        imports = "from django.contrib.postgres import operations as pgops\n" if "pgops." in source else ""
        body = "\n    ".join(source.strip().splitlines())
        head = "" if body.startswith(("operations", "atomic", "shipway", "safe", "stage")) else "operations = ["
        source = f"{imports}class Migration(migrations.Migration):\n    {head}{body}{']' if head else ''}\n"
    exec(source, space)  # noqa: S102  cases are source
    return space["Migration"]("0002_change", "shop")


def database_of(vendor: str, before: str, *sources: str, **more) -> Database:
    """Return the database whose walk is an initial migration with `before`, then one migration per source."""
    connection = connection_for(vendor)
    state = state_of(before).clone()
    naming = Naming(connection)
    tables = {name: t for model in state.models.values() for name, t in tables_of(model, state, naming).items()}
    created = [{"table": name, "created": table} for name, table in tables.items()]
    initial = {"key": ["shop", "0001_initial"], "initial": True, "operations": [
        {"name": "CreateModel", "kind": "CreateModel", "reversible": True, "changes": created}]}  # fmt: skip
    walker = Walker(connection, state, Quiet())
    records = [initial]
    for number, source in enumerate(sources, 2):
        migration = migration_of(source)
        migration.name = f"000{number}_change"
        records.append(walker.migration(migration, LOADER))
    for earlier, record in itertools.pairwise(records):
        record["dependencies"] = [earlier["key"]]
    walk = tuple(parse_migration(json.loads(json.dumps(record)), "walk") for record in records)
    applied = frozenset({("shop", "0001_initial")})
    database = Database("default", vendor, walk=walk, applied=applied, django=django.VERSION[:2])
    return replace(database, **more)


def verdict_on(vendor: str, before: str, source: str, **more) -> Verdict:
    """Return the verdict on one migration."""
    (verdict,) = judge(database_of(vendor, before, source, **more))
    return verdict


__all__ = ["connection_for", "database_of", "migration_of", "prepare", "registry", "state_of", "verdict_on"]
