"""A scratch database on a PostgreSQL server: made with the live schema, filled with a sample of rows, removed."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Any

from shipway.django.probe.catalogue import AFTER_ROWS, BEFORE_ROWS, LEFT_OUT, run_all, statements

DUMP_S = 120
WHOLE = ("django_migrations", "django_content_type", "auth_permission", "django_site")
LOCALE = (
    "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = current_database()"
)
KEYS = """
SELECT c.oid::regclass::text, c.relname, (
  SELECT a.attname FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
  WHERE k.conrelid = c.oid AND k.contype = 'p' AND cardinality(k.conkey) = 1)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
COLUMNS = """
SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""
REFERENCES = """
SELECT k.conrelid::regclass::text, a.attname, k.confrelid::regclass::text, b.attname FROM pg_constraint k
JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[1]
WHERE k.contype = 'f' AND cardinality(k.conkey) = 1 AND k.conparentid = 0
"""
NUMBERING = """
SELECT format('SELECT setval(%L, coalesce((SELECT max(%I) FROM %s), 0) + 1, false)',
              pg_get_serial_sequence(c.oid::regclass::text, a.attname), a.attname, c.oid::regclass)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND pg_get_serial_sequence(c.oid::regclass::text, a.attname) IS NOT NULL
"""


def make_postgresql(connection: Any, name: str, rows: int) -> dict[str, Any]:
    """Make the database `name` beside that of `connection`, with its schema. Returns how, and what was left out."""
    connection.set_autocommit(False)
    with connection.cursor() as live:
        live.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        create_database(connection, live, name)
        if rows < 0:
            connection.close()
            return {"by": "", "rows": 0, "notes": []}
        other = connection.copy()
        other.settings_dict["NAME"] = name
        dumped = dump(connection, "pre-data"), dump(connection, "post-data")
        by = "pg_dump" if dumped[0] and dumped[1] else "the catalogue"
        with other.cursor() as scratch:
            live.execute("SHOW search_path")
            path = live.fetchone()[0]
            scratch.execute("SET check_function_bodies = off")
            if by == "pg_dump":
                scratch.execute(dumped[0])
                complaints = []
            else:
                complaints = run_all(scratch, statements(live, BEFORE_ROWS))
            scratch.execute("SELECT set_config('search_path', %s, false)", [path])
            copied = copy_rows(live, scratch, rows)
            for text in statements(scratch, (NUMBERING,)):
                scratch.execute(text)
            if by == "pg_dump":
                scratch.execute(dumped[1])
            else:
                complaints += run_all(scratch, statements(live, AFTER_ROWS))
                live.execute(LEFT_OUT)
                complaints += [f"left out: {row[0]}" for row in live.fetchall()]
        other.close()
    connection.close()
    return {"by": by, "rows": copied, "notes": complaints[:20]}


def create_database(connection: Any, live: Any, name: str) -> None:
    """Create an empty database with the encoding and locale of the live one, else with the server's own."""
    quote = connection.ops.quote_name
    live.execute(LOCALE)
    encoding, collate, kind = (str(part).replace("'", "''") for part in live.fetchone())
    with connection._nodb_cursor() as admin:
        try:
            admin.execute(
                f"CREATE DATABASE {quote(name)} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE '{collate}'"
                f" LC_CTYPE '{kind}'"
            )
        except Exception as error:
            if "permission denied" in str(error):
                raise
            admin.execute(f"CREATE DATABASE {quote(name)}")


def dump(connection: Any, section: str) -> str:
    """Return what pg_dump writes of a section of the schema, "" where there is none or it fails."""
    program = shutil.which("pg_dump")
    if program is None:
        return ""
    args, env = connection.client.settings_to_cmd_args_env(connection.settings_dict, [])
    flags = ("--schema-only", "--no-owner", "--no-privileges", "--no-tablespaces", f"--section={section}")
    try:
        ran = subprocess.run(
            [program, *flags, "--no-publications", "--no-subscriptions", "--no-security-labels", *args[1:]],
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=DUMP_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    if ran.returncode:
        return ""
    # Newer ones write commands of psql, and settings that an older server does not know.
    lines = ran.stdout.decode("utf-8", "replace").splitlines()
    return "\n".join(line for line in lines if not line.startswith(("\\", "SET transaction_timeout", "SET idle_")))


def copy_rows(live: Any, scratch: Any, rows: int) -> int:
    """Copy Django's own tables whole, and up to `rows` rows of each other with all that they refer to; count those."""
    live.execute(KEYS)
    tables = live.fetchall()
    keys = {table: key for table, _, key in tables}
    chosen: dict[str, Any] = {table: None for table, name, _ in tables if name in WHOLE}
    if rows > 0:
        live.execute(REFERENCES)
        chosen.update(choose(live, {t: k for t, k in keys.items() if k and t not in chosen}, live.fetchall(), rows))
    copied = {table: copy_table(live, scratch, table, keys[table], chosen[table]) for table in chosen}
    return sum(number for table, number in copied.items() if chosen[table] is not None)


def choose(live: Any, keys: dict[str, str], references: Any, rows: int) -> dict[str, set[str]]:
    """Return the keys (as text) of the rows to copy: the first of each table, and those that they refer to."""
    chosen: dict[str, set[str]] = {}
    for table, key in keys.items():
        live.execute(f"SELECT {quoted(key)}::text FROM {table} ORDER BY {quoted(key)} LIMIT %s", [rows])
        chosen[table] = {row[0] for row in live.fetchall()}
    waiting = [(table, set(chosen[table])) for table in keys]
    while waiting:
        table, fresh = waiting.pop()
        for child, column, parent, target in references:
            if child != table or parent not in keys or keys[parent] != target or not fresh:
                continue
            live.execute(
                f"SELECT DISTINCT {quoted(column)}::text FROM {table} WHERE {quoted(keys[table])}::text = ANY(%s)"
                f" AND {quoted(column)} IS NOT NULL",
                [sorted(fresh)],
            )
            more = {row[0] for row in live.fetchall()} - chosen[parent]
            if more:
                chosen[parent] |= more
                waiting.append((parent, more))
    return chosen


def copy_table(live: Any, scratch: Any, table: str, key: Any, chosen: Any) -> int:
    """Copy rows by COPY, which needs no Python type. `chosen` None: all."""
    live.execute(COLUMNS, [table])
    columns = live.fetchone()[0]
    if chosen is not None and not chosen:
        return 0
    where = ""
    if chosen is not None:
        texts = ", ".join("'" + one.replace("'", "''") + "'" for one in sorted(chosen))
        where = f" WHERE {quoted(key)}::text IN ({texts})"
    data = copy_out(live.cursor, f"COPY (SELECT {columns} FROM {table}{where}) TO STDOUT")
    copy_in(scratch.cursor, f"COPY {table} ({columns}) FROM STDIN", data)
    return data.count(b"\n")


def copy_out(cursor: Any, text: str) -> bytes:
    """Return what COPY … TO STDOUT gives, with psycopg 3 or 2."""
    if hasattr(cursor, "copy"):
        with cursor.copy(text) as copy:
            return b"".join(bytes(piece) for piece in copy)
    import io

    file = io.BytesIO()
    cursor.copy_expert(text, file)
    return file.getvalue()


def copy_in(cursor: Any, text: str, data: bytes) -> None:
    """Give `data` to COPY … FROM STDIN, with psycopg 3 or 2."""
    if hasattr(cursor, "copy"):
        with cursor.copy(text) as copy:
            copy.write(data)
        return
    import io

    cursor.copy_expert(text, io.BytesIO(data))


def quoted(name: str) -> str:
    """Return a quoted name."""
    return '"' + name.replace('"', '""') + '"'
