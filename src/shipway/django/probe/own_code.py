"""Migrations whose class has code of its own about what runs, so that their operations do not tell what they do."""

from __future__ import annotations

import inspect
from typing import Any

DECIDES = ("apply", "unapply", "mutate_state", "__init__", "__getattr__", "__getattribute__")


def own_code(migration: Any) -> list[str]:
    """Return the names of a migration's class that are not Django's and decide what is run.

    A migration that computes its operations may compute others when it is applied, so what it shows now tells nothing.
    """
    from django.db.migrations import Migration

    kind = type(migration)
    found = [
        name
        for name in DECIDES
        if inspect.getattr_static(migration, name, None) is not inspect.getattr_static(Migration, name, None)
    ]
    held = (inspect.getattr_static(kind, "operations", []), inspect.getattr_static(migration, "operations", []))
    if type(kind) is not type or any(type(one) not in (list, tuple) for one in held):
        found.append("operations")
    return found


def own_code_record(names: list[str]) -> dict[str, Any]:
    """Return the record of an operation that stands for all that `names` of a migration's class may do."""
    name = ", ".join(f"Migration.{one}" for one in names)
    return {"name": name, "kind": "", "scope": "both", "custom": True, "reversible": False, "changes": []}
