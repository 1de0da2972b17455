"""The words of a verdict, and which of two is the worse."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

MigrationClass = Literal["safe", "safe-with-care", "long-running", "data migration", "needs-approval", "destructive"]
OldCode = Literal["ok", "conditional", "breaks"]
"""The old release on the new schema: everything works, some legitimate statement fails, ordinary ones fail."""
CodeRollback = Literal["allowed", "warn", "refused"]
"""Going back to the old release while the schema stays."""
Reversal = Literal["yes", "until new rows", "schema only", "no"]
"""Undoing the migration: without loss, only before rows that the old shape cannot hold, without the data, not."""

CLASSES: tuple[MigrationClass, ...] = (
    "safe",
    "safe-with-care",
    "long-running",
    "data migration",
    "needs-approval",
    "destructive",
)
OLD_CODE: tuple[OldCode, ...] = ("ok", "conditional", "breaks")
CODE_ROLLBACK: tuple[CodeRollback, ...] = ("allowed", "warn", "refused")
REVERSAL: tuple[Reversal, ...] = ("yes", "until new rows", "schema only", "no")


def worst_class(found: Iterable[MigrationClass]) -> MigrationClass:
    """Return the class that asks for the most care; "safe" for none."""
    return max(found, key=CLASSES.index, default="safe")


def worst_old_code(found: Iterable[OldCode]) -> OldCode:
    """Return the worst; "ok" for none."""
    return max(found, key=OLD_CODE.index, default="ok")


def worst_rollback(found: Iterable[CodeRollback]) -> CodeRollback:
    """Return the worst; "allowed" for none."""
    return max(found, key=CODE_ROLLBACK.index, default="allowed")


def worst_reversal(found: Iterable[Reversal]) -> Reversal:
    """Return the worst; "yes" for none."""
    return max(found, key=REVERSAL.index, default="yes")
