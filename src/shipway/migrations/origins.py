"""Where the tables and columns of a schema come from: which of those that stood at the start of the plan, if any.

A name may stand at the end as at the start and mean something else: a column that was renamed, and another made under
its old name. Every statement of the old release then runs, on values that are not its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from shipway.core.schema import Schema
from shipway.migrations.compat import Problem

Place = tuple[str, str]
"""(table, column); the column "" is the table itself."""


class Happened(Protocol):
    """What of an `Effect` says where things went."""

    @property
    def slug(self) -> str:
        """Return the kind of what happened."""
        ...

    @property
    def table(self) -> str:
        """Return the table, by its name before."""
        ...

    @property
    def name(self) -> str:
        """Return the column, or what else has a name."""
        ...

    @property
    def other(self) -> str:
        """Return the new name, of a table or column that got one."""
        ...


_GONE = frozenset({"drop_table", "drop_relation"})


@dataclass(frozen=True, slots=True)
class Origins:
    """The tables whose history is known, and for each place that stands where it stood at the start.

    A place in a known table that has no origin was made since.
    """

    known: frozenset[str] = frozenset()
    of: Mapping[Place, Place] = field(default_factory=dict)

    def is_new(self, table: str, column: str) -> bool:
        """Return whether a column was made since the start, in a table of which that can be said."""
        return table in self.known and (table, column) not in self.of

    def after(self, effects: Iterable[Happened]) -> Origins:
        """Return the origins after `effects`."""
        known, of = set(self.known), dict(self.of)
        for effect in effects:
            table, name = effect.table, effect.name
            if effect.slug in _GONE:
                of = {place: was for place, was in of.items() if place[0] != table}
            elif effect.slug == "rename_table":
                of = {(effect.other if place[0] == table else place[0], place[1]): was for place, was in of.items()}
                known.add(effect.other)
            elif effect.slug == "drop_column":
                of.pop((table, name), None)
            elif effect.slug == "rename_column" and (table, name) in of:
                of[table, effect.other] = of.pop((table, name))
        return Origins(frozenset(known), of)


def origins_of(schema: Schema) -> Origins:
    """Return the origins at the start: each place is its own."""
    tables = {(name, ""): (name, "") for name in schema}
    columns = {(name, column): (name, column) for name, table in schema.items() for column in table.columns}
    return Origins(frozenset(schema), tables | columns)


def replaced(release: Schema, schema: Schema, origins: Origins) -> frozenset[Problem]:
    """Return what `release` still finds by its name and what is another thing, while its own stands elsewhere."""
    return frozenset(_replaced(release, schema, origins))


def _replaced(release: Schema, schema: Schema, origins: Origins) -> Iterator[Problem]:
    moved = {was: place for place, was in origins.of.items() if place != was}
    strangers = {place for place, was in origins.of.items() if place != was}
    for name, known in release.items():
        real = schema.get(name)
        if real is None:
            continue
        if (name, "") in moved or (name, "") in strangers:
            yield Problem(
                "table_replaced", name, "", "conditional", "refused", other=moved.get((name, ""), ("", ""))[0]
            )
            continue
        for column in known.columns:
            place = (name, column)
            if column in real.columns and (place in moved or place in strangers):
                yield Problem(
                    "column_replaced", name, column, "conditional", "refused", detail=_place(moved.get(place))
                )


def _place(place: Place | None) -> str:
    return place[1] if place else ""
