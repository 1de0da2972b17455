"""What the SQL of a RunSQL does, as far as its text tells: changes of tables, changes of rows, or unknown.

Only statements that are understood whole are believed; everything else is `opaque`, and a person is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from shipway.core.schema import Changed, Constraint, Schema, Table, TableChange, apply_changes
from shipway.migrations.sql_clauses import added_column, added_rule, change_of_clause, name_of, skip, without
from shipway.migrations.sql_split import in_parentheses, split_clauses, split_statements

Effect = Literal["none", "change", "data", "empties", "opaque"]

_HARMLESS = frozenset({"set", "reset", "analyze", "vacuum", "comment", "grant", "show", "begin", "commit"})
_ROWS = frozenset({"update", "insert", "delete", "merge", "copy", "with", "replace", "select", "call", "do"})
_HARMLESS_OBJECTS = frozenset({"view", "extension", "sequence", "schema", "collation", "statistics", "materialized"})


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its effect, the tables it changes and how, and whether it works without blocking writes."""

    effect: Effect
    changes: tuple[TableChange, ...] = ()
    concurrently: bool = False
    verb: str = ""


def read_sql(texts: tuple[str, ...], schema: Schema) -> tuple[Statement, ...]:
    """Return the statements of `texts` as they would change `schema`."""
    return tuple(_statement(tokens, schema) for text in texts for tokens in split_statements(text))


def _statement(  # noqa: C901, PLR0911  a table of statements
    tokens: tuple[str, ...], schema: Schema
) -> Statement:
    verb, rest = tokens[0], tokens[1:]
    match verb:
        case "alter" if rest[:1] == ("table",):
            return _alter(skip(rest[1:], "if", "exists", "only"), schema)
        case "drop" if rest[:1] == ("table",):
            names = split_clauses(without(skip(rest[1:], "if", "exists"), "cascade", "restrict"))
            return Statement(
                "change", tuple(TableChange(name_of(n)[0], dropped=True) for n in names), verb="drop table"
            )
        case "create" | "drop" if "index" in rest[:3]:
            return _index(verb, tokens, schema)
        case "create" | "drop" if _HARMLESS_OBJECTS & set(rest[:3]):
            return Statement("none" if verb == "create" else "opaque", verb=verb)
        case "create" if "table" in rest[:3]:
            return _created(rest[rest.index("table") + 1 :], schema)
        case "rename" if rest[:1] == ("table",):
            changes = [_table_renamed(clause, schema) for clause in split_clauses(rest[1:])]
            return Statement("change", tuple(changes), verb="rename table")
        case "vacuum" if "full" in rest:
            return Statement("opaque", verb=verb)  # it copies the table, locked
        case "truncate":
            names = split_clauses(without(skip(rest, "table", "only"), "cascade", "restrict"))
            return Statement("empties", tuple(TableChange(name_of(n)[0]) for n in names), verb=verb)
        case _ if verb in _HARMLESS:
            return Statement("none", verb=verb)
        case _ if verb in _ROWS:
            return Statement("data", verb=verb)
        case _:
            return Statement("opaque", verb=verb)


def _created(tokens: tuple[str, ...], schema: Schema) -> Statement:
    """Return a new table with its columns and what it refers to; one that is there already stays as it is."""
    name, rest = name_of(skip(tokens, "if", "not", "exists"))
    if tokens[:1] == ("if",) and name in schema:
        return Statement("none", verb="create table")
    table = Table(name)
    for clause in split_clauses(in_parentheses(rest)[0] if rest[:1] == ("(",) else ()):
        match clause:
            case ("constraint", rule, *more):
                change = added_rule(table, rule, tuple(more))
            case ("foreign" | "check" | "unique" | "exclude", *_):
                change = added_rule(table, " ".join(clause), clause)
            case ("primary" | "like" | "key" | "index" | "period", *_):
                change = None
            case _:
                change = added_column(table, clause)
        table = apply_changes({name: table}, (change,))[name] if change else table
    return Statement("change", (TableChange(name, created=table),), verb="create table")


def _table_renamed(clause: tuple[str, ...], schema: Schema) -> TableChange:
    old, rest = name_of(clause)
    new = name_of(skip(rest, "to"))[0]
    return TableChange(new, created=replace(schema.get(old, Table(old)), name=new), was=old)


def _index(verb: str, tokens: tuple[str, ...], schema: Schema) -> Statement:
    concurrently = "concurrently" in tokens[:5]
    rest = skip(tokens[tokens.index("index") + 1 :], "concurrently", "if", "not", "exists")
    if verb == "drop":
        name = name_of(rest)[0]
        owner = next((t for t in schema.values() if name in t.constraints), None)
        gone = (TableChange(owner.name, constraints=(Changed(owner.constraints[name]),)),) if owner else ()
        return Statement("change" if gone else "none", gone, concurrently, "drop index")
    if "on" not in rest:
        return Statement("opaque", verb="create index")
    name = "" if rest[0] == "on" else rest[0]
    table, after = name_of(skip(rest[rest.index("on") + 1 :], "only"))
    inside, tail = in_parentheses(after)
    columns = tuple(clause[0] for clause in split_clauses(inside) if clause)
    made = Constraint(
        name or f"index:{','.join(columns)}",
        "unique" if "unique" in tokens[:3] else "index",
        columns,
        partial="where" in tail,
        expression="(" in inside,
    )
    change = TableChange(table, constraints=(Changed(None, made),))
    return Statement("change", (change,), concurrently, "create index")


def _alter(tokens: tuple[str, ...], schema: Schema) -> Statement:
    name, rest = name_of(tokens)
    table = schema.get(name, Table(name))
    changes: list[TableChange] = []
    for clause in split_clauses(rest):
        change = change_of_clause(table, clause)
        if change is None:
            return Statement("opaque", verb="alter table")
        changes.append(change)
    return Statement("change", tuple(changes), verb="alter table")
