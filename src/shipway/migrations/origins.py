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


_ADDS = frozenset(
    {
        "add_column",
        "add_filled_column",
        "add_required_column",
        "add_indexed_column",
        "add_unique_column",
        "add_foreign_key",
        "add_checked_column",
        "add_volatile_default",
        "generated_stored",
        "generated_virtual",
    }
)


@dataclass(frozen=True, slots=True)
class Origins:
    """For each place where it stood at the start, and the columns that were `made` since.

    A column that is neither is one that nobody has told of: it was left behind, or made by hand.
    """

    of: Mapping[Place, Place] = field(default_factory=dict)
    made: frozenset[Place] = frozenset()

    def is_new(self, table: str, column: str) -> bool:
        """Return whether a column was made since the start."""
        return (table, column) in self.made

    def after(self, effects: Iterable[Happened]) -> Origins:
        """Return the origins after `effects`."""
        of, made = dict(self.of), set(self.made)
        for effect in effects:
            table, place = effect.table, (effect.table, effect.name)
            if effect.slug in _GONE:
                of = {now: was for now, was in of.items() if now[0] != table}
                made = {now for now in made if now[0] != table}
            elif effect.slug == "rename_table":
                of = {_moved(now, table, effect.other): was for now, was in of.items()}
                made = {_moved(now, table, effect.other) for now in made}
            elif effect.slug == "drop_column":
                of.pop(place, None)
                made.discard(place)
            elif effect.slug == "rename_column":
                after = (table, effect.other)
                if place in of:
                    of[after] = of.pop(place)
                made = {after if now == place else now for now in made}
            elif effect.slug in _ADDS:
                made.add(place)
        return Origins(of, frozenset(made))


def _moved(place: Place, old: str, new: str) -> Place:
    return (new if place[0] == old else place[0], place[1])


def origins_of(schema: Schema) -> Origins:
    """Return the origins at the start: each place is its own."""
    tables = {(name, ""): (name, "") for name in schema}
    columns = {(name, column): (name, column) for name, table in schema.items() for column in table.columns}
    return Origins(tables | columns)


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
