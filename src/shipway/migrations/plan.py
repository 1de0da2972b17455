"""Which migrations are judged, against which release: the order of the walk, and what counts as done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from shipway.core.migration import Database, Key, Migration
from shipway.core.schema import Schema, Table
from shipway.migrations.effects import schema_after, state_after


@dataclass(frozen=True, slots=True)
class Base:
    """The release whose code must survive: its name, the migrations that it has, and what its code names."""

    name: str
    keys: frozenset[Key]
    footprint: Schema


@dataclass(frozen=True, slots=True)
class Course:
    """What is to be judged: `done` migrations, then `pending` ones.

    `release` is the footprint of the old release. None: each migration is judged against the code that stood just
    before it, because nobody said which release serves.
    """

    done: tuple[Migration, ...]
    pending: tuple[Migration, ...]
    release: Schema | None


def expand(keys: Iterable[Key], walk: Iterable[Migration]) -> frozenset[Key]:
    """Return `keys` with every squash whose replaced migrations are all among them, and the other way round."""
    found, squashes = set(keys), [m for m in walk if m.replaces]
    while True:
        more = {key for m in squashes if m.key in found for key in m.replaces}
        more |= {m.key for m in squashes if all(key in found for key in m.replaces)}
        if more <= found:
            return frozenset(found)
        found |= more


def chart(database: Database, base: Base | None) -> Course:
    """Return what is pending: what `base` does not have, or without one what the database has not recorded.

    Where neither says anything (no database, or an empty one), everything is pending, and each migration is judged
    against the code just before it.
    """
    known = {migration.key for migration in database.walk}
    recorded = (database.applied or frozenset()) & known
    if base is None and not recorded:
        return Course((), database.walk, None)
    keys = expand(base.keys if base else database.applied or (), database.walk)
    done = tuple(m for m in database.walk if m.key in keys)
    pending = tuple(m for m in database.walk if m.key not in keys)
    state: Schema = {}
    for migration in done:
        for operation in migration.operations:
            state = state_after(state, operation)
    return Course(done, pending, base.footprint if base else state)


def start(database: Database, course: Course) -> tuple[Schema, Schema]:
    """Return (state, schema) before the first pending migration: what models expect, and what the database has.

    The live schema adds what no migration tells of: columns and tables that were left behind or made by hand.
    """
    state: Schema = {}
    schema: Schema = {}
    for migration in course.done:
        for operation in migration.operations:
            state, schema = state_after(state, operation), schema_after(schema, operation)
    is_current = database.applied is not None and not any(m.key in database.applied for m in course.pending)
    if database.live and is_current:
        schema = _with_live(schema, database.live)
    return state, schema


def _with_live(schema: Schema, live: Schema) -> Schema:
    joined: dict[str, Table] = dict(live)
    for name, table in schema.items():
        more = live[name].columns if name in live else {}
        extra = {column: more[column] for column in more if column not in table.columns}
        joined[name] = replace(table, columns={**table.columns, **extra}) if extra else table
    return joined
