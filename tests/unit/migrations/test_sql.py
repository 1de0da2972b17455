"""The text of SQL: what is understood, and that nothing else is believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipway.core.schema import Changed, Column, Constraint, Table
from shipway.migrations.sql import read_sql
from shipway.migrations.sql_split import split_statements

SHOP = Table(
    "shop_room",
    columns={"a": Column("a", "integer", null=True), "b": Column("b", "varchar(9)")},
    constraints={"ck": Constraint("ck", "check", ("a",)), "ix": Constraint("ix", "index", ("b",))},
)
EFFECTS = [
    ("", ()),
    ("-- only a comment", ()),
    ("SET lock_timeout = '2s'; ANALYZE shop_room", ("none", "none")),
    ("update shop_room set a = 1; /* ; */ INSERT INTO x VALUES (';')", ("data", "data")),
    ("WITH x AS (SELECT 1) DELETE FROM shop_room", ("data",)),
    ("DO $$ BEGIN; DELETE FROM x; END $$;", ("data",)),
    ("TRUNCATE TABLE shop_room", ("empties",)),
    ("CREATE OR REPLACE VIEW v AS SELECT 1", ("none",)),
    ("DROP VIEW v", ("opaque",)),
    ("CREATE FUNCTION f() RETURNS int AS $x$ SELECT 1; $x$ LANGUAGE sql", ("opaque",)),
    ("ALTER TABLE shop_room ALTER COLUMN a TYPE bigint USING a::bigint", ("opaque",)),
    ("ALTER TABLE shop_room DROP FOREIGN KEY fk", ("opaque",)),
    ("ALTER TABLE shop_room DROP COLUMN a, DO SOMETHING ELSE", ("opaque",)),
    ("ALTER TABLE shop_room OWNER TO joe", ("opaque",)),
    ("ALTER TYPE mood ADD VALUE 'happy'", ("opaque",)),
    ("REVOKE SELECT ON shop_room FROM joe", ("opaque",)),
    ("VACUUM FULL shop_room; VACUUM shop_room", ("opaque", "none")),
    ("CREATE TABLE IF NOT EXISTS shop_room (x int)", ("none",)),
    ("CREATE TABLE IF NOT EXISTS shop_bed (x int)", ("change",)),
    ("RENAME TABLE shop_room TO shop_cell", ("change",)),
    ("CREATE INDEX CONCURRENTLY i ON shop_room (a)", ("change",)),
    ("ALTER TABLE IF EXISTS ONLY public.shop_room DROP COLUMN IF EXISTS a CASCADE", ("change",)),
]


@pytest.mark.parametrize(("text", "effects"), EFFECTS, ids=[text for text, _ in EFFECTS])
def test_effects(text: str, effects: tuple[str, ...]) -> None:
    assert tuple(s.effect for s in read_sql((text,), {"shop_room": SHOP})) == effects


CHANGED = [
    ("DROP COLUMN a", "a", None),
    ('drop "a"', "a", None),
    ("ADD COLUMN c integer NOT NULL", None, Column("c", "integer")),
    ("ADD c text DEFAULT 'x; y' NOT NULL", None, Column("c", "text", default="constant")),
    ("ADD c uuid NOT NULL DEFAULT gen_random_uuid()", None, Column("c", "uuid", default="volatile")),
    ("ADD c timestamptz NOT NULL DEFAULT now()", None, Column("c", "timestamptz", default="now")),
    (
        "ADD c bigint REFERENCES shop_bed (id)",
        None,
        Column("c", "bigint", null=True, target=("shop_bed", "id"), enforced=True),
    ),
    ("MODIFY b varchar(30) NOT NULL", "b", Column("b", "varchar(30)")),
    ("MODIFY COLUMN b bigint NULL DEFAULT 3", "b", Column("b", "bigint", null=True, default="constant")),
    ("ALTER b DROP NOT NULL", "b", Column("b", "varchar(9)", null=True)),
    ("ALTER COLUMN b SET DEFAULT 'x'", "b", Column("b", "varchar(9)", default="constant")),
    ("ALTER b TYPE varchar(20)", "b", Column("b", "varchar(20)")),
]


@pytest.mark.parametrize(("clause", "before", "after"), CHANGED, ids=[clause for clause, *_ in CHANGED])
def test_columns(clause: str, before: str | None, after: Column | None) -> None:
    (statement,) = read_sql((f"ALTER TABLE shop_room {clause};",), {"shop_room": SHOP})
    assert statement.changes[0].columns == (Changed(SHOP.columns[before] if before else None, after),)


def test_rules() -> None:
    texts = (
        "ALTER TABLE shop_room ADD CONSTRAINT c2 CHECK (a > 0) NOT VALID",
        "ALTER TABLE shop_room VALIDATE CONSTRAINT ck",
        "ALTER TABLE shop_room DROP CONSTRAINT ck",
        "ALTER TABLE shop_room ADD CONSTRAINT u UNIQUE USING INDEX ix",
        "CREATE UNIQUE INDEX u2 ON shop_room (a) WHERE b = 'x'",
    )
    rules = [s.changes[0].constraints[0] for s in read_sql(texts, {"shop_room": SHOP})]
    assert (rules[0].after.kind, rules[0].after.valid, rules[0].after.columns) == ("check", False, ("a",))
    assert rules[2] == Changed(SHOP.constraints["ck"], None)
    assert (rules[3].after.kind, rules[3].after.name) == ("unique", "u")
    assert (rules[4].after.kind, rules[4].after.partial, rules[4].after.columns) == ("unique", True, ("a",))


def test_a_column_that_change_renames() -> None:
    (statement,) = read_sql(("ALTER TABLE shop_room CHANGE COLUMN b title varchar(9) NOT NULL",), {"shop_room": SHOP})
    gone, made = statement.changes[0].columns
    assert (gone, made) == (Changed(SHOP.columns["b"]), Changed(None, Column("title", "varchar(9)")))


def test_a_table_with_what_it_refers_to() -> None:
    text = "CREATE TABLE x (a int PRIMARY KEY, b int REFERENCES shop_room, c int, FOREIGN KEY (c) REFERENCES y (z))"
    (statement,) = read_sql((text,), {})
    made = statement.changes[0].created
    assert [(c.name, c.target) for c in made.foreign_keys()] == [("b", ("shop_room", "id")), ("c", ("y", "z"))]


@given(st.text(alphabet="ALTERDROPtable ();,.'\"$-/*`[]_a1\n", max_size=120))
def test_no_text_is_too_strange(text: str) -> None:
    for statement in split_statements(text):
        assert statement
    for prefix in ("", "ALTER TABLE shop_room ", "CREATE INDEX ", "ALTER TABLE shop_room ADD "):
        read_sql((prefix + text,), {"shop_room": SHOP})
