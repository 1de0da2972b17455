"""A database schema as Django's own code meets it: columns, constraints, tables, and changes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, Literal, TypeVar

DefaultKind = Literal["none", "constant", "now", "volatile"]
"""A default in the database: none, one value, the time, or an expression that gives each row another value."""
GeneratedKind = Literal["", "stored", "virtual"]
ConstraintKind = Literal["unique", "check", "exclude", "index"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    `type` is the database's own word for it (`varchar(60)`, "" when unknown), `kind` Django's (`CharField`), `field`
    the name in the model. `fills`: Django gives new rows a value from Python, which the database does not know.
    `target` is the (table, column) that a foreign key refers to; `enforced`: the database guards it; `cascades`: the
    database itself deletes or empties what refers to a deleted row. `check` is the text of the column's own check.
    """

    name: str
    type: str = ""
    kind: str = ""
    field: str = ""
    null: bool = False
    default: DefaultKind = "none"
    fills: bool = False
    identity: bool = False
    generated: GeneratedKind = ""
    primary: bool = False
    unique: bool = False
    index: bool = False
    target: tuple[str, str] | None = None
    enforced: bool = False
    cascades: bool = False
    check: str = ""
    collation: str = ""
    comment: str = ""

    @property
    def fills_itself(self) -> bool:
        """Whether the database accepts a new row that does not name this column."""
        return self.null or self.default != "none" or self.identity or bool(self.generated)


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint or index of a table that is more than an attribute of one column.

    `needs` are columns that must not be NULL for a row to pass. `partial`: only rows that fulfil a condition are
    looked at. `expression`: it stands on expressions as well as columns. `supported`: this database has such a thing
    (where not, Django makes nothing and says nothing). `valid`: rows that were there before have been checked.
    """

    name: str
    kind: ConstraintKind
    columns: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    partial: bool = False
    expression: bool = False
    supported: bool = True
    valid: bool = True
    definition: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One table. `model` is `app.Model`; `relation` is the field whose automatic many-to-many table this is."""

    name: str
    model: str = ""
    relation: str = ""
    columns: Mapping[str, Column] = field(default_factory=dict)
    constraints: Mapping[str, Constraint] = field(default_factory=dict)

    def foreign_keys(self) -> tuple[Column, ...]:
        """Return the columns that are foreign keys guarded by the database."""
        return tuple(c for c in self.columns.values() if c.target and c.enforced)


T = TypeVar("T")
Schema = Mapping[str, Table]
"""Tables by name."""


@dataclass(frozen=True, slots=True)
class Changed(Generic[T]):
    """Something before and after; None where it is not there."""

    before: T | None = None
    after: T | None = None


@dataclass(frozen=True, slots=True)
class TableChange:
    """What an operation does to one table: it creates, drops or renames it, or changes columns and constraints.

    `was` is the earlier name of a renamed table; `created` its shape afterwards, as for a new one.
    """

    table: str
    created: Table | None = None
    dropped: bool = False
    was: str = ""
    columns: tuple[Changed[Column], ...] = ()
    constraints: tuple[Changed[Constraint], ...] = ()
    comment: bool = False


def apply_changes(schema: Schema, changes: Iterable[TableChange]) -> dict[str, Table]:
    """Return `schema` after `changes`. A change of a table that is not there is passed over."""
    tables = dict(schema)
    for change in changes:
        if change.created is not None:
            tables[change.table] = _created(change, tables.pop(change.was, None) if change.was else None)
        elif change.dropped:
            tables.pop(change.table, None)
        elif change.table in tables:
            tables[change.table] = _altered(tables[change.table], change)
    return tables


def _created(change: TableChange, before: Table | None) -> Table:
    made = change.created
    if made is None or before is None:
        return made or Table(change.table)
    # A renamed table keeps columns that the models have forgotten.
    gone = {c.before.name for c in change.columns if c.before}
    kept = {name: column for name, column in before.columns.items() if name not in gone}
    return replace(
        made, columns=kept | dict(made.columns), constraints=dict(before.constraints) | dict(made.constraints)
    )


def _altered(table: Table, change: TableChange) -> Table:
    columns, constraints = dict(table.columns), dict(table.constraints)
    for column in change.columns:
        if column.before:
            columns.pop(column.before.name, None)
    columns.update({c.after.name: c.after for c in change.columns if c.after})
    for constraint in change.constraints:
        if constraint.before:
            constraints.pop(constraint.before.name, None)
    constraints.update({c.after.name: c.after for c in change.constraints if c.after})
    return replace(table, columns=columns, constraints=constraints)
