"""An operation in, its effects out: what its class, its changes and its SQL say together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shipway.core.migration import Operation
from shipway.core.schema import Changed, Constraint, Schema, TableChange, apply_changes
from shipway.migrations.effect import Effect, Setting
from shipway.migrations.effects_columns import column_added, column_altered, column_dropped, column_renamed
from shipway.migrations.effects_tables import rule_changed, table_created, table_dropped, table_renamed
from shipway.migrations.sql import read_sql

_RENAMING = frozenset({"RenameModel", "RenameField", "AlterField", "AlterModelTable"})
_QUIET = frozenset(
    {"AlterModelOptions", "AlterModelManagers", "AlterConstraint", "CreateExtension", "CreateCollation",
     "RemoveCollation", "AlterModelTableComment"}
)  # fmt: skip


def schema_after(schema: Schema, operation: Operation) -> Schema:
    """Return the database's schema after `operation`, its SQL included as far as it is understood."""
    if operation.scope == "state" or operation.noop:
        return schema
    after: Schema = apply_changes(schema, operation.changes) if operation.changes else schema
    if operation.kind == "RunSQL":
        for statement in read_sql(operation.sql, schema):
            after = apply_changes(after, statement.changes)
    return after


def state_after(state: Schema, operation: Operation) -> Schema:
    """Return the schema that the models expect after `operation`."""
    return state if operation.scope == "db" or not operation.changes else apply_changes(state, operation.changes)


def operation_effects(operation: Operation, at: Setting) -> tuple[Effect, ...]:
    """Return what `operation` does to the database, in the setting where it runs."""
    if operation.scope == "state" or operation.noop:
        return ()
    if operation.kind == "RunPython":
        reversal = "yes" if operation.reversible else "no"
        return (Effect("run_python", cls="data migration", delta="opaque", reversal=reversal),)  # type: ignore[arg-type]
    if operation.kind == "RunSQL":
        return (*_sql_effects(operation, at), *([_unknown(operation)] if operation.custom else ()))
    found = [effect for change in operation.changes for effect in _change_effects(change, at, operation.kind)]
    if operation.kind == "ValidateConstraint" and not found:
        found = [Effect("validate", _table_of(operation, at), operation.field, "safe-with-care")]
    if operation.kind == "RenameIndex":
        found = [Effect("rename_index", operation.model, operation.field)]
    if operation.custom or (not operation.kind and not operation.changes):
        found.append(_unknown(operation))
    elif operation.kind in _QUIET:
        found = found or [Effect("quiet", operation.model, operation.name)]
    return tuple(found)


def _unknown(operation: Operation) -> Effect:
    return Effect("unknown_operation", operation.model, operation.name, "needs-approval", "opaque")


def _table_of(operation: Operation, at: Setting) -> str:
    return next((t.name for t in at.schema.values() if t.model.lower().endswith(f".{operation.model.lower()}")), "")


def _change_effects(change: TableChange, at: Setting, kind: str) -> Iterator[Effect]:
    if change.was:
        yield from table_renamed(at, change)
    elif change.created is not None:
        yield from table_created(at, change.created)
        return
    elif change.dropped:
        yield from table_dropped(at, change.table)
        return
    here = replace(at, schema={**at.schema, change.table: at.schema[change.was]}) if change.was in at.schema else at
    yield from _column_effects(change, here, kind)
    for rule in _rules_changed(change):
        yield from rule_changed(here, change.table, rule.before, rule.after, kind)


def _rules_changed(change: TableChange) -> Iterator[Changed[Constraint]]:
    """Yield the constraints that came or went, without those that only follow a column to its new name."""
    gone = [c.before.name for c in change.columns if c.before and not c.after]
    made = [c.after.name for c in change.columns if c.after and not c.before]
    names = dict(zip(gone, made, strict=False))
    moved = {
        (rule.before.kind, tuple(names.get(c, c) for c in rule.before.columns))
        for rule in change.constraints
        if rule.before and not rule.after
    }
    added = {(rule.after.kind, rule.after.columns) for rule in change.constraints if rule.after and not rule.before}
    for rule in change.constraints:
        one = rule.after or rule.before
        columns = tuple(names.get(c, c) for c in one.columns) if one else ()
        follows = one is not None and (one.kind, columns) in moved & added and bool(names)
        if not follows:
            yield rule


def _column_effects(change: TableChange, at: Setting, kind: str) -> Iterator[Effect]:
    gone = [c.before for c in change.columns if c.before and not c.after]
    made = [c.after for c in change.columns if c.after and not c.before]
    if len(gone) == len(made) and (kind in _RENAMING or _is_rename_in_sql(change, kind)):
        for before, after in zip(gone, made, strict=True):
            yield from column_renamed(at, change.table, before, after)
    else:
        for column in gone:
            yield from column_dropped(at, change.table, column)
        for column in made:
            yield from column_added(at, change.table, column)
    for pair in change.columns:
        if pair.before and pair.after:
            yield from column_altered(at, change.table, pair.before, pair.after)


def _is_rename_in_sql(change: TableChange, kind: str) -> bool:
    """Whether a change read from SQL is RENAME COLUMN: that alone takes and makes a column in one clause."""
    return kind == "RunSQL" and len(change.columns) == 2  # noqa: PLR2004  one gone, one made


def _sql_effects(operation: Operation, at: Setting) -> Iterator[Effect]:
    back = "yes" if operation.reversible else "no"
    for statement in read_sql(operation.sql, at.schema):
        kind = "AddIndexConcurrently" if statement.concurrently else "RunSQL"
        if statement.effect == "data":
            yield Effect("run_sql_rows", name=statement.verb, cls="data migration", delta="opaque", reversal=back)  # type: ignore[arg-type]
        elif statement.effect == "opaque":
            yield Effect("run_sql_unknown", name=statement.verb, cls="needs-approval", delta="opaque", reversal=back)  # type: ignore[arg-type]
        elif statement.effect == "empties":
            for change in statement.changes:
                yield Effect("truncate", change.table, cls="destructive", delta="destroys", reversal="no")
        else:
            for change in statement.changes:
                for effect in _change_effects(change, at, kind):
                    yield effect if operation.reversible else replace(effect, reversal="no")
