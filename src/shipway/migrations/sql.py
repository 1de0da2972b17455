"""What the SQL of a RunSQL does, as far as its text tells: changes of tables, changes of rows, or unknown.

Only statements that are understood whole are believed; everything else is `opaque`, and a person is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from shipway.core.schema import Changed, Column, Constraint, Schema, Table, TableChange
from shipway.migrations.sql_split import in_parentheses, split_clauses, split_statements

Effect = Literal["none", "change", "data", "empties", "opaque"]

_HARMLESS = frozenset({"set", "reset", "analyze", "vacuum", "comment", "grant", "revoke", "show", "begin", "commit"})
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


def _statement(  # noqa: PLR0911  a table of statements
    tokens: tuple[str, ...], schema: Schema
) -> Statement:
    verb, rest = tokens[0], tokens[1:]
    match verb:
        case "alter" if rest[:1] == ("table",):
            return _alter(_skip(rest[1:], "if", "exists", "only"), schema)
        case "drop" if rest[:1] == ("table",):
            names = split_clauses(_without(_skip(rest[1:], "if", "exists"), "cascade", "restrict"))
            return Statement("change", tuple(TableChange(_name(n)[0], dropped=True) for n in names), verb="drop table")
        case "create" | "drop" if "index" in rest[:3]:
            return _index(verb, tokens, schema)
        case "create" | "drop" if _HARMLESS_OBJECTS & set(rest[:3]):
            return Statement("none" if verb == "create" else "opaque", verb=verb)
        case "create" if "table" in rest[:2]:
            name = _name(_skip(rest[rest.index("table") + 1 :], "if", "not", "exists"))[0]
            return Statement("change", (TableChange(name, created=Table(name)),), verb="create table")
        case "truncate":
            names = split_clauses(_without(_skip(rest, "table", "only"), "cascade", "restrict"))
            return Statement("empties", tuple(TableChange(_name(n)[0]) for n in names), verb=verb)
        case _ if verb in _HARMLESS:
            return Statement("none", verb=verb)
        case _ if verb in _ROWS:
            return Statement("data", verb=verb)
        case _:
            return Statement("opaque", verb=verb)


def _skip(tokens: tuple[str, ...], *words: str) -> tuple[str, ...]:
    while tokens and tokens[0] in words:
        tokens = tokens[1:]
    return tokens


def _without(tokens: tuple[str, ...], *words: str) -> tuple[str, ...]:
    return tuple(token for token in tokens if token not in words)


def _name(tokens: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return the name that stands first, without its schema, and the tokens after it."""
    if not tokens:
        return "", ()
    if len(tokens) > 2 and tokens[1] == ".":  # noqa: PLR2004  name, dot, name
        return tokens[2], tokens[3:]
    return tokens[0], tokens[1:]


def _index(verb: str, tokens: tuple[str, ...], schema: Schema) -> Statement:
    concurrently = "concurrently" in tokens[:5]
    rest = _skip(tokens[tokens.index("index") + 1 :], "concurrently", "if", "not", "exists")
    if verb == "drop":
        name = _name(rest)[0]
        owner = next((t for t in schema.values() if name in t.constraints), None)
        gone = (TableChange(owner.name, constraints=(Changed(owner.constraints[name]),)),) if owner else ()
        return Statement("change" if gone else "none", gone, concurrently, "drop index")
    if "on" not in rest:
        return Statement("opaque", verb="create index")
    name = "" if rest[0] == "on" else rest[0]
    table, after = _name(_skip(rest[rest.index("on") + 1 :], "only"))
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
    name, rest = _name(tokens)
    table = schema.get(name, Table(name))
    changes: list[TableChange] = []
    for clause in split_clauses(rest):
        change = _clause(table, clause)
        if change is None:
            return Statement("opaque", verb="alter table")
        changes.append(change)
    return Statement("change", tuple(changes), verb="alter table")


def _clause(  # noqa: PLR0911  a table of clauses
    table: Table, clause: tuple[str, ...]
) -> TableChange | None:
    match clause:
        case ("drop", "constraint", *rest):
            return _dropped_rule(table, _name(_skip(tuple(rest), "if", "exists"))[0])
        case ("drop", "foreign" | "index" | "key" | "primary" | "check" | "partition" | "expression", *_):
            return None
        case ("drop", *rest):
            name = _name(_skip(tuple(rest), "column", "if", "exists"))[0]
            return TableChange(table.name, columns=(Changed(table.columns.get(name, Column(name))),))
        case ("validate", "constraint", name):
            old = table.constraints.get(name, Constraint(name, "check"))
            return TableChange(table.name, constraints=(Changed(old, replace(old, valid=True)),))
        case ("add", "constraint", name, *rest):
            return _added_rule(table, name, tuple(rest))
        case ("add", first, *rest) if first not in ("unique", "primary", "check", "foreign", "index", "key", "exclude"):
            return _added_column(table, _skip((first, *rest), "column", "if", "not", "exists"))
        case ("rename", "to", new):
            return TableChange(new, created=replace(table, name=new), was=table.name)
        case ("rename", *rest):
            return _renamed(table, _without(tuple(rest), "column"))
        case ("alter", *rest):
            return _altered(table, _skip(tuple(rest), "column"))
        case _:
            return None


def _renamed(table: Table, words: tuple[str, ...]) -> TableChange | None:
    match words:
        case (old, "to", new):
            column = table.columns.get(old, Column(old))
            return TableChange(table.name, columns=(Changed(column), Changed(None, replace(column, name=new))))
        case _:
            return None


def _altered(table: Table, words: tuple[str, ...]) -> TableChange | None:
    name, rest = _name(words)
    old = table.columns.get(name, Column(name, null=True))
    match rest:
        case ("set", "not", "null"):
            new = replace(old, null=False)
        case ("drop", "not", "null"):
            new = replace(old, null=True)
        case ("set", "default", *_):
            new = replace(old, default="constant")
        case ("drop", "default"):
            new = replace(old, default="none")
        case ("type", *kind) | ("set", "data", "type", *kind) if "using" not in kind:
            new = replace(old, type=_type_text(kind))
        case _:
            return None
    return TableChange(table.name, columns=(Changed(old, new),))


def _type_text(words: list[str]) -> str:
    return " ".join(words).replace(" (", "(").replace("( ", "(").replace(" )", ")")


def _added_column(table: Table, words: tuple[str, ...]) -> TableChange | None:
    name, rest = _name(words)
    if not rest:
        return None
    pairs = set(pairwise(rest))
    target = _target(rest)
    column = Column(
        name,
        type=rest[0],
        null=("not", "null") not in pairs and ("primary", "key") not in pairs,
        default=_default_of(rest),
        identity="identity" in rest or "serial" in rest[0] or "auto_increment" in rest,
        generated="stored" if "stored" in rest else "virtual" if ("always", "as") in pairs else "",
        unique="unique" in rest,
        target=target,
        enforced=target is not None,
        cascades="cascade" in rest,
        check="check" if "check" in rest else "",
    )
    return TableChange(table.name, columns=(Changed(None, column),))


def _default_of(words: tuple[str, ...]) -> Literal["none", "constant", "now", "volatile"]:
    if "default" not in words:
        return "none"
    after = words[words.index("default") + 1 :]
    if after[:1] in (("now",), ("current_timestamp",), ("current_date",)):
        return "now"
    return "volatile" if after[1:2] == ("(",) else "constant"


def _target(words: tuple[str, ...]) -> tuple[str, str] | None:
    if "references" not in words:
        return None
    table, rest = _name(words[words.index("references") + 1 :])
    inside, _ = in_parentheses(rest) if rest[:1] == ("(",) else ((), ())
    return table, inside[0] if inside else "id"


def _added_rule(table: Table, name: str, words: tuple[str, ...]) -> TableChange | None:
    valid = ("not", "valid") not in set(pairwise(words))
    inside, rest = in_parentheses(words)
    match words[:1]:
        case ("check",):
            columns = tuple(dict.fromkeys(word for word in inside if word in table.columns))
            rule = Constraint(name, "check", columns or tuple(table.columns), valid=valid, definition=name)
        case ("unique",) if "using" not in words:
            rule = Constraint(name, "unique", tuple(c[0] for c in split_clauses(inside)))
        case ("unique",):
            index = table.constraints.get(words[-1])
            if index is None:
                return None
            rule = replace(index, name=name, kind="unique")
        case ("exclude",):
            rule = Constraint(name, "exclude", tuple(w for w in inside if w in table.columns), definition=name)
        case ("foreign",):
            old = table.columns.get(inside[0] if inside else "", Column(inside[0] if inside else ""))
            target = _target(rest)
            new = replace(old, target=target, enforced=True, cascades="cascade" in rest)
            return TableChange(table.name, columns=(Changed(old, new),)) if target else None
        case _:
            return None
    return TableChange(table.name, constraints=(Changed(None, rule),))


def _dropped_rule(table: Table, name: str) -> TableChange:
    return TableChange(table.name, constraints=tuple(_rules_named(table, name)))


def _rules_named(table: Table, name: str) -> Iterator[Changed[Constraint]]:
    yield Changed(table.constraints.get(name, Constraint(name, "check", definition=name)))
