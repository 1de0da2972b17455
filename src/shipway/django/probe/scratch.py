"""Scratch databases: one for each database that a project's aliases name, made, found and removed."""

from __future__ import annotations

import os
import re
import sqlite3
from typing import Any

from shipway.django.probe.scratch_postgresql import make_postgresql

PREFIX = "shipway_rehearsal_"
NAME = re.compile(r"shipway_rehearsal_(\d{8}t\d{6})_[0-9a-f]{8}(_\d+)?")
MYSQL_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = %s"
DJANGO_TABLES = ("django_migrations", "django_content_type", "auth_permission", "django_site")


def plan_names(base: str, directory: str) -> dict[str, str]:
    """Return the name of a scratch database for each alias; aliases of one database share one, others get "".

    An SQLite file is copied into `directory`; "": two releases have no directory in common, and it gets none.
    """
    from django.db import connections

    names: dict[str, str] = {}
    seen: dict[Any, str] = {}
    for alias in connections:
        one = connections.settings[alias]
        try:
            vendor = connections[alias].vendor
        except Exception:
            names[alias] = ""
            continue
        place = tuple(str(one.get(key) or "") for key in ("ENGINE", "HOST", "PORT", "NAME"))
        if place not in seen:
            name = f"{base}_{len(seen)}" if seen else base
            known = vendor in ("postgresql", "mysql") or (vendor == "sqlite" and bool(directory))
            seen[place] = (os.path.join(directory, name) if vendor == "sqlite" else name) if known else ""
        names[alias] = seen[place]
    return names


def make(names: dict[str, str], rows: int, explain_error: Any) -> dict[str, Any]:
    """Make the scratch databases, empty ones where `rows` is -1. Returns for each alias how, or the error."""
    from django.db import connections

    made: dict[str, Any] = {}
    for alias, name in names.items():
        twin = next((a for a in made if names[a] == name), None)
        if not name:
            made[alias] = {"error": {"message": "no scratch database can be made on a server of this kind"}}
        elif twin is not None:
            made[alias] = {**made[twin], "twin": twin}
        else:
            try:
                made[alias] = {"name": name, **BY_VENDOR[connections[alias].vendor](connections[alias], name, rows)}
            except Exception as error:
                made[alias] = {"name": name, "error": explain_error(error)}
    return made


def drop(names: dict[str, str], explain_error: Any) -> dict[str, Any]:
    """Remove the scratch databases that are there. Returns for each alias whose was not removed the error."""
    from django.db import connections

    failed = {}
    for alias, name in names.items():
        base = os.path.basename(name)
        if not NAME.fullmatch(base):
            continue
        try:
            connection = connections[alias]
            if connection.vendor == "sqlite":
                if os.path.exists(name):
                    os.remove(name)
                continue
            drop_one(connection, name)
        except Exception as error:
            failed[alias] = explain_error(error)
    return failed


def drop_one(connection: Any, name: str) -> None:
    """Remove a scratch database of a server, whoever is still in it: a process of ours that was cut short."""
    quoted = connection.ops.quote_name(name)
    with connection._nodb_cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SHOW server_version_num")
            if int(cursor.fetchone()[0]) >= 130000:
                cursor.execute(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)")
                return
            cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        cursor.execute(f"DROP DATABASE IF EXISTS {quoted}")


def leftovers(names: dict[str, str]) -> list[list[str]]:
    """Return [alias, name, when] of scratch databases that earlier rehearsals left on the servers."""
    from django.db import connections

    found: dict[str, list[str]] = {}
    for alias in names:
        try:
            connection = connections[alias]
            if connection.vendor == "postgresql":
                query = "SELECT datname FROM pg_database WHERE datname LIKE %s"
            elif connection.vendor == "mysql":
                query = "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE %s"
            else:
                continue
            with connection.cursor() as cursor:
                cursor.execute(query, [PREFIX.replace("_", "\\_") + "%"])
                for (name,) in cursor.fetchall():
                    told = NAME.fullmatch(str(name))
                    if told and name not in names.values():
                        found[str(name)] = [alias, str(name), told.group(1)]
        except Exception:
            continue
    return sorted(found.values())


def make_sqlite(connection: Any, name: str, rows: int) -> dict[str, Any]:
    """Copy an SQLite file whole; without rows only what its tables are, and Django's own rows."""
    path = str(connection.settings_dict["NAME"])
    if rows < 0 or ":memory:" in path or path.startswith("file:") or not os.path.exists(path):
        return {"by": "", "rows": 0, "notes": []}
    live, scratch = sqlite3.connect(f"file:{path}?mode=ro", uri=True), sqlite3.connect(name)
    try:
        if rows:
            live.backup(scratch)
            return {"by": "a copy of the file", "rows": -1, "notes": []}
        texts = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
        for kind in ("table", "index", "view", "trigger"):
            for one, table, text in live.execute(texts).fetchall():
                if one != kind:
                    continue
                scratch.execute(text)
                if table in DJANGO_TABLES:
                    found = live.execute(f'SELECT * FROM "{table}"').fetchall()
                    marks = ", ".join("?" * len(found[0])) if found else ""
                    scratch.executemany(f'INSERT INTO "{table}" VALUES ({marks})', found)
        scratch.commit()
    finally:
        live.close()
        scratch.close()
    return {"by": "its own statements", "rows": 0, "notes": []}


def make_mysql(connection: Any, name: str, rows: int) -> dict[str, Any]:
    """Make a MySQL or MariaDB database from what SHOW CREATE TABLE says."""
    quote = connection.ops.quote_name
    notes = ["rows are not copied on this server"] if rows > 0 else []
    with connection.cursor() as live:
        live.execute("SELECT @@character_set_database, @@collation_database")
        charset, collation = live.fetchone()
        live.execute(MYSQL_TABLES, ["BASE TABLE"])
        tables = [row[0] for row in live.fetchall()] if rows >= 0 else []
        live.execute(MYSQL_TABLES, ["VIEW"])
        notes += [f"left out: the view {row[0]}" for row in live.fetchall()]
        texts = []
        for table in tables:
            live.execute(f"SHOW CREATE TABLE {quote(table)}")
            texts.append(live.fetchone()[1])
        source = connection.settings_dict["NAME"]
        with connection._nodb_cursor() as admin:
            admin.execute(f"CREATE DATABASE {quote(name)} CHARACTER SET {charset} COLLATE {collation}")
        other = connection.copy()
        other.settings_dict["NAME"] = name
        with other.cursor() as scratch:
            scratch.execute("SET foreign_key_checks = 0")
            for text in texts:
                scratch.execute(text)
            for table in DJANGO_TABLES:
                if table in tables:
                    scratch.execute(f"INSERT INTO {quote(table)} SELECT * FROM {quote(source)}.{quote(table)}")
        other.close()
    return {"by": "SHOW CREATE TABLE" if tables else "", "rows": 0, "notes": notes}


BY_VENDOR: dict[str, Any] = {"postgresql": make_postgresql, "sqlite": make_sqlite, "mysql": make_mysql}
