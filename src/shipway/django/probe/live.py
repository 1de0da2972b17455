"""The schema that a database really has, as plain records."""

from __future__ import annotations

from typing import Any

PG_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
       a.atthasdef AND a.attgenerated = '', a.attidentity <> '', a.attgenerated::text,
       pg_get_expr(d.adbin, d.adrelid)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
  AND pg_table_is_visible(c.oid)
  AND c.relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema'))
ORDER BY c.relname, a.attnum
"""
PG_CONSTRAINTS = """
SELECT c.relname, n.conname, n.contype::text, n.convalidated,
       ARRAY(SELECT a.attname::text FROM unnest(n.conkey) WITH ORDINALITY k(num, pos)
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.num ORDER BY k.pos),
       f.relname, n.confdeltype::text,
       ARRAY(SELECT a.attname::text FROM unnest(n.confkey) WITH ORDINALITY k(num, pos)
             JOIN pg_attribute a ON a.attrelid = f.oid AND a.attnum = k.num ORDER BY k.pos)
FROM pg_constraint n JOIN pg_class c ON c.oid = n.conrelid LEFT JOIN pg_class f ON f.oid = n.confrelid
WHERE n.contype IN ('u', 'c', 'x', 'f') AND c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid)
  AND c.relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema'))
"""
PG_INVALID = """
SELECT c.relname, i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_class c ON c.oid = x.indrelid WHERE NOT x.indisvalid AND pg_table_is_visible(c.oid)
"""
MYSQL_COLUMNS = """
SELECT table_name, column_name, column_type, is_nullable = 'YES', column_default IS NOT NULL,
       extra LIKE '%%auto_increment%%', extra, column_default
FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position
"""
CASCADING = ("c", "n", "d")  # ON DELETE CASCADE, SET NULL, SET DEFAULT in pg_constraint.confdeltype


def live_schema(connection: Any) -> dict[str, Any]:
    """Return {table: {"columns": [...], "constraints": [...]}} of what the connection sees."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            return pg_schema(cursor)
        if connection.vendor == "mysql":
            cursor.execute(MYSQL_COLUMNS)
            rows = [(*row[:6], "s" if "GENERATED" in str(row[6]).upper() else "", row[7]) for row in cursor.fetchall()]
            # MariaDB writes the default of a nullable column without one as the text NULL.
            return columns_by_table([(*r[:4], bool(r[4]) and str(r[7]) != "NULL", *r[5:]) for r in rows])
        if connection.vendor == "sqlite":
            return sqlite_schema(connection, cursor)
    return {}


def columns_by_table(rows: Any) -> dict[str, Any]:
    """Return tables from rows of (table, column, type, null, has default, identity, generated, default)."""
    tables: dict[str, Any] = {}
    for table, name, kind, null, has_default, identity, generated, _default in rows:
        record: dict[str, Any] = {"name": str(name), "type": str(kind)}
        if null:
            record["null"] = True
        if has_default:
            record["default"] = "constant"
        if identity:
            record["identity"] = True
        if generated:
            record["generated"] = "virtual" if generated == "v" else "stored"
        tables.setdefault(str(table), {"columns": [], "constraints": []})["columns"].append(record)
    return tables


def pg_schema(cursor: Any) -> dict[str, Any]:
    """Return the schema of a PostgreSQL database; a default that draws from a sequence counts as identity."""
    cursor.execute(PG_COLUMNS)
    rows = [(*r[:5], r[5] or str(r[7] or "").startswith("nextval("), *r[6:]) for r in cursor.fetchall()]
    tables = columns_by_table(rows)
    cursor.execute(PG_CONSTRAINTS)
    for table, name, kind, valid, columns, target, on_delete, target_columns in cursor.fetchall():
        if table not in tables:
            continue
        if kind == "f":
            foreign_key(tables[table], columns, target, target_columns, on_delete in CASCADING)
        else:
            word = {"u": "unique", "c": "check", "x": "exclude"}[kind]
            found = {"name": name, "kind": word, "columns": list(columns), "valid": bool(valid)}
            tables[table]["constraints"].append(found)
    return tables


def foreign_key(table: Any, columns: Any, target: Any, target_columns: Any, cascades: bool) -> None:
    """Write a foreign key of one column into the record of that column."""
    for record in table["columns"]:
        if list(columns) == [record["name"]] and target_columns:
            record.update({"target": [target, target_columns[0]], "enforced": True, "cascades": cascades})


def invalid_indexes(connection: Any) -> list[list[str]]:
    """Return [table, index] for each index that an interrupted concurrent build left behind."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(PG_INVALID)
        return [[str(table), str(index)] for table, index in cursor.fetchall()]


def sqlite_schema(connection: Any, cursor: Any) -> dict[str, Any]:
    """Return the schema of an SQLite database."""
    rows: list[Any] = []
    for table in connection.introspection.table_names(cursor):
        cursor.execute(f"PRAGMA table_xinfo({connection.ops.quote_name(table)})")
        for _cid, name, kind, not_null, default, primary, hidden in cursor.fetchall():
            generated = {2: "v", 3: "s"}.get(hidden, "")
            identity = bool(primary) and str(kind).lower() == "integer"
            rows.append((table, name, kind, not not_null, default is not None, identity, generated, default))
    return columns_by_table(rows)
