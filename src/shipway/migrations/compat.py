"""The footprint of a release against a schema: which of its statements would fail, and which may.

Django names every column in SELECT and INSERT. So two facts decide almost everything: a column that a release names
must exist, and a column that it does not name must be nullable or have a default in the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shipway.core.schema import Column, Constraint, Schema, Table
from shipway.migrations.types import compare_types
from shipway.migrations.words import CodeRollback, OldCode


@dataclass(frozen=True, slots=True)
class Server:
    """What the answer depends on besides tables: the vendor, and the Django whose statements are judged."""

    vendor: str
    django: tuple[int, int] = (5, 2)

    @property
    def inserts_defaults(self) -> bool:
        """Whether Django itself writes the value of a `db_default` into its INSERT: SQLite before Django 6.0."""
        return self.vendor == "sqlite" and self.django < (6, 0)


@dataclass(frozen=True, slots=True)
class Problem:
    """One way in which a schema does not suit a release. `slug` names the kind, `name` a column or constraint.

    `other` is the second table of a relation. Two equal problems are the same one.
    """

    slug: str
    table: str
    name: str = ""
    old_code: OldCode = "ok"
    code_rollback: CodeRollback = "warn"
    other: str = ""
    detail: str = ""


def problems(release: Schema, schema: Schema, server: Server, tables: Iterable[str]) -> frozenset[Problem]:
    """Return the problems that the code with the footprint `release` has on `schema`, in `tables` only."""
    found: set[Problem] = set()
    for name in tables:
        known, real = release.get(name), schema.get(name)
        if known is not None and real is None:
            found.add(Problem("table_missing", name, "", "breaks", "refused"))
        elif known is not None and real is not None:
            found.update(_table(known, real, server))
        if real is not None:
            found.update(_relations(real, known, release))
    return frozenset(found)


def _table(known: Table, real: Table, server: Server) -> Iterator[Problem]:
    for column in known.columns.values():
        yield from _column(known.name, column, real.columns.get(column.name), server)
        if column.name in real.columns and column.target:
            yield from _target(known.name, column, real.columns[column.name])
    for name, column in real.columns.items():
        if name not in known.columns and not column.fills_itself:
            yield Problem("column_unfilled", known.name, name, "breaks", "refused")
    yield from _uniques(known, real)
    yield from _rules(known, real)


def _column(table: str, known: Column, real: Column | None, server: Server) -> Iterator[Problem]:
    if real is None:
        yield Problem("column_missing", table, known.name, "breaks", "refused")
        return
    change = compare_types(known.type, real.type, server.vendor)
    if change:
        detail = f"{known.type} to {real.type}"
        slug = f"type_{change.slug}"
        yield Problem(slug, table, known.name, change.old_code, change.code_rollback, detail=detail)
    if known.null and not real.null:
        yield Problem("null_forbidden", table, known.name, "conditional", "warn")
    if real.null and not known.null:
        yield Problem("null_allowed", table, known.name, "ok", "warn")
    yield from _value(table, known, real, server)
    if known.collation != real.collation and (known.field and real.field):
        yield Problem("collation_changed", table, known.name, "ok", "warn")
    if real.check and known.check != real.check and known.name == real.name:
        yield Problem("check_added", table, known.name, "conditional", "warn")
    elif known.check and not real.check and real.field:
        yield Problem("check_gone", table, known.name, "ok", "warn")


def _value(table: str, known: Column, real: Column, server: Server) -> Iterator[Problem]:
    """Yield what is wrong with where a row's value comes from: default, numbering, generation."""
    if known.default != "none" and real.default == "none" and not server.inserts_defaults:
        if not real.fills_itself:
            yield Problem("default_gone", table, known.name, "breaks", "refused")
        elif real.null:
            yield Problem("default_gone", table, known.name, "conditional", "warn")
    if known.identity and not real.identity:
        yield Problem("identity_gone", table, known.name, "breaks", "refused")
    if real.generated and not known.generated:
        yield Problem("became_generated", table, known.name, "breaks", "refused")
    if known.generated and not real.generated:
        breaks = not real.fills_itself
        yield Problem(
            "generation_gone", table, known.name, "breaks" if breaks else "conditional", "refused" if breaks else "warn"
        )


def _target(table: str, known: Column, real: Column) -> Iterator[Problem]:
    if known.enforced and not (real.target and real.enforced):
        yield Problem("reference_gone", table, known.name, "ok", "warn")
    elif real.target and real.enforced and known.target and real.target[0] != known.target[0]:
        yield Problem("reference_moved", table, known.name, "breaks", "refused", other=real.target[0])
    elif real.target and real.enforced and not known.enforced:
        yield Problem("reference_added", table, known.name, "conditional", "warn", other=real.target[0])


def _relations(real: Table, known: Table | None, release: Schema) -> Iterator[Problem]:
    """Yield references that the release does not know, into tables that it deletes from.

    `on_delete` lives in Python: a release that does not know the child neither deletes nor empties it.
    """
    for column in real.foreign_keys():
        target = column.target[0] if column.target else ""
        unknown = known is None or column.name not in known.columns
        if unknown and target in release and not column.cascades:
            yield Problem("new_reference", real.name, column.name, "conditional", "warn", other=target)
        elif known is not None and not unknown and known.columns[column.name].target is None:
            yield Problem("reference_added", real.name, column.name, "conditional", "warn", other=target)


def unique_sets(table: Table) -> dict[frozenset[str], str]:
    """Return the sets of columns that are unique over all rows, each with the name of its constraint."""
    found = {frozenset({c.name}): c.name for c in table.columns.values() if c.unique}
    for one in table.constraints.values():
        if one.kind == "unique" and one.supported and not (one.partial or one.expression):
            found.setdefault(frozenset(one.columns), one.name)
    return found


def _uniques(known: Table, real: Table) -> Iterator[Problem]:
    before, after = unique_sets(known), unique_sets(real)
    for columns, name in after.items():
        if columns not in before:
            yield from _unique_added(known, real, columns, name)
    for columns, name in before.items():
        if columns not in after and columns <= set(real.columns):
            yield Problem("unique_gone", known.name, name, "ok", "warn")


def _unique_added(known: Table, real: Table, columns: Iterable[str], name: str) -> Iterator[Problem]:
    unknown = [real.columns[c] for c in columns if c not in known.columns and c in real.columns]
    # A NULL, or a value that differs from row to row, never collides.
    if any(c.default in ("none", "volatile") for c in unknown):
        return
    if set(columns) & set(known.columns):
        yield Problem("unique_added", known.name, name, "conditional", "warn")
    elif unknown:
        yield Problem("unique_unfilled", known.name, name, "breaks", "refused")


def _rules(known: Table, real: Table) -> Iterator[Problem]:
    """Yield checks, exclusions, and unique constraints over some rows or expressions, that came or went."""
    before, after = _by_definition(known), _by_definition(real)
    for key in after.keys() - before.keys():
        yield from _rule_added(known, real, after[key])
    for key in before.keys() - after.keys():
        kind = "unique_gone" if before[key].kind == "unique" else "check_gone"
        if set(before[key].columns) <= set(real.columns):
            yield Problem(kind, known.name, before[key].name, "ok", "warn")


def _rule_added(known: Table, real: Table, rule: Constraint) -> Iterator[Problem]:
    unknown = [c for c in rule.columns if c not in known.columns]
    if unknown and len(unknown) == len(rule.columns):
        empty = [c for c in rule.needs if c in real.columns and real.columns[c].default == "none"]
        if empty:
            yield Problem("check_unfilled", known.name, rule.name, "breaks", "refused")
        return
    slug = {"check": "check_added", "exclude": "exclusion_added"}.get(rule.kind, "unique_added")
    yield Problem(slug, known.name, rule.name, "conditional", "warn")


def _by_definition(table: Table) -> dict[str, Constraint]:
    """Return the constraints that `unique_sets` does not speak of, by what they say (else by name)."""
    return {
        one.definition or one.name: one
        for one in table.constraints.values()
        if one.supported
        and (one.kind in ("check", "exclude") or (one.kind == "unique" and (one.partial or one.expression)))
    }
