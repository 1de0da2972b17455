"""Reads a table of each database, and writes to one in a transaction that is rolled back."""

from __future__ import annotations

import os
import time
from datetime import datetime
from typing import Any

LONG_AGO = datetime(2000, 1, 1)  # noqa: DTZ001  made aware where the project's times are


def try_databases(options: dict[str, Any], tried: Any) -> list[dict[str, Any]]:
    """Return what each database alias answers; one to which no model of the project is written is only read."""
    from django.db import connections

    written = written_aliases()
    wanted = options["databases"] or list(connections)
    return [tried(alias, lambda a=alias: try_database(a, a in written and options["write"])) for alias in wanted]


def written_aliases() -> set[str]:
    """Return the aliases that the project's own routers choose for writes: a replica is none of them."""
    from django.apps import apps
    from django.db import router

    models = [one for one in apps.get_models() if one._meta.managed]
    return {str(router.db_for_write(one)) for one in models} or {"default"}


def try_database(alias: str, writes: bool) -> dict[str, Any]:
    """Return how long a read, and where it is wanted a write, took. Raises what Django raises."""
    from django.db import connections

    connection = connections[alias]
    if str(connection.settings_dict.get("ENGINE") or "").endswith(".dummy"):  # what Django makes of no DATABASES
        return {"skipped": "no database is configured"}
    facts: dict[str, Any] = {"vendor": str(connection.vendor), "wrote": False}
    refuse_new_file(connection)
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchall()
        model = a_model(alias, connection, cursor)
        if model is not None:
            quote = connection.ops.quote_name
            facts["table"] = model._meta.db_table
            cursor.execute(f"SELECT {quote(model._meta.pk.column)} FROM {quote(facts['table'])} WHERE 1 = 0")
            cursor.fetchall()
    facts["read_ms"] = int((time.monotonic() - began) * 1000)
    if writes and model is not None:
        began = time.monotonic()
        write_and_forget(alias, connection, model)
        facts["wrote"], facts["write_ms"] = True, int((time.monotonic() - began) * 1000)
    return facts


def refuse_new_file(connection: Any) -> None:
    """Raise where connecting would only make an empty SQLite file."""
    name = str(connection.settings_dict.get("NAME") or "")
    is_file = connection.vendor == "sqlite" and name and ":memory:" not in name and not name.startswith("file:")
    if is_file and not os.path.exists(name):
        raise FileNotFoundError(f"there is no file {name}")


def a_model(alias: str, connection: Any, cursor: Any) -> Any:
    """Return a model whose table is there: that of sessions, to which every visitor writes, or else another one."""
    from django.apps import apps
    from django.db import router

    there = set(connection.introspection.table_names(cursor))
    found = [one for one in apps.get_models() if one._meta.managed and one._meta.db_table in there]
    found = [one for one in found if getattr(one._meta.pk, "column", None) and router.allow_migrate_model(alias, one)]
    order = ("sessions.session", "contenttypes.contenttype")
    return min(
        found, key=lambda m: order.index(m._meta.label_lower) if m._meta.label_lower in order else 9, default=None
    )


def write_and_forget(alias: str, connection: Any, model: Any) -> None:
    """Write to the table of `model` by SQL of our own, so that no signal of the project is sent, and take it back."""
    from django.db import transaction

    with transaction.atomic(using=alias):
        with connection.cursor() as cursor:
            if model._meta.label_lower == "sessions.session":
                write_session(connection, cursor, model)
            else:
                touch_a_row(connection, cursor, model)
        transaction.set_rollback(True, using=alias)


def write_session(connection: Any, cursor: Any, model: Any) -> None:
    """Insert a session that ended long ago, read it, delete it."""
    quote = connection.ops.quote_name
    table, key = quote(model._meta.db_table), "shipway" + os.urandom(12).hex()
    names = ", ".join(quote(model._meta.get_field(n).column) for n in ("session_key", "session_data", "expire_date"))
    then = connection.ops.adapt_datetimefield_value(aware(LONG_AGO))
    cursor.execute(f"INSERT INTO {table} ({names}) VALUES (%s, %s, %s)", [key, "", then])
    cursor.execute(f"SELECT count(*) FROM {table} WHERE {quote('session_key')} = %s", [key])
    if cursor.fetchone()[0] != 1:
        raise RuntimeError("a row that was written could not be read")
    # A table without transactions (MyISAM) would keep it.
    cursor.execute(f"DELETE FROM {table} WHERE {quote('session_key')} = %s", [key])


def aware(moment: datetime) -> Any:
    """Return `moment` as the project's fields want it."""
    from django.conf import settings
    from django.utils import timezone

    return timezone.make_aware(moment) if settings.USE_TZ else moment


def touch_a_row(connection: Any, cursor: Any, model: Any) -> None:
    """Give the first row the key that it has; a table that is empty is only asked whether it may be written."""
    quote = connection.ops.quote_name
    table, key = quote(model._meta.db_table), quote(model._meta.pk.column)
    cursor.execute(f"SELECT min({key}) FROM {table}")
    cursor.execute(f"UPDATE {table} SET {key} = {key} WHERE {key} = %s", [cursor.fetchone()[0]])
