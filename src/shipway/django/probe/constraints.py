"""Constraints and indexes of models as records."""

from __future__ import annotations

import hashlib
from typing import Any


def constraint_records(model: Any, columns: Any, naming: Any) -> list[dict[str, Any]]:
    """Return the constraints and indexes of a ModelState that are more than attributes of one field."""
    by_field = {c["field"]: c["name"] for c in columns.values() if "field" in c}
    found = []
    for kind, option in (("unique", "unique_together"), ("index", "index_together")):
        for names in model.options.get(option) or ():
            over = [by_field.get(name, name) for name in names]
            found.append({"name": f"{option}:" + ",".join(over), "kind": kind, "columns": over})
    found += [constraint_record(c, by_field, naming.connection) for c in model.options.get("constraints") or ()]
    found += [index_record(index, by_field, naming.connection) for index in model.options.get("indexes") or ()]
    return found


def constraint_record(constraint: Any, by_field: Any, connection: Any) -> dict[str, Any]:
    """Return the record of a constraint. An unknown class counts as a check over every column."""
    path = class_names(constraint)
    condition = getattr(constraint, "condition", None)
    expressions = tuple(getattr(constraint, "expressions", ()) or ())
    record: dict[str, Any] = {"name": constraint.name, "definition": digest(constraint)}
    if "UniqueConstraint" in path:
        names = list(getattr(constraint, "fields", ()))
        record.update(kind="unique", partial=condition is not None, expression=bool(expressions))
        names += references(expressions)
        record["supported"] = unique_supported(constraint, condition, expressions, connection)
    elif "ExclusionConstraint" in path:
        names = references([one[0] if isinstance(one, (list, tuple)) else one for one in expressions])
        record.update(kind="exclude", partial=condition is not None)
    else:
        test = getattr(constraint, "check", None) if condition is None else condition
        names, record["needs"] = tested(test)
        record.update(kind="check", supported=bool(connection.features.supports_table_check_constraints))
        record["needs"] = [by_field.get(name, name) for name in record["needs"]]
    record["columns"] = [by_field.get(name, name) for name in dict.fromkeys(names)]
    return {key: value for key, value in record.items() if value not in (False, [], "") or key == "supported"}


def unique_supported(constraint: Any, condition: Any, expressions: Any, connection: Any) -> bool:
    """Return whether Django makes a unique constraint of this kind in this database at all."""
    features = connection.features
    return not (
        (condition is not None and not features.supports_partial_indexes)
        or (expressions and not features.supports_expression_indexes)
        or (getattr(constraint, "deferrable", None) and not features.supports_deferrable_unique_constraints)
        or (getattr(constraint, "include", None) and not features.supports_covering_indexes)
    )


def index_record(index: Any, by_field: Any, connection: Any) -> dict[str, Any]:
    """Return the record of an index."""
    names = [name for name, _order in getattr(index, "fields_orders", ())]
    expressions = tuple(getattr(index, "expressions", ()) or ())
    names += references(expressions)
    record: dict[str, Any] = {"name": index.name, "kind": "index", "definition": digest(index)}
    record["columns"] = [by_field.get(name, name) for name in dict.fromkeys(names)]
    if expressions:
        record["expression"] = True
        record["supported"] = bool(connection.features.supports_expression_indexes)
    if getattr(index, "condition", None) is not None:
        record["partial"] = True
    return record


def class_names(value: Any) -> list[str]:
    """Return the names of the classes of `value`, the nearest first."""
    return [kind.__name__ for kind in type(value).__mro__]


def digest(value: Any) -> str:
    """Return a hash of what makes a constraint or index what it is, its name and messages left out."""
    path, args, kwargs = value.deconstruct()
    parts = {k: v for k, v in kwargs.items() if k not in ("name", "violation_error_message", "violation_error_code")}
    return hashlib.sha256(repr((path, args, sorted(parts.items()))).encode()).hexdigest()[:16]


def references(parts: Any) -> list[str]:
    """Return the names of the fields that expressions refer to."""
    found: list[str] = []
    for part in parts:
        if isinstance(part, str):
            found.append(part.lstrip("-").split("__")[0])
        elif isinstance(part, (list, tuple)):
            found += references(part)
        elif hasattr(part, "name") and type(part).__name__ in ("F", "OuterRef"):
            found.append(str(part.name).split("__")[0])
        elif hasattr(part, "children"):
            found += tested(part)[0]
        elif hasattr(part, "get_source_expressions"):
            found += references([one for one in part.get_source_expressions() if one is not None])
    return found


def tested(condition: Any) -> Any:
    """Return (names, needed): the fields that a condition looks at, and those that it wants not to be NULL."""
    names: list[str] = []
    needed: list[str] = []
    for child in getattr(condition, "children", ()):
        if isinstance(child, tuple) and len(child) == 2:
            path = str(child[0]).split("__")
            names.append(path[0])
            names += references([child[1]]) if hasattr(child[1], "resolve_expression") else []
            # Under a negation or an OR a column may still be NULL: only a plain AND demands it.
            wants = path[1:] == ["isnull"] and (child[1] is False) != bool(condition.negated)
            if wants and (condition.connector == "AND" or len(condition.children) == 1):
                needed.append(path[0])
        else:
            more, wanted = tested(child)
            names += more or references([child])
            needed += wanted if condition.connector == "AND" and not condition.negated else []
    if not hasattr(condition, "children"):
        names += references([condition])
    return names, needed
