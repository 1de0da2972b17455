"""Columns, constraints and tables of models, from migration states, without rendering any model.

Rendering (`state.apps`) costs seconds in a project with hundreds of migrations, and its cached relations are wrong
after a model was deleted. A field that is only cloned and named knows all that is needed here.
"""

from __future__ import annotations

from typing import Any

from shipway.django.probe.constraints import constraint_records

DJANGO_CONSTANTS = ("Value", "Cast", "Coalesce", "Concat", "ConcatPair", "Lower", "Upper", "CombinedExpression")


class Naming:
    """What names and types depend on: one connection, and the router's word on what belongs there."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.records: dict[Any, Any] = {}

    def table_name(self, model: Any) -> str:
        """Return the name of the table of a ModelState, as `Options.contribute_to_class` makes it."""
        from django.db.backends.utils import truncate_name

        name = model.options.get("db_table") or f"{model.app_label}_{model.name_lower}"
        return str(name if model.options.get("db_table") else truncate_name(name, self._max_name()))

    def relation_name(self, model: Any, field: Any) -> str:
        """Return the name of an automatic many-to-many table, as `ManyToManyField._get_m2m_db_table` makes it."""
        from django.db.backends.utils import strip_quotes, truncate_name

        if field.db_table:
            return str(field.db_table)
        return str(truncate_name(f"{strip_quotes(self.table_name(model))}_{field.name}", self._max_name()))

    def _max_name(self) -> Any:
        return self.connection.ops.max_name_length()

    def has_table(self, model: Any) -> bool:
        """Return whether Django makes a table for a ModelState in this database."""
        from django.conf import settings
        from django.db import router

        options = model.options
        if options.get("proxy") or not options.get("managed", True):
            return False
        swappable = options.get("swappable")
        if swappable and getattr(settings, swappable, "").lower() != f"{model.app_label}.{model.name_lower}":
            return False
        vendor = options.get("required_db_vendor")
        if vendor and vendor != self.connection.vendor:
            return False
        return bool(router.allow_migrate(self.connection.alias, model.app_label, model_name=model.name_lower))


def named(field: Any, name: str) -> Any:
    """Return a copy of an unbound field that knows its name, attribute and column."""
    copy = field.clone()
    copy.set_attributes_from_name(name)
    return copy


def primary_key(model: Any, state: Any, depth: int = 0) -> Any:
    """Return the named primary key field of a ModelState: declared, inherited, or Django's automatic one."""
    for name, field in model.fields.items():
        if getattr(field, "primary_key", False):
            return named(field, name)
    for base in model.bases:
        parent = model_of(base, state)
        if parent is not None and depth < 20:
            return primary_key(parent, state, depth + 1)
    return automatic_key(model.app_label)


def automatic_key(app_label: str) -> Any:
    """Return the `id` that Django adds to a model of an app that names no primary key."""
    from django.apps import apps
    from django.conf import settings
    from django.utils.module_loading import import_string

    path = settings.DEFAULT_AUTO_FIELD
    if app_label in apps.app_configs:
        path = apps.app_configs[app_label].default_auto_field or path
    return named(import_string(path)(primary_key=True, auto_created=True), "id")


def model_of(reference: Any, state: Any, app_label: str = "") -> Any:
    """Return the ModelState that `reference` ("app.model", "model", a setting's value or a class) names, or None."""
    from django.conf import settings

    if isinstance(reference, str):
        text = reference.lower()
        if text.startswith("settings."):
            text = getattr(settings, reference.split(".", 1)[1], "").lower()
        label, _, name = text.rpartition(".")
        return state.models.get((label or app_label, name))
    meta = getattr(reference, "_meta", None)
    return state.models.get((meta.app_label, meta.model_name)) if meta is not None else None


def target_of(field: Any, model: Any, state: Any) -> Any:
    """Return (ModelState, named field) that a foreign key refers to, or None when the state does not have it."""
    reference = field.remote_field.model
    other = model if reference == "self" else model_of(reference, state, model.app_label)
    if other is None:
        return None
    wanted = getattr(field, "to_fields", [None])[0]
    if wanted in (None, "self") or wanted not in other.fields:
        return other, primary_key(other, state)
    return other, named(other.fields[wanted], wanted)


def db_type(field: Any, model: Any, state: Any, naming: Naming, depth: int = 0) -> str:
    """Return the type of a column; a foreign key has that of the column it refers to. "" when it cannot be told."""
    if field.remote_field is None:
        return str(field.db_type(naming.connection) or "")
    target = target_of(field, model, state)
    if target is None or depth > 20:
        return ""
    other, key = target
    if key.remote_field is not None:
        return db_type(key, other, state, naming, depth + 1)
    return str(key.rel_db_type(naming.connection) or "")


def default_kind(field: Any) -> str:
    """Return the kind of a field's default in the database."""
    from django.db.models.fields import NOT_PROVIDED

    default = getattr(field, "db_default", NOT_PROVIDED)
    if default is NOT_PROVIDED:
        return "none"
    if not hasattr(default, "resolve_expression"):
        return "constant"
    names = {type(part).__name__ for part in default.flatten()} if hasattr(default, "flatten") else {""}
    # DatabaseDefault wraps the expression of a model that was read back from the apps registry.
    names -= {"DatabaseDefault"}
    if names == {"Now"}:
        return "now"
    return "constant" if names <= {*DJANGO_CONSTANTS, "Now"} else "volatile"


def column_record(field: Any, model: Any, state: Any, naming: Naming) -> Any:
    """Return the record of a named field's column, without what is false or empty; None when it has no column."""
    if field.column is None or getattr(field, "many_to_many", False):
        return None
    record: dict[str, Any] = {
        "name": field.column,
        "type": db_type(field, model, state, naming),
        "kind": field.get_internal_type(),
        "field": field.name,
        "null": bool(field.null),
        "default": default_kind(field),
        "fills": fills(field),
        "primary": bool(field.primary_key),
        "unique": bool(field._unique or field.primary_key),
        "index": bool(field.db_index),
        "comment": str(getattr(field, "db_comment", None) or ""),
        "collation": str(getattr(field, "db_collation", None) or ""),
        "identity": is_identity(field),
    }
    if getattr(field, "generated", False):
        record["generated"] = "stored" if field.db_persist else "virtual"
    if field.remote_field is not None:
        record.update(relation_record(field, model, state, naming))
    else:
        record["check"] = str(field.db_check(naming.connection) or "")
    return {key: value for key, value in record.items() if value not in (False, "", "none")}


def known_record(field: Any, name: str, model: Any, state: Any, naming: Naming) -> Any:
    """Return the record of a field's column, made once for each field that refers to nothing: states share fields."""
    if field.remote_field is not None:
        return column_record(named(field, name), model, state, naming)
    kept = naming.records.get((id(field), name))
    if kept is None:
        # The field is kept too, so that its identity is not given to another.
        kept = naming.records[id(field), name] = (field, column_record(named(field, name), model, state, naming))
    return kept[1]


def relation_record(field: Any, model: Any, state: Any, naming: Naming) -> dict[str, Any]:
    """Return what a foreign key adds to the record of its column."""
    target = target_of(field, model, state)
    on_delete = getattr(field.remote_field, "on_delete", None)
    # Django 6.1: DB_CASCADE, DB_SET_NULL, DB_SET_DEFAULT.
    cascades = type(on_delete).__name__ == "DatabaseOnDelete" or getattr(on_delete, "__name__", "").startswith("DB_")
    if target is None:
        return {"enforced": bool(field.db_constraint), "cascades": cascades}
    other, key = target
    return {
        "target": [naming.table_name(other), key.column],
        "enforced": bool(field.db_constraint),
        "cascades": cascades,
    }


def is_identity(field: Any) -> bool:
    """Return whether the database numbers the rows."""
    from django.db.models.fields import AutoFieldMixin

    return isinstance(field, AutoFieldMixin)


def fills(field: Any) -> bool:
    """Return whether Django writes a value of its own into rows: a default, an implicit "", or the time."""
    implicit = not field.null and field.blank and field.empty_strings_allowed
    return bool(
        field.has_default() or implicit or getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    )


def tables_of(model: Any, state: Any, naming: Naming) -> dict[str, Any]:
    """Return the tables of a ModelState: its own, and the automatic many-to-many ones."""
    if not naming.has_table(model):
        return {}
    label = f"{model.app_label}.{model.name}"
    columns: dict[str, Any] = {}
    tables: dict[str, Any] = {}
    for name, field in model.fields.items():
        if getattr(field, "many_to_many", False):
            if field.remote_field is not None and field.remote_field.through is None and not is_virtual(field):
                tables.update(relation_table(named(field, name), model, state, naming))
            continue
        record = known_record(field, name, model, state, naming) if not is_virtual(field) else None
        if record is not None:
            columns[record["name"]] = record
    if not any(c.get("primary") for c in columns.values()) and not composite(model):
        key = column_record(primary_key(model, state), model, state, naming)
        columns.setdefault(key["name"], key)
    if model.options.get("order_with_respect_to"):
        columns["_order"] = {"name": "_order", "type": "integer", "kind": "OrderWrt", "field": "_order"}
    tables[naming.table_name(model)] = {
        "model": label,
        "columns": list(columns.values()),
        "constraints": constraint_records(model, columns, naming),
        "comment": str(model.options.get("db_table_comment") or ""),
    }
    return tables


def is_virtual(field: Any) -> bool:
    """Return whether a field stands for no column: generic relations and the like."""
    return bool(getattr(field, "private_only", False)) or (
        getattr(field, "many_to_many", False) and not hasattr(field, "db_table")
    )


def composite(model: Any) -> bool:
    """Return whether the primary key of a model is made of several columns."""
    return any(type(field).__name__ == "CompositePrimaryKey" for field in model.fields.values())


def relation_table(field: Any, model: Any, state: Any, naming: Naming) -> dict[str, Any]:
    """Return the automatic table of a many-to-many field, as `create_many_to_many_intermediary_model` makes it."""
    reference = field.remote_field.model
    other = model if reference == "self" else model_of(reference, state, model.app_label)
    if other is None:
        return {}
    if other is model:
        ends = (f"from_{model.name_lower}_id", model), (f"to_{model.name_lower}_id", model)
    else:
        ends = (f"{model.name_lower}_id", model), (f"{other.name_lower}_id", other)
    columns = [column_record(automatic_key(model.app_label), model, state, naming)]
    for name, end in ends:
        key = primary_key(end, state)
        kind = db_type(key, end, state, naming) if key.remote_field else str(key.rel_db_type(naming.connection) or "")
        record: dict[str, Any] = {"name": name, "type": kind, "kind": "ForeignKey", "field": name[:-3], "index": True}
        record["target"] = [naming.table_name(end), key.column]
        if field.remote_field.db_constraint:
            record["enforced"] = True
        columns.append(record)
    pair = [name for name, _ in ends]
    unique = {"name": "unique_together:" + ",".join(pair), "kind": "unique", "columns": pair}
    label = f"{model.app_label}.{model.name}"
    table = {"model": label, "relation": field.name, "columns": columns, "constraints": [unique], "comment": ""}
    return {naming.relation_name(model, field): table}
