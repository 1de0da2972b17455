"""Effects of created, dropped and renamed tables, and of constraints and indexes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shipway.core.schema import Constraint, Table, TableChange
from shipway.migrations.effect import Effect, Lock, Setting, ae, copy, inplace, instant, share, sre, sue
from shipway.migrations.words import MigrationClass


def table_created(at: Setting, table: Table) -> Iterator[Effect]:
    """Yield what creating `table` does: nothing to others, unless it refers to them."""
    parents = sorted({c.target[0] for c in table.foreign_keys() if c.target and at.is_busy(c.target[0])})
    locks = tuple(lock for p in parents for lock in at.lock(p, pg=sre(p), mysql=None, rebuild=False))
    slug = "create_relation" if table.relation else "create_child" if parents else "create_table"
    cls: MigrationClass = "safe-with-care" if parents else "safe"
    yield Effect(slug, table.name, table.relation, cls, locks=locks, other=parents[0] if parents else "")


def table_dropped(at: Setting, name: str) -> Iterator[Effect]:
    """Yield what dropping a table does."""
    table = at.schema.get(name, Table(name))
    if not at.is_busy(name) and name in at.schema:
        yield Effect("drop_table", name)
        return
    locks = at.lock(name, pg=ae(name), mysql=instant(name), rebuild=False)
    for column in table.foreign_keys():
        if column.target and column.target[0] != name:
            locks += at.lock(column.target[0], pg=ae(column.target[0]), mysql=None, rebuild=False)
    slug = "drop_relation" if table.relation else "drop_table"
    yield Effect(slug, name, table.relation, "destructive", "destroys", "schema only", tuple(dict.fromkeys(locks)))


def table_renamed(at: Setting, change: TableChange) -> Iterator[Effect]:
    """Yield what another name of a table does: its referrers' foreign keys are dropped and checked again."""
    old = change.was
    locks = at.lock(old, pg=ae(old), mysql=instant(old), rebuild=False)
    for table in at.schema.values():
        if table.name != old and any(c.target and c.target[0] == old for c in table.foreign_keys()):
            locks += at.lock(table.name, pg=sre(table.name, "a scan"), mysql=copy(table.name), rebuild=True)
    cls: MigrationClass = "safe-with-care" if at.is_busy(old) else "safe"
    yield Effect("rename_table", old, "", cls, locks=locks, other=change.table)


def rule_changed(
    at: Setting, table: str, before: Constraint | None, after: Constraint | None, kind: str
) -> Iterator[Effect]:
    """Yield what a constraint or index that comes, goes or changes does. `kind` is the class of the operation."""
    if before and after and replace(before, valid=after.valid) == after and before != after:
        yield Effect("validate", table, after.name, "safe-with-care", locks=at.lock(
            table, pg=sue(table, "a scan"), mysql=None, rebuild=False))  # fmt: skip
        return
    effects = [
        *(_rule_gone(at, table, before, kind) if before else ()),
        *(_rule_added(at, table, after, kind) if after else ()),
    ]
    for effect in effects:
        yield effect if at.is_busy(table) else replace(effect, cls="safe", locks=())


def _rule_gone(at: Setting, table: str, rule: Constraint, kind: str) -> Iterator[Effect]:
    if not rule.supported:
        return
    if rule.kind == "index":
        gentle = kind.endswith("Concurrently")
        locks = at.lock(table, pg=sue(table) if gentle else ae(table), mysql=inplace(table), rebuild=False)
        yield Effect("drop_index", table, rule.name, "safe-with-care", locks=locks)
        return
    slug = {"unique": "drop_unique"}.get(rule.kind, "drop_check")
    locks = at.lock(table, pg=ae(table), mysql=instant(table), rebuild=True)
    # SQL may drop one that no model has told of: what it guarded is not known.
    is_known = rule.name in at.schema[table].constraints if table in at.schema else False
    yield Effect(slug, table, rule.name, "safe-with-care", "none" if is_known else "lossy", "until new rows", locks)


def _rule_added(at: Setting, table: str, rule: Constraint, kind: str) -> Iterator[Effect]:
    if not rule.supported:
        yield Effect("unsupported_rule", table, rule.name, "safe-with-care")
        return
    if rule.kind == "index" or (rule.kind == "unique" and kind.endswith("Concurrently")):
        yield from _index_added(at, table, rule, kind)
        return
    if kind == "AddConstraintNotValid" or not rule.valid:
        yield Effect("add_not_valid", table, rule.name, "safe-with-care", locks=at.lock(
            table, pg=ae(table), mysql=copy(table), rebuild=True))  # fmt: skip
        return
    slug, pg, mysql = _rule_cost(table, rule)
    locks = at.lock(table, pg=pg, mysql=mysql, rebuild=not (rule.partial or rule.expression))
    yield Effect(slug, table, rule.name, "long-running", locks=locks)


def _rule_cost(table: str, rule: Constraint) -> tuple[str, Lock, Lock]:
    if rule.kind == "unique":
        pg = share(table) if rule.partial or rule.expression else ae(table, "an index build")
        return "add_unique", pg, inplace(table)
    if rule.kind == "exclude":
        return "add_exclusion", ae(table, "an index build"), copy(table)
    return "add_check", ae(table, "a scan"), copy(table)


def _index_added(at: Setting, table: str, rule: Constraint, kind: str) -> Iterator[Effect]:
    if kind.endswith("Concurrently"):
        slug, cls = (
            ("concurrent_in_transaction", "needs-approval")
            if at.atomic
            else ("add_index_concurrently", "safe-with-care")
        )
        lock = at.lock(table, pg=sue(table, "an index build"), mysql=inplace(table), rebuild=False)
        yield Effect(slug, table, rule.name, cls, locks=lock)  # type: ignore[arg-type]
        return
    locks = at.lock(table, pg=share(table), mysql=inplace(table), rebuild=False)
    yield Effect("add_index", table, rule.name, "long-running", locks=locks)
