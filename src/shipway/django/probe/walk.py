"""Walking all migrations in the order of the graph, and telling what each operation does to one database."""

from __future__ import annotations

import hashlib
import inspect
from typing import Any

from shipway.django.probe.columns import Naming, tables_of
from shipway.django.probe.common import Answer
from shipway.django.probe.facts import distribution_of
from shipway.django.probe.own_code import own_code, own_code_record

KINDS = [
    "CreateModel",
    "DeleteModel",
    "RenameModel",
    "AlterModelTable",
    "AlterModelTableComment",
    "AddField",
    "RemoveField",
    "AlterField",
    "RenameField",
    "AlterUniqueTogether",
    "AlterIndexTogether",
    "AlterOrderWithRespectTo",
    "AlterModelOptions",
    "AlterModelManagers",
    "AddIndex",
    "RemoveIndex",
    "RenameIndex",
    "AddIndexConcurrently",
    "RemoveIndexConcurrently",
    "AddConstraint",
    "AddConstraintNotValid",
    "ValidateConstraint",
    "RemoveConstraint",
    "AlterConstraint",
    "RunSQL",
    "RunPython",
    "SeparateDatabaseAndState",
    "CreateExtension",
    "CreateCollation",
    "RemoveCollation",
]
WIDE = ("RenameModel", "RenameField", "AlterField", "AlterModelTable", "")
MAX_SQL = 20_000
DECLARED = ("stage", "safe", "shipway")


class Walker:
    """Plays migrations on one ProjectState and records, operation by operation, which tables change and how."""

    def __init__(self, connection: Any, state: Any, answer: Answer) -> None:
        self.naming = Naming(connection)
        self.state = state
        self.answer = answer
        self.tables = {key: tables_of(model, state, self.naming) for key, model in state.models.items()}

    def migration(self, migration: Any, loader: Any) -> dict[str, Any]:
        """Return the record of a migration, and move the state past it."""
        key = (migration.app_label, migration.name)
        node = loader.graph.node_map.get(key)
        module = inspect.getmodule(type(migration))
        file = getattr(module, "__file__", None) or ""
        names = own_code(migration)
        hidden = [own_code_record(names)] if names else []
        return {
            "key": list(key),
            "dependencies": sorted(list(parent.key) for parent in node.parents) if node else [],
            "replaces": [list(one) for one in migration.replaces],
            "initial": bool(migration.initial),
            "atomic": bool(migration.atomic),
            "digest": file_digest(file),
            "file": file,
            "package": distribution_of(type(migration).__module__) if "site-packages" in file else "",
            "declared": declared(migration),
            "operations": [r for op in migration.operations for r in self.operation(op, migration.app_label, "both")]
            + hidden,
        }

    def operation(self, operation: Any, app_label: str, scope: str) -> list[dict[str, Any]]:
        """Return the records of an operation: several for one that holds others."""
        kind = kind_of(operation)
        if kind == "SeparateDatabaseAndState":
            return self.separate(operation, app_label, scope)
        record = self.describe(operation, kind, scope, app_label)
        if kind == "RunSQL":
            return [{**record, "changes": []}, *self.inside(operation, app_label)]
        return [{**record, "changes": self.changes(operation, app_label, kind)}]

    def inside(self, operation: Any, app_label: str) -> list[dict[str, Any]]:
        """Return the records of a RunSQL's state operations; they move the state, so the RunSQL itself does not.

        In the state half of a SeparateDatabaseAndState they count as well: Django asks for `state_forwards` there.
        """
        return [r for inner in operation.state_operations or () for r in self.operation(inner, app_label, "state")]

    def separate(self, operation: Any, app_label: str, scope: str) -> list[dict[str, Any]]:
        """Return the records of both halves of a SeparateDatabaseAndState.

        Django gives the database half a copy of the state in which only that half has happened.
        """
        records: list[dict[str, Any]] = []
        if scope != "state":
            kept, tables = self.state, self.tables
            self.state, self.tables = kept.clone(), dict(tables)
            for inner in operation.database_operations:
                # The copy is thrown away, so here each operation may move it.
                inside = self.operation(inner, app_label, "both")
                records += [{**r, "scope": "db"} if r["scope"] == "both" else r for r in inside]
            self.state, self.tables = kept, tables
        if scope != "db":
            for inner in operation.state_operations:
                records += self.operation(inner, app_label, "state")
        if is_custom(operation):
            records.append({**self.describe(operation, "", scope, app_label), "changes": []})
        return records

    def changes(self, operation: Any, app_label: str, kind: str) -> list[dict[str, Any]]:
        """Move the state past `operation` and return the changes of tables."""
        wide = kind in WIDE and self.is_wide(operation, app_label, kind)
        keys = set(self.state.models) if wide else set(names_of(operation, app_label))
        before = {k: self.tables.get(k, {}) for k in keys}
        operation.state_forwards(app_label, self.state)
        keys |= set(self.state.models) if wide else set(names_of(operation, app_label))
        after = {k: self.tables_now(k) for k in keys}
        self.tables.update(after)
        old = {name: table for tables in before.values() for name, table in tables.items()}
        new = {name: table for tables in after.values() for name, table in tables.items()}
        # A model that is no longer managed keeps its table, and the code goes on naming it.
        changes = [] if old == new or kind == "AlterModelOptions" else table_changes(old, new)
        return [c for c in changes if not (c.get("dropped") and self.is_held(c["table"]))]

    def is_held(self, table: str) -> bool:
        """Return whether a model still has a table: an explicit `through` may have taken an automatic one over."""
        return any(table in tables for tables in self.tables.values())

    def is_wide(self, operation: Any, app_label: str, kind: str) -> bool:
        """Return whether tables of other models may change too: those that refer to a key that is altered."""
        if kind not in ("AlterField", "RenameField"):
            return True
        name = operation.name if kind == "AlterField" else operation.old_name
        model = self.state.models.get((app_label, operation.model_name.lower()))
        field = model.fields.get(name) if model is not None else None
        return field is None or bool(field.primary_key or getattr(field, "unique", False))

    def tables_now(self, key: Any) -> dict[str, Any]:
        """Return the tables of a model as the state has it now."""
        model = self.state.models.get(key)
        return tables_of(model, self.state, self.naming) if model is not None else {}

    def describe(self, operation: Any, kind: str, scope: str, app_label: str) -> dict[str, Any]:
        """Return what an operation is."""
        record: dict[str, Any] = {
            "name": type(operation).__name__,
            "kind": kind,
            "scope": scope,
            "model": str(getattr(operation, "model_name", "") or getattr(operation, "name", "") or ""),
            "field": field_name(operation, kind),
            "custom": is_custom(operation),
            "noop": self.is_noop(operation, kind, app_label),
            "reversible": bool(getattr(operation, "reversible", False)),
            "stage": stage_of(operation),
        }
        if kind == "RunSQL":
            text = statements(operation.sql)
            record["digest"] = hashlib.sha256("\n".join(text).encode()).hexdigest()[:16]
            record["sql"] = [self.answer.clean(part)[:MAX_SQL] for part in text[:200]]
        return {name: value for name, value in record.items() if value not in (False, "", []) or name == "reversible"}

    def is_noop(self, operation: Any, kind: str, app_label: str) -> bool:
        """Return whether an operation does nothing at all in this database."""
        from django.db import migrations, router

        if kind not in ("RunSQL", "RunPython") or is_custom(operation):
            return False
        if not router.allow_migrate(self.naming.connection.alias, app_label, **(operation.hints or {})):
            return True
        if kind == "RunPython":
            return bool(operation.code is migrations.RunPython.noop)
        return not any(part.strip() for part in statements(operation.sql))


def kind_of(operation: Any) -> str:
    """Return the class of Django that an operation is or descends from, or ""."""
    for kind in type(operation).__mro__:
        if kind.__name__ in KINDS and kind.__module__.startswith("django."):
            return kind.__name__
    return ""


def is_custom(operation: Any) -> bool:
    """Return whether code outside Django changes the database for this operation."""
    # Asked of the operation, not of its class: a function may have been put on it alone.
    return not str(getattr(operation.database_forwards, "__module__", "")).startswith("django.")


def field_name(operation: Any, kind: str) -> str:
    """Return the field, index or constraint that an operation names."""
    if kind in ("AddField", "RemoveField", "AlterField"):
        return str(operation.name)
    for attribute in ("new_name", "index", "constraint"):
        value = getattr(operation, attribute, None)
        if value is not None:
            return str(getattr(value, "name", value))
    return str(operation.name) if getattr(operation, "model_name", None) and getattr(operation, "name", None) else ""


def names_of(operation: Any, app_label: str) -> list[Any]:
    """Return the keys of the models that an operation names."""
    names = [getattr(operation, name, None) for name in ("model_name", "name", "old_name", "new_name")]
    return [(app_label, name.lower()) for name in names if isinstance(name, str)]


def statements(sql: Any) -> list[str]:
    """Return the statements of a RunSQL as texts, with parameters left out."""
    if isinstance(sql, str):
        return [sql]
    return [str(one[0] if isinstance(one, (list, tuple)) else one) for one in sql or ()]


def declared(migration: Any) -> dict[str, str]:
    """Return what a migration's author declared about it: the attributes `stage`, `safe` and `shipway`."""
    found = {}
    for name in DECLARED:
        value = getattr(migration, name, None)
        if isinstance(value, dict):
            found.update({f"{name}.{key}": str(part)[:500] for key, part in list(value.items())[:20]})
        elif value is not None:
            found[name] = enum_name(value)
    return found


def stage_of(operation: Any) -> str:
    """Return the stage that django-syzygy gives an operation."""
    value = getattr(operation, "stage", None)
    return enum_name(value) if value is not None else ""


def enum_name(value: Any) -> str:
    """Return the name of a member of an enumeration, else the value as text."""
    return str(getattr(value, "name", value))[:100]


def file_digest(path: str) -> str:
    """Return a hash of a file, or "" for one that cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()[:16]
    except OSError:
        return ""


def table_changes(old: Any, new: Any) -> list[dict[str, Any]]:
    """Return the changes from tables `old` to tables `new`."""
    gone, made = [t for t in old if t not in new], [t for t in new if t not in old]
    renamed = pair_up(gone, made, old, new)
    changes = [table_change(t, old[t], new[t]) for t in new if t in old and old[t] != new[t]]
    for table in made:
        change = {"table": table, "created": new[table]}
        if table in renamed:
            before = old[renamed[table]]
            change = {**table_change(table, before, new[table]), "created": new[table], "was": renamed[table]}
        changes.append(change)
    taken = set(renamed.values())
    return changes + [{"table": table, "dropped": True} for table in gone if table not in taken]


def pair_up(gone: Any, made: Any, old: Any, new: Any) -> dict[str, str]:
    """Return {new name: old name} of tables that one operation took away and brought back under another name."""
    pairs: dict[str, str] = {}
    for table in made:
        same = [t for t in gone if t not in pairs.values() and role(old[t]) == role(new[table])]
        if len(same) == 1 or (len(gone) == len(made) == 1):
            pairs[table] = same[0] if same else gone[0]
    return pairs


def role(table: Any) -> str:
    """Return what a table is to its model: "" for its own, the field's name for a many-to-many one."""
    return str(table.get("relation", ""))


def table_change(name: str, old: Any, new: Any) -> dict[str, Any]:
    """Return the change of one table, with columns paired by field and else by name."""
    before = {c["name"]: c for c in old["columns"]}
    after = {c["name"]: c for c in new["columns"]}
    columns: list[list[Any]] = [[before[n], after[n]] for n in before if n in after and before[n] != after[n]]
    gone, made = [before[n] for n in before if n not in after], [after[n] for n in after if n not in before]
    columns += [[c, None] for c in gone] + [[None, c] for c in made]
    old_rules = {c["name"]: c for c in old["constraints"]}
    new_rules = {c["name"]: c for c in new["constraints"]}
    rules = [
        [old_rules.get(n), new_rules.get(n)] for n in {**old_rules, **new_rules} if old_rules.get(n) != new_rules.get(n)
    ]
    change: dict[str, Any] = {"table": name, "columns": columns, "constraints": rules}
    change["comment"] = old.get("comment") != new.get("comment")
    return {key: value for key, value in change.items() if value}
