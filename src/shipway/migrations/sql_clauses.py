"""Clauses of ALTER TABLE and CREATE TABLE: columns and constraints that they make, change and drop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Literal

from shipway.core.schema import Changed, Column, Constraint, Table, TableChange
from shipway.migrations.sql_split import in_parentheses, split_clauses


def skip(tokens: tuple[str, ...], *words: str) -> tuple[str, ...]:
    """Return `tokens` without `words` in front."""
    while tokens and tokens[0] in words:
        tokens = tokens[1:]
    return tokens


def without(tokens: tuple[str, ...], *words: str) -> tuple[str, ...]:
    """Return `tokens` without `words`, wherever they stand."""
    return tuple(token for token in tokens if token not in words)


def name_of(tokens: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return the name that stands first, without its schema, and the tokens after it."""
    if not tokens:
        return "", ()
    if len(tokens) > 2 and tokens[1] == ".":  # noqa: PLR2004  name, dot, name
        return tokens[2], tokens[3:]
    return tokens[0], tokens[1:]


def change_of_clause(  # noqa: C901, PLR0911  a table of clauses
    table: Table, clause: tuple[str, ...]
) -> TableChange | None:
    """Return what one clause of ALTER TABLE changes; None where that is not understood."""
    match clause:
        case ("drop", "constraint", *rest):
            return _dropped_rule(table, name_of(skip(tuple(rest), "if", "exists"))[0])
        case ("drop", "foreign" | "index" | "key" | "primary" | "check" | "partition" | "expression", *_):
            return None
        case ("drop", *rest):
            name = name_of(skip(tuple(rest), "column", "if", "exists"))[0]
            return TableChange(table.name, columns=(Changed(table.columns.get(name, Column(name))),))
        case ("validate", "constraint", name):
            old = table.constraints.get(name, Constraint(name, "check"))
            return TableChange(table.name, constraints=(Changed(old, replace(old, valid=True)),))
        case ("add", "constraint", name, *rest):
            return added_rule(table, name, tuple(rest))
        case ("add", first, *rest) if first not in ("unique", "primary", "check", "foreign", "index", "key", "exclude"):
            return added_column(table, skip((first, *rest), "column", "if", "not", "exists"))
        case ("rename", "to", new):
            return TableChange(new, created=replace(table, name=new), was=table.name)
        case ("rename", *rest):
            return _renamed(table, without(tuple(rest), "column"))
        case ("modify", *rest):
            name, _ = name_of(skip(tuple(rest), "column", "if", "exists"))
            return _defined_anew(table, name, skip(tuple(rest), "column", "if", "exists"))
        case ("change", *rest):
            name, more = name_of(skip(tuple(rest), "column", "if", "exists"))
            return _defined_anew(table, name, more)
        case ("alter", *rest):
            return _altered(table, skip(tuple(rest), "column"))
        case _:
            return None


def _renamed(table: Table, words: tuple[str, ...]) -> TableChange | None:
    match words:
        case (old, "to", new):
            column = table.columns.get(old, Column(old))
            return TableChange(table.name, columns=(Changed(column), Changed(None, replace(column, name=new))))
        case _:
            return None


def _defined_anew(table: Table, name: str, words: tuple[str, ...]) -> TableChange | None:
    """Return the column `name` of MySQL's MODIFY and CHANGE, whose whole definition `words` are."""
    added = added_column(table, words)
    new = added.columns[0].after if added else None
    if new is None:
        return None
    kind = "".join(words[1 : words.index(")", 1) + 1]) if words[2:3] == ("(",) and ")" in words else new.type
    old = table.columns.get(name, Column(name, null=True))
    new = replace(old, name=new.name, type=kind, null=new.null, default=new.default)
    if new.name == name:
        return TableChange(table.name, columns=(Changed(old, new),))
    return TableChange(table.name, columns=(Changed(old), Changed(None, new)))


def _altered(table: Table, words: tuple[str, ...]) -> TableChange | None:
    name, rest = name_of(words)
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


def added_column(table: Table, words: tuple[str, ...]) -> TableChange | None:
    """Return the column that a definition in SQL makes."""
    name, rest = name_of(words)
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
    table, rest = name_of(words[words.index("references") + 1 :])
    inside, _ = in_parentheses(rest) if rest[:1] == ("(",) else ((), ())
    return table, inside[0] if inside else "id"


def added_rule(table: Table, name: str, words: tuple[str, ...]) -> TableChange | None:
    """Return the constraint `name` that a definition in SQL makes."""
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
