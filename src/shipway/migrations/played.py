"""The operations of the pending migrations, played one after the other: what each does, where it does it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shipway.core.migration import Database, Migration, Operation
from shipway.core.schema import Schema
from shipway.migrations.effect import Effect, Setting
from shipway.migrations.effects import operation_effects, schema_after
from shipway.migrations.origins import Origins, origins_of
from shipway.migrations.plan import Course


@dataclass(frozen=True, slots=True)
class Judged:
    """One operation and what it does."""

    operation: Operation
    effects: tuple[Effect, ...]


Played = tuple[Setting, tuple[Judged, ...], Origins]
"""Where a migration begins, what its operations do, and the origins after it."""


def play(database: Database, course: Course, schemas: list[Schema]) -> list[Played]:
    """Return for each pending migration where it begins, what its operations do, and the origins after it.

    Where each migration is judged against the code just before it, each is a start of its own.
    """
    played: list[Played] = []
    origins = origins_of(schemas[0])
    for index, migration in enumerate(course.pending):
        origins = origins_of(schemas[index]) if course.release is None else origins
        old = schemas[index] if course.release is None else schemas[0]
        setting = Setting(
            database.vendor,
            schemas[index],
            database.char_bytes,
            frozenset(schemas[index]) - frozenset(old),
            database.sizes,
            atomic=migration.atomic,
            origins=origins,
        )
        operations, origins = _judge_operations(migration, setting)
        played.append((setting, operations, origins))
    return played


def _judge_operations(migration: Migration, setting: Setting) -> tuple[tuple[Judged, ...], Origins]:
    """Return each operation with its effects; a table made by an earlier one of them is nobody's yet."""
    judged = []
    for operation in migration.operations:
        effects = operation_effects(operation, setting)
        judged.append(Judged(operation, effects))
        after = schema_after(setting.schema, operation)
        renamed = {change.was for change in operation.changes if change.was}
        made = {name for name in after if name not in setting.schema} if not renamed else set()
        setting = replace(setting, schema=after, fresh=setting.fresh | made, origins=setting.origins.after(effects))
    return tuple(judged), setting.origins
