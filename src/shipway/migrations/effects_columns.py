"""Effects of added, dropped, renamed and altered columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shipway.core.schema import Column
from shipway.migrations.effect import Effect, Lock, Setting, ae, copy, inplace, instant, sre, sue
from shipway.migrations.types import Shape, compare_types, shape_of
from shipway.migrations.words import MigrationClass, Reversal

_PREFIX_LOW, _PREFIX_HIGH = 128, 255
"""MariaDB keeps a varchar's length in one byte up to 255 bytes. Measured on 10.11: it must copy the table when a
column of 128 to 255 bytes grows over 255; a shorter one grows instantly."""


def column_added(at: Setting, table: str, column: Column) -> Iterator[Effect]:
    """Yield what adding `column` does."""
    references = column.target is not None and column.enforced
    rebuilds = not (column.null and column.default == "none" and not column.unique and not column.fills)
    slug, cls = _kind_of_added(at, column)
    during_pg = ae(table)
    if column.default == "volatile" or column.generated == "stored":
        during_pg = ae(table, "a rewrite")
    elif column.unique or (column.index and column.target is None) or (column.index and references):
        during_pg = ae(table, "an index build")
    elif column.check and column.kind.startswith("Positive"):
        during_pg = ae(table, "a scan")
    copies = references or column.generated == "stored"
    mysql = copy(table) if copies else inplace(table) if column.unique or column.index else instant(table)
    locks = at.lock(table, pg=during_pg, mysql=mysql, rebuild=rebuilds)
    if references and column.target:
        locks += at.lock(column.target[0], pg=sre(column.target[0]), mysql=None, rebuild=False)
    if at.vendor == "sqlite" and rebuilds and cls == "safe":
        cls = "safe-with-care"
    effect = Effect(slug, table, column.name, cls, locks=locks, other=column.target[0] if column.target else "")
    yield effect if at.is_busy(table) else replace(effect, cls="safe", locks=())


def _kind_of_added(  # noqa: PLR0911  a table of cases
    at: Setting, column: Column
) -> tuple[str, MigrationClass]:
    """Return the name and the class of adding a column, what it does to old code left aside."""
    if column.generated:
        return ("generated_stored", "long-running") if column.generated == "stored" else ("generated_virtual", "safe")
    if column.target is not None and column.enforced:
        return "add_foreign_key", "long-running"
    if column.unique:
        return "add_unique_column", "long-running"
    if column.index:
        return "add_indexed_column", "long-running"
    if column.default == "volatile":
        return "add_volatile_default", "long-running"
    if not column.fills_itself:
        return "add_required_column", "safe-with-care"
    if column.check and column.kind.startswith("Positive") and at.vendor == "postgresql":
        return "add_checked_column", "long-running"
    if column.null and column.fills and column.default == "none":
        return "add_filled_column", "safe-with-care"
    return "add_column", "safe"


def column_dropped(at: Setting, table: str, column: Column) -> Iterator[Effect]:
    """Yield what dropping `column` does."""
    locks = at.lock(table, pg=ae(table), mysql=instant(table), rebuild=column.target is not None)
    if column.target and column.enforced:
        locks += at.lock(column.target[0], pg=ae(column.target[0]), mysql=None, rebuild=False)
    if not at.is_busy(table):
        yield Effect("drop_column", table, column.name)
        return
    if at.origins.is_new(table, column.name):
        yield Effect("drop_column", table, column.name, "safe-with-care", locks=locks)
        return
    # MariaDB and MySQL add a NOT NULL column to a table with rows all the same, and fill it with 0 or ''.
    returns = column.null or column.default != "none" or column.generated or (at.is_mysql and not column.enforced)
    reversal: Reversal = "schema only" if returns else "no"
    yield Effect("drop_column", table, column.name, "destructive", "destroys", reversal, locks)


def column_renamed(at: Setting, table: str, before: Column, after: Column) -> Iterator[Effect]:
    """Yield what another name of a column does."""
    references = before.target is not None and before.enforced
    mysql = copy(table) if references else instant(table)
    locks = at.lock(table, pg=ae(table, "a scan" if references else "a moment"), mysql=mysql, rebuild=references)
    if references and before.target:
        locks += at.lock(before.target[0], pg=sre(before.target[0], "a scan"), mysql=None, rebuild=False)
    yield Effect("rename_column", table, before.name, _care(at, table), locks=locks, other=after.name)
    yield from column_altered(at, table, replace(before, name=after.name), after)


def _care(at: Setting, table: str) -> MigrationClass:
    return "safe-with-care" if at.is_busy(table) else "safe"


def column_altered(at: Setting, table: str, before: Column, after: Column) -> Iterator[Effect]:
    """Yield what altering a column does, one effect for each thing that is different."""
    found = [*_type(at, table, before, after), *_null(at, table, before, after), *_origin(at, table, before, after)]
    found += [*_keys(at, table, before, after), *_reference(at, table, before, after)]
    found += [*_looks(at, table, before, after)]
    for effect in found:
        yield effect if at.is_busy(table) else replace(effect, cls="safe", locks=(), delta="none")
    if not found and at.vendor == "sqlite" and before != after and at.is_busy(table):
        yield Effect("rebuild", table, after.name, "safe", locks=at.lock(table, pg=None, mysql=None, rebuild=True))


def _type(at: Setting, table: str, before: Column, after: Column) -> Iterator[Effect]:
    change = compare_types(before.type, after.type, at.vendor)
    if change is None:
        if before.type != after.type and before.type and after.type and at.is_busy(table):
            locks = at.lock(table, pg=ae(table), mysql=copy(table), rebuild=True)
            yield Effect("type_same", table, after.name, "safe-with-care", locks=locks)
        return
    a, b = shape_of(before.type), shape_of(after.type)
    cls, lock_pg, lock_mysql = _type_cost(at, table, a, b, catalogue=change.catalogue)
    locks = at.lock(table, pg=lock_pg, mysql=lock_mysql, rebuild=True)
    if before.primary:
        locks += tuple(lock for child in _referrers(at, table) for lock in at.lock(
            child, pg=ae(child, "a rewrite"), mysql=copy(child), rebuild=True))  # fmt: skip
    slug = f"type_{change.slug}"
    reversal: Reversal = "until new rows" if change.slug == "widened" else "schema only" if change.lossy else "yes"
    yield Effect(slug, table, after.name, cls, "lossy" if change.lossy else "none", reversal, locks)


def _type_cost(at: Setting, table: str, a: Shape, b: Shape, *, catalogue: bool) -> tuple[MigrationClass, Lock, Lock]:
    """Return the class of a change of type, and the locks of PostgreSQL and MariaDB."""
    if at.vendor == "sqlite":
        return "safe-with-care", ae(table), copy(table)
    if at.is_mysql:
        grows = a.family == b.family == "char" and a.word == b.word == "varchar" and b.size >= a.size
        old, new = a.size * at.char_bytes, b.size * at.char_bytes
        if grows and not (_PREFIX_LOW <= old <= _PREFIX_HIGH < new):
            return "safe", ae(table), instant(table)
        return "long-running", ae(table), copy(table)
    if catalogue:
        is_plain = a.family == "char" and b.word == "varchar"
        return "safe" if is_plain else "safe-with-care", ae(table), copy(table)
    return "long-running", ae(table, "a rewrite"), copy(table)


def _referrers(at: Setting, table: str) -> tuple[str, ...]:
    return tuple(
        t.name for t in at.schema.values() if any(c.target and c.target[0] == table for c in t.columns.values())
    )


def _null(at: Setting, table: str, before: Column, after: Column) -> Iterator[Effect]:
    if before.null and not after.null:
        locks = at.lock(table, pg=ae(table, "a scan"), mysql=copy(table), rebuild=True)
        yield Effect(
            "set_not_null", table, after.name, "long-running", "lossy" if after.fills else "none", "yes", locks
        )
    elif after.null and not before.null:
        locks = at.lock(table, pg=ae(table), mysql=inplace(table), rebuild=True)
        yield Effect("drop_not_null", table, after.name, "safe-with-care", "none", "until new rows", locks)


def _origin(at: Setting, table: str, before: Column, after: Column) -> Iterator[Effect]:
    if before.default != after.default:
        slug = "drop_default" if after.default == "none" else "set_default"
        locks = at.lock(table, pg=ae(table), mysql=instant(table), rebuild=True)
        cls: MigrationClass = "safe-with-care" if after.default == "none" or at.vendor == "sqlite" else "safe"
        yield Effect(slug, table, after.name, cls, locks=locks)
    if before.generated != after.generated or before.identity != after.identity:
        locks = at.lock(table, pg=ae(table, "a rewrite"), mysql=copy(table), rebuild=True)
        yield Effect("change_origin", table, after.name, "long-running", locks=locks)


def _keys(at: Setting, table: str, before: Column, after: Column) -> Iterator[Effect]:
    if after.unique and not before.unique:
        locks = at.lock(table, pg=ae(table, "an index build"), mysql=inplace(table), rebuild=True)
        yield Effect("add_unique", table, after.name, "long-running", locks=locks)
    elif before.unique and not after.unique:
        locks = at.lock(table, pg=ae(table), mysql=inplace(table), rebuild=True)
        yield Effect("drop_unique", table, after.name, "safe-with-care", "none", "until new rows", locks)
    elif after.index and not before.index:
        locks = at.lock(table, pg=Lock(table, "SHARE", "an index build", "writes"), mysql=inplace(table), rebuild=True)
        yield Effect("add_index", table, after.name, "long-running", locks=locks)
    elif before.index and not after.index:
        locks = at.lock(table, pg=ae(table), mysql=inplace(table), rebuild=True)
        yield Effect("drop_index", table, after.name, "safe-with-care", locks=locks)
    positive = after.kind.startswith("Positive") and not before.kind.startswith("Positive")
    if after.check and not before.check and positive:
        locks = at.lock(table, pg=ae(table, "a scan"), mysql=copy(table), rebuild=True)
        yield Effect("add_check", table, after.name, "long-running", locks=locks)
    elif before.check and not after.check:
        locks = at.lock(table, pg=ae(table), mysql=instant(table), rebuild=True)
        yield Effect("drop_check", table, after.name, "safe-with-care", "none", "until new rows", locks)


def _reference(at: Setting, table: str, before: Column, after: Column) -> Iterator[Effect]:
    had, has = before.target and before.enforced, after.target and after.enforced
    if has and after.target and (not had or after.target != before.target):
        slug = "move_foreign_key" if had else "add_reference"
        locks = at.lock(table, pg=sre(table, "a scan"), mysql=copy(table), rebuild=True)
        locks += at.lock(after.target[0], pg=sre(after.target[0], "a scan"), mysql=None, rebuild=False)
        yield Effect(slug, table, after.name, "long-running", locks=locks, other=after.target[0])
    elif had and not has and before.target:
        locks = at.lock(table, pg=ae(table), mysql=instant(table), rebuild=True)
        locks += at.lock(before.target[0], pg=ae(before.target[0]), mysql=None, rebuild=False)
        yield Effect("drop_reference", table, after.name, "safe-with-care", "none", "until new rows", locks)
    elif has and before.cascades != after.cascades:
        locks = at.lock(table, pg=ae(table, "a scan"), mysql=copy(table), rebuild=True)
        yield Effect("change_on_delete", table, after.name, "long-running", locks=locks)


def _looks(at: Setting, table: str, before: Column, after: Column) -> Iterator[Effect]:
    if before.collation != after.collation:
        is_keyed = after.index or after.unique
        locks = at.lock(
            table, pg=ae(table, "an index build" if is_keyed else "a moment"), mysql=copy(table), rebuild=True
        )
        yield Effect(
            "change_collation", table, after.name, "long-running" if is_keyed else "safe-with-care", locks=locks
        )
    if before.comment != after.comment:
        yield Effect(
            "comment",
            table,
            after.name,
            "safe",
            locks=at.lock(table, pg=sue(table), mysql=instant(table), rebuild=False),
        )
