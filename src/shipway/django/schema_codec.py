"""Tables, columns, operations and migrations, from the records of a probe and back into a manifest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import TypeVar, cast, get_args

from shipway.core.migration import Migration, Operation, Scope
from shipway.core.schema import (
    Changed,
    Column,
    Constraint,
    ConstraintKind,
    DefaultKind,
    GeneratedKind,
    Table,
    TableChange,
)
from shipway.django.report import Json
from shipway.django.strict import Node, as_pair

T = TypeVar("T")
_FLAGS = ("null", "fills", "identity", "primary", "unique", "index", "enforced", "cascades")
_TEXTS = ("type", "kind", "field", "check", "collation", "comment")


def parse_column(value: object, path: str) -> Column:
    """Return a column. Raises Malformed."""
    node = Node(value, path)
    return Column(
        name=node.text("name"),
        default=cast("DefaultKind", node.choice("default", get_args(DefaultKind), "none")),
        generated=cast("GeneratedKind", node.choice("generated", get_args(GeneratedKind), "")),
        target=as_pair(node.raw("target"), path) if "target" in node else None,
        **{name: node.text(name) for name in _TEXTS},  # type: ignore[arg-type]
        **{name: node.flag(name) for name in _FLAGS},  # type: ignore[arg-type]
    )


def parse_constraint(value: object, path: str) -> Constraint:
    """Return a constraint. Raises Malformed."""
    node = Node(value, path)
    return Constraint(
        name=node.text("name"),
        kind=cast("ConstraintKind", node.choice("kind", get_args(ConstraintKind), "check")),
        columns=node.texts("columns"),
        needs=node.texts("needs"),
        partial=node.flag("partial"),
        expression=node.flag("expression"),
        supported=node.flag("supported", default=True),
        valid=node.flag("valid", default=True),
        definition=node.text("definition"),
    )


def parse_table(name: str, value: object, path: str) -> Table:
    """Return a table. Raises Malformed."""
    node = Node(value, path)
    columns = {column.name: column for column in node.each("columns", parse_column)}
    constraints = {one.name: one for one in node.each("constraints", parse_constraint)}
    return Table(name, node.text("model"), node.text("relation"), columns, constraints)


def parse_schema(node: Node, name: str) -> dict[str, Table]:
    """Return the tables under `name`. Raises Malformed."""
    return {table: parse_table(table, value, f"{node.path}.{name}.{table}") for table, value in node.items(name)}


def _changed_column(value: object, path: str) -> Changed[Column]:
    before, after = _two(value, path)
    return Changed(
        parse_column(before, path) if before is not None else None,
        parse_column(after, path) if after is not None else None,
    )


def _changed_constraint(value: object, path: str) -> Changed[Constraint]:
    before, after = _two(value, path)
    return Changed(
        parse_constraint(before, path) if before is not None else None,
        parse_constraint(after, path) if after is not None else None,
    )


def _two(value: object, path: str) -> tuple[object, object]:
    node = Node({"pair": value}, path)
    before, after = node.each("pair", lambda part, _: part)
    return before, after


def parse_change(value: object, path: str) -> TableChange:
    """Return a change of a table. Raises Malformed."""
    node = Node(value, path)
    table = node.text("table")
    return TableChange(
        table=table,
        created=parse_table(table, node.raw("created"), path) if "created" in node else None,
        dropped=node.flag("dropped"),
        was=node.text("was"),
        columns=node.each("columns", _changed_column),
        constraints=node.each("constraints", _changed_constraint),
        comment=node.flag("comment"),
    )


def parse_operation(value: object, path: str) -> Operation:
    """Return an operation. Raises Malformed."""
    node = Node(value, path)
    return Operation(
        name=node.text("name"),
        kind=node.text("kind"),
        scope=cast("Scope", node.choice("scope", get_args(Scope), "both")),
        model=node.text("model"),
        field=node.text("field"),
        custom=node.flag("custom"),
        noop=node.flag("noop"),
        reversible=node.flag("reversible"),
        sql=node.texts("sql"),
        digest=node.text("digest"),
        changes=node.each("changes", parse_change),
        stage=node.text("stage"),
    )


def parse_migration(value: object, path: str) -> Migration:
    """Return a migration. Raises Malformed."""
    node = Node(value, path)
    return Migration(
        key=as_pair(node.raw("key"), f"{path}.key"),
        operations=node.each("operations", parse_operation),
        dependencies=node.each("dependencies", as_pair),
        replaces=node.each("replaces", as_pair),
        initial=node.flag("initial"),
        atomic=node.flag("atomic", default=True),
        digest=node.text("digest"),
        package=node.text("package"),
        file=node.text("file"),
        declared=node.mapping("declared"),
    )


def render_column(column: Column) -> dict[str, Json]:
    """Return a column as a record, what is usual left out."""
    return _lean(column, Column(column.name))


def render_constraint(one: Constraint) -> dict[str, Json]:
    """Return a constraint as a record."""
    return _lean(one, Constraint(one.name, "check")) | {"kind": one.kind}


def render_table(table: Table) -> dict[str, Json]:
    """Return a table as a record, without its name."""
    body: dict[str, Json] = {"model": table.model, "columns": [render_column(c) for c in table.columns.values()]}
    if table.relation:
        body["relation"] = table.relation
    if table.constraints:
        body["constraints"] = [render_constraint(c) for c in table.constraints.values()]
    return body


def render_change(change: TableChange) -> dict[str, Json]:
    """Return a change of a table as a record."""
    body: dict[str, Json] = {"table": change.table}
    if change.created is not None:
        body["created"] = render_table(change.created)
    body |= {name: value for name in ("dropped", "was", "comment") if (value := getattr(change, name))}
    if change.columns:
        body["columns"] = [_pair(c, render_column) for c in change.columns]
    if change.constraints:
        body["constraints"] = [_pair(c, render_constraint) for c in change.constraints]
    return body


def _pair(changed: Changed[T], render: Callable[[T], dict[str, Json]]) -> Json:
    return [render(one) if one is not None else None for one in (changed.before, changed.after)]


def render_operation(operation: Operation) -> dict[str, Json]:
    """Return an operation as a record. The text of SQL is left out: it may hold anything; its digest stands for it."""
    body = _lean(operation, Operation(operation.name, ""), skip=("sql", "changes"))
    body["reversible"] = operation.reversible
    if operation.changes:
        body["changes"] = [render_change(change) for change in operation.changes]
    return body


def render_migration(migration: Migration) -> dict[str, Json]:
    """Return a migration as a record, without the path of its file."""
    body = _lean(migration, Migration(migration.key), skip=("operations", "file", "key"))
    return body | {"key": list(migration.key), "operations": [render_operation(o) for o in migration.operations]}


def _lean(value: object, usual: object, skip: tuple[str, ...] = ()) -> dict[str, Json]:
    body: dict[str, Json] = {}
    for one in fields(value):  # type: ignore[arg-type]
        found = getattr(value, one.name)
        if one.name in skip or (one.name != "name" and found == getattr(usual, one.name)):
            continue
        body[one.name] = _plain(found)
    return body


def _plain(value: object) -> Json:
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    return cast("Json", value)
