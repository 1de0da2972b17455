"""Asking a database, read-only: whether it answers, what is applied, how big tables are."""

from __future__ import annotations

import os
from typing import Any

CHARSET_BYTES = {"utf8mb4": 4, "utf8mb3": 3, "utf8": 3, "latin1": 1, "ascii": 1, "ucs2": 2, "utf16": 4, "utf32": 4}
MAX_COUNTED_ROWS = 1_000_001

PG_SIZES = """
SELECT c.relname, c.relkind, greatest(c.reltuples, coalesce(s.n_live_tup, 0) * 1.0), c.reltuples,
       coalesce(s.n_live_tup, 0), pg_relation_size(c.oid), pg_total_relation_size(c.oid)
FROM pg_class c LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
WHERE c.relkind = 'r' AND NOT c.relispartition AND pg_table_is_visible(c.oid)
  AND c.relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema'))
UNION ALL
SELECT c.relname, c.relkind, sum(greatest(l.reltuples, 0)), min(l.reltuples), 0,
       sum(pg_relation_size(l.oid)), sum(pg_total_relation_size(l.oid))
FROM pg_class c, pg_partition_tree(c.oid) t JOIN pg_class l ON l.oid = t.relid
WHERE c.relkind = 'p' AND t.isleaf AND pg_table_is_visible(c.oid)
GROUP BY c.relname, c.relkind
"""


def prepare_environment(seconds: float) -> str:
    """Make every PostgreSQL session of this process read-only, with limits of time. Before settings are loaded.

    Returns what PGOPTIONS was.
    """
    before = os.environ.get("PGOPTIONS", "")
    options = f"-c default_transaction_read_only=on -c statement_timeout={int(seconds * 1000)}"
    os.environ["PGOPTIONS"] = f"{before} {options}".strip()
    os.environ.setdefault("PGCONNECT_TIMEOUT", "5")
    return before


def make_read_only(connection: Any = None, **_: Any) -> None:
    """Make a session read-only: a receiver of Django's `connection_created`, which comes before any query of ours.

    PostgreSQL is told by PGOPTIONS. Where that did not arrive (settings with `OPTIONS["options"]` silently win, a
    pooler refuses it), one read-only transaction is used and never committed: a SET of the session would stay behind
    in a pooler, for the site's own connections to find.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SHOW default_transaction_read_only")
            if cursor.fetchone()[0] != "on":
                connection.set_autocommit(False)
                cursor.execute("SET TRANSACTION READ ONLY")
        elif connection.vendor == "mysql":
            cursor.execute("SET SESSION TRANSACTION READ ONLY")
        elif connection.vendor == "sqlite":
            cursor.execute("PRAGMA query_only = ON")


def open_database(connection: Any, seconds: float, may_connect: bool) -> str:
    """Connect, and return the version of the server. Raises what Django raises, and FileNotFoundError for SQLite."""
    if not may_connect:
        raise ConnectionError("no database was asked for")
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        name = str(settings.get("NAME") or "")
        path = name[5:].split("?", maxsplit=1)[0] if name.startswith("file:") else name
        if ":memory:" in name or "mode=memory" in name:
            raise FileNotFoundError("the database is in memory: a new one is empty")
        if not os.path.exists(path):
            raise FileNotFoundError(f"there is no file {path}")
    elif connection.vendor == "mysql":
        settings.setdefault("OPTIONS", {}).setdefault("connect_timeout", max(1, int(seconds)))
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT sqlite_version()")
        elif connection.vendor == "postgresql":
            cursor.execute("SHOW server_version")
        else:
            cursor.execute("SELECT VERSION()")
        return str(cursor.fetchone()[0])


def pretend_server(connection: Any) -> None:
    """Give a MySQL backend that cannot reach its server what it needs to name column types."""
    if connection.vendor == "mysql":
        connection.__dict__["mysql_server_data"] = {
            "version": "8.0.36",
            "sql_mode": "STRICT_TRANS_TABLES",
            "default_storage_engine": "InnoDB",
            "sql_auto_is_null": False,
            "lower_case_table_names": 0,
            "has_zoneinfo_database": True,
        }


def vendor_of(connection: Any, version: str) -> str:
    """Return Django's word for the kind of server, with MariaDB told from MySQL."""
    return "mariadb" if connection.vendor == "mysql" and "mariadb" in version.lower() else str(connection.vendor)


def char_bytes(connection: Any) -> int:
    """Return how many bytes a character of a new column may take. Known for MySQL; 4 elsewhere."""
    if connection.vendor != "mysql":
        return 4
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@character_set_database")
        return CHARSET_BYTES.get(str(cursor.fetchone()[0]), 4)


def table_sizes(connection: Any) -> dict[str, list[int]]:
    """Return [rows, bytes] of each table, as the server estimates them; -1 is unknown."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(PG_SIZES)
            return {row[0]: [pg_rows(row), int(row[6] or 0)] for row in cursor.fetchall()}
        if connection.vendor == "mysql":
            cursor.execute(
                "SELECT table_name, table_rows, data_length + index_length FROM information_schema.tables"
                " WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'"
            )
            return {str(t): [number(rows), number(size)] for t, rows, size in cursor.fetchall()}
        if connection.vendor == "sqlite":
            return sqlite_sizes(connection, cursor)
    return {}


def pg_rows(row: Any) -> int:
    """Return the rows of a line of PG_SIZES: `reltuples` is -1 for a table that was never analysed."""
    _, _, most, estimate, counted, size, _ = row
    if estimate is not None and estimate < 0 and not counted:
        return 0 if not size else -1
    return int(most or 0)


def sqlite_sizes(connection: Any, cursor: Any) -> dict[str, list[int]]:
    """Return [rows, -1] of each table, counted up to a limit."""
    quote = connection.ops.quote_name
    sizes = {}
    for table in connection.introspection.table_names(cursor):
        cursor.execute(f"SELECT count(*) FROM (SELECT 1 FROM {quote(table)} LIMIT {MAX_COUNTED_ROWS})")
        sizes[table] = [int(cursor.fetchone()[0]), -1]
    return sizes


def number(value: Any) -> int:
    """Return `value` as an integer; -1 for NULL."""
    return -1 if value is None else int(value)
