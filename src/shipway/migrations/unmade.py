"""Models that were changed without a migration: what the code names, no migration makes, and the database lacks."""

from __future__ import annotations

from collections.abc import Iterator

from shipway.core.migration import Database
from shipway.core.schema import Schema
from shipway.migrations.effects import schema_after, state_after
from shipway.migrations.names import Names


def unmade(database: Database) -> tuple[str, ...]:
    """Return what is missing once all migrations have run: `Model.field`, or `Model` for a whole table.

    Nothing where the live schema is not known: what was made by hand would be among it.
    """
    if database.live is None:
        return ()
    state: Schema = {}
    schema: Schema = {}
    for migration in database.walk:
        for operation in migration.operations:
            state, schema = state_after(state, operation), schema_after(schema, operation)
    names = Names((database.footprint,))
    return tuple(names.both(table, column) for table, column in _missing(database, (state, schema, database.live)))


def _missing(database: Database, places: tuple[Schema, ...]) -> Iterator[tuple[str, str]]:
    # An app without migrations has its tables made by `migrate` itself.
    migrated = {migration.key[0] for migration in database.walk}
    for name, table in sorted(database.footprint.items()):
        found = [place[name] for place in places if name in place]
        if not found and table.model.partition(".")[0] in migrated:
            yield name, ""
        for column in table.columns if found else ():
            if not any(column in one.columns for one in found):
                yield name, column
