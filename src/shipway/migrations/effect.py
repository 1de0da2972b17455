"""What one operation does to the database itself: locks, rewrites, and what becomes of the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from shipway.core.migration import Size
from shipway.core.schema import Schema
from shipway.migrations.origins import Origins
from shipway.migrations.words import MigrationClass, Reversal

Delta = Literal["none", "lossy", "destroys", "opaque"]
"""What becomes of data: nothing, values are cut, a table or column goes, or nobody can tell from here."""
LockFor = Literal["a moment", "a scan", "an index build", "a rewrite", "a copy"]

LONG_ROWS = 100_000
LONG_BYTES = 100 * 1024 * 1024
"""From here on a scan or rewrite counts as long. Measured per 300,000 rows: a rewrite 1 to 2 s, a scan 20 ms."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock on a table that exists already: its mode in the server's words, for how long, and whom it stops."""

    table: str
    mode: str
    during: LockFor
    blocks: Literal["reads and writes", "writes", "nothing"]

    @property
    def is_long(self) -> bool:
        """Whether it is held for a time that grows with the table, and stops somebody."""
        return self.during != "a moment" and self.blocks != "nothing"


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that an operation does. `slug` names the kind (and the page and recipe that explain it).

    `table` and `name` (a column, constraint or index) say where. `other` is a second table.
    """

    slug: str
    table: str = ""
    name: str = ""
    cls: MigrationClass = "safe"
    delta: Delta = "none"
    reversal: Reversal = "yes"
    locks: tuple[Lock, ...] = ()
    other: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where an operation happens: the server, the schema before it, tables that this plan itself makes, sizes.

    `origins` tells which columns this plan itself makes.
    """

    vendor: str
    schema: Schema
    char_bytes: int = 4
    fresh: frozenset[str] = frozenset()
    sizes: Mapping[str, Size] = field(default_factory=dict)
    atomic: bool = True
    origins: Origins = field(default_factory=Origins)

    @property
    def is_mysql(self) -> bool:
        """Whether it is MySQL or MariaDB."""
        return self.vendor in ("mysql", "mariadb")

    def is_busy(self, table: str) -> bool:
        """Whether `table` exists already, so that a lock on it stops somebody."""
        return table in self.schema and table not in self.fresh

    def lock(self, table: str, *, pg: Lock | None, mysql: Lock | None, rebuild: bool) -> tuple[Lock, ...]:
        """Return the lock that this server takes; SQLite copies a table that it must rebuild."""
        if not self.is_busy(table):
            return ()
        if self.vendor == "sqlite":
            return (Lock(table, "table rebuild", "a copy", "writes"),) if rebuild else ()
        found = mysql if self.is_mysql else pg
        return (found,) if found else ()

    def is_big(self, table: str) -> bool:
        """Whether work over the whole of `table` takes long, or may: its size is not known."""
        size = self.sizes.get(table, Size())
        if size.rows < 0 and size.bytes < 0:
            return True
        return size.rows > LONG_ROWS or size.bytes > LONG_BYTES


def ae(table: str, during: LockFor = "a moment") -> Lock:
    """Return PostgreSQL's ACCESS EXCLUSIVE, which blocks readers too."""
    return Lock(table, "ACCESS EXCLUSIVE", during, "reads and writes")


def sre(table: str, during: LockFor = "a moment") -> Lock:
    """Return PostgreSQL's SHARE ROW EXCLUSIVE, which blocks writers."""
    return Lock(table, "SHARE ROW EXCLUSIVE", during, "writes")


def share(table: str) -> Lock:
    """Return the SHARE lock of PostgreSQL's ordinary index build."""
    return Lock(table, "SHARE", "an index build", "writes")


def sue(table: str, during: LockFor = "a moment") -> Lock:
    """Return PostgreSQL's SHARE UPDATE EXCLUSIVE, which lets reads and writes pass."""
    return Lock(table, "SHARE UPDATE EXCLUSIVE", during, "nothing")


def copy(table: str) -> Lock:
    """Return what ALGORITHM=COPY of MariaDB and MySQL does."""
    return Lock(table, "COPY", "a copy", "writes")


def instant(table: str) -> Lock:
    """Return what ALGORITHM=INSTANT of MariaDB and MySQL does."""
    return Lock(table, "INSTANT", "a moment", "nothing")


def inplace(table: str) -> Lock:
    """Return what ALGORITHM=INPLACE or NOCOPY with LOCK=NONE of MariaDB and MySQL does."""
    return Lock(table, "INPLACE", "an index build", "nothing")
