"""Migrations and releases as the analysis knows them: what each operation does, and what a release names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from shipway.core.schema import Schema, TableChange

Scope = Literal["both", "db", "state"]
"""What an operation changes: the database and Django's state, or (SeparateDatabaseAndState) one of the two."""

Key = tuple[str, str]
"""A migration: (app label, name)."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a migration, taken out of any SeparateDatabaseAndState.

    `name` is its class, `kind` the class of Django that it is or descends from ("" when there is none), `custom`: it
    has database code of its own. `noop`: it does nothing at all. `sql` is the text of a RunSQL, bounded and without
    known secrets, `digest` a hash of the whole text.
    """

    name: str
    kind: str
    scope: Scope = "both"
    model: str = ""
    field: str = ""
    custom: bool = False
    noop: bool = False
    reversible: bool = True
    sql: tuple[str, ...] = ()
    digest: str = ""
    changes: tuple[TableChange, ...] = ()
    stage: str = ""


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration. `digest` is a hash of its file. `declared` is what its author says of it (see `declare`)."""

    key: Key
    operations: tuple[Operation, ...] = ()
    dependencies: tuple[Key, ...] = ()
    replaces: tuple[Key, ...] = ()
    initial: bool = False
    atomic: bool = True
    digest: str = ""
    package: str = ""
    file: str = ""
    declared: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """`app.name`, as a person writes it."""
        return ".".join(self.key)


@dataclass(frozen=True, slots=True)
class Size:
    """How big a table is; -1 is unknown, which is not the same as empty."""

    rows: int = -1
    bytes: int = -1


@dataclass(frozen=True, slots=True)
class Database:
    """One database alias as a release sees it.

    `vendor` is Django's word (`postgresql`, `mysql`, `sqlite`), or `mariadb`. `char_bytes` is how many bytes a
    character may take. `walk` holds all migrations in the order of the graph, with what each does to this database.
    `footprint` is what the release's code names. `applied` are the recorded migrations, None when they could not be
    read; `live` is the schema that was found, None likewise. `error` says why.
    """

    alias: str
    vendor: str
    version: str = ""
    django: tuple[int, int] = (5, 2)
    char_bytes: int = 4
    walk: tuple[Migration, ...] = ()
    footprint: Schema = field(default_factory=dict)
    applied: frozenset[Key] | None = None
    live: Schema | None = None
    sizes: Mapping[str, Size] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    error: str = ""
