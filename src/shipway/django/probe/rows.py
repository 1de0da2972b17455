"""Rows of a release's models: made with values of their own, in whatever order their relations ask for."""

from __future__ import annotations

from typing import Any

from shipway.django.probe.values import NoValue, extremes, plain

DEEPEST = 5
PARENTS = 3


def models_of(alias: str) -> list[Any]:
    """Return the models whose tables belong to `alias`, automatic many-to-many ones included, parents first."""
    from django.apps import apps
    from django.db import router

    found = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed
        and not model._meta.proxy
        and not model._meta.swapped
        and router.allow_migrate_model(alias, model)
    ]
    ordered: list[Any] = []
    while found:
        ready = [m for m in found if not {f.related_model for f in relations(m)} & (set(found) - {m})] or found[:1]
        ordered += ready
        found = [m for m in found if m not in ready]
    return ordered


def relations(model: Any) -> list[Any]:
    """Return the foreign keys of a model that must have a value."""
    return [f for f in model._meta.concrete_fields if f.remote_field is not None and not f.null]


def label_of(model: Any) -> str:
    """Return `app.Model`, and `app.Model.field` for an automatic many-to-many table."""
    meta = model._meta
    if meta.auto_created:
        owner = meta.auto_created._meta
        name = next((f.name for f in owner.local_many_to_many if f.remote_field.through is model), meta.object_name)
        return f"{owner.label}.{name}"
    return str(meta.label)


def build(model: Any, number: int, connection: Any, shape: str = "plain", depth: int = 0) -> Any:
    """Return an unsaved row. The rows that it must refer to are saved. Raises NoValue, and what the database says.

    `shape` is plain, nulls, longest, largest, smallest, alike, or apart: with parents of its own. After `linked` it
    refers to the first row of each parent.
    """
    one = model()
    position = 0
    for field in model._meta.concrete_fields:
        if skipped(field):
            continue
        if field.remote_field is not None:
            setattr(one, field.attname, refer(field, (number, position), connection, shape, depth))
            position += 1
        else:
            fill(one, field, number, connection, shape)
    return one


def skipped(field: Any) -> bool:
    """Return whether a field's value comes from elsewhere: numbering, computing, a parent's row."""
    from django.db.models.fields import AutoFieldMixin

    is_link = field.remote_field is not None and getattr(field.remote_field, "parent_link", False)
    return is_link or isinstance(field, AutoFieldMixin) or getattr(field, "generated", False) or field.column is None


def fill(one: Any, field: Any, number: int, connection: Any, shape: str) -> None:
    """Give a field that is no relation its value in the row `one`."""
    if shape.endswith("nulls") and field.null:
        setattr(one, field.attname, None)
        return
    if shape.endswith(("longest", "largest", "smallest")):
        is_free = shape.endswith("longest") or field.name not in distinct(type(one))
        value = extremes(field, shape, number, connection) if is_free else None
        if value is not None:
            setattr(one, field.attname, value)
            return
    if shape == "alike" and field.name not in distinct(type(one)):
        number = 1
    stays_empty = field.blank and not field.null and kind_of(field) == "text"
    if field.unique or not (field.has_default() or db_default(field) or stays_empty):
        setattr(one, field.attname, plain(field, number, connection))


def db_default(field: Any) -> bool:
    """Return whether the database fills a field that nobody gave a value."""
    from django.db.models.fields import NOT_PROVIDED

    return getattr(field, "db_default", NOT_PROVIDED) is not NOT_PROVIDED


def kind_of(field: Any) -> str:
    """Return "text" for fields whose empty value is ""."""
    return "text" if field.empty_strings_allowed and field.get_internal_type() in ("CharField", "TextField") else ""


def distinct(model: Any) -> set[str]:
    """Return the fields that some unique constraint of the models speaks of."""
    meta = model._meta
    names = {f.name for f in meta.concrete_fields if f.unique}
    for one in (meta, *(parent._meta for parent in meta.get_parent_list())):
        names |= {name for group in one.unique_together for name in group}
        for rule in one.constraints:
            names |= set(getattr(rule, "fields", ()))
            for expression in getattr(rule, "expressions", ()) or ():
                names |= {getattr(part, "name", "") for part in expression.flatten() if hasattr(part, "name")}
    return names


def refer(field: Any, place: Any, connection: Any, shape: str, depth: int) -> Any:
    """Return the value of a foreign key: of a row that is there, or of a new one."""
    number, position = place
    if shape.endswith("nulls") and field.null:
        return None
    target, wanted = field.related_model, field.target_field.attname
    if (not field.unique and shape != "apart") or shape.startswith("linked"):
        rows = list(target._base_manager.using(connection.alias).order_by("pk")[:PARENTS])
        if rows:
            # Rows that are written for the other release to meet refer to its first row, and leave it the others.
            index = number // len(rows) ** position % len(rows) if not shape.startswith("linked") else 0
            return getattr(rows[index], wanted)
    if field.null and (target is field.model or depth):
        return None
    if depth >= DEEPEST:
        raise NoValue(f"{field.name} needs a {target._meta.label}, and that needs others without end")
    parent = build(target, number, connection, "apart" if shape == "apart" else "plain", depth + 1)
    insert(parent, connection)
    return getattr(parent, wanted)


def extend(model: Any, number: int, connection: Any) -> bool:
    """Make the first row of a parent by inheritance also one of `model`. Returns whether it has such a parent."""
    from django.db.models import Model

    links = [link for link in model._meta.parents.values() if link is not None]
    if not links:
        return False
    one = build(model, number, connection, "linked")
    for link in links:
        parent = link.related_model._base_manager.using(connection.alias).order_by("pk").first()
        setattr(one, link.attname, parent.pk if parent is not None else None)
    Model.save_base(one, raw=True, force_insert=True, using=connection.alias)
    return True


def insert(one: Any, connection: Any) -> None:
    """Insert a row as Django does, without the project's own `save`."""
    from django.db.models import Model

    Model.save(one, using=connection.alias, force_insert=True)
