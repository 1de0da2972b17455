"""The verdict on each pending migration: may it run while the old code serves, and is there a way back?

Decided by the footprint of the old release against the schema that the migration leaves, and by what its operations
do to data; never by the names of operations alone. `docs/explanation/migrations.md` tells the rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from shipway.core.migration import Database, Key, Migration, Size
from shipway.core.schema import Schema
from shipway.migrations.compat import Problem, Server, problems
from shipway.migrations.declare import Declaration, Phase, read_declaration
from shipway.migrations.effect import Effect, Lock, Setting
from shipway.migrations.effects import schema_after, state_after
from shipway.migrations.names import Names
from shipway.migrations.origins import Origins, replaced
from shipway.migrations.plan import Base, chart, start
from shipway.migrations.played import Judged, play
from shipway.migrations.words import (
    CodeRollback,
    MigrationClass,
    OldCode,
    Reversal,
    worst_class,
    worst_old_code,
    worst_reversal,
    worst_rollback,
)

NewCode = Literal["yes", "part", "no"]
"""Whether the new code works before the migration is applied."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one migration means.

    `standing` problems of the old release are there when the plan is done, `passing` ones a later migration repairs.
    `broken` are problems of the new release on the schema that its own migration leaves. `long_running`: work over a
    big table, or one of unknown size, that stops somebody. `is_first_release`: there is no old code to protect.
    """

    migration: Migration
    cls: MigrationClass
    old_code: OldCode
    code_rollback: CodeRollback
    reversal: Reversal
    long_running: bool
    new_code_before: NewCode
    operations: tuple[Judged, ...]
    standing: tuple[Problem, ...]
    passing: tuple[Problem, ...]
    broken: tuple[Problem, ...]
    declaration: Declaration
    names: Names
    sizes: tuple[tuple[str, Size], ...] = ()

    @property
    def key(self) -> Key:
        """(app, name) of the migration."""
        return self.migration.key

    @property
    def phase(self) -> Phase:
        """The phase that the author asked for."""
        return self.declaration.phase

    @property
    def effects(self) -> tuple[Effect, ...]:
        """All effects, in the order of the operations."""
        return tuple(effect for judged in self.operations for effect in judged.effects)

    @property
    def locks(self) -> tuple[Lock, ...]:
        """The locks that are taken, each once."""
        return tuple(dict.fromkeys(lock for effect in self.effects for lock in effect.locks))


@dataclass(frozen=True, slots=True)
class _Moment:
    """What there is around one migration: state, schema and origins before, after, and at the end of the plan."""

    release: Schema
    state: Schema
    schema: Schema
    state_after: Schema
    schema_after: Schema
    state_end: Schema
    schema_end: Schema
    origins: tuple[Origins, Origins, Origins]

    def touched(self) -> frozenset[str]:
        """Return the tables that are other than before, in the database or for the models."""
        pairs = ((self.schema, self.schema_after), (self.state, self.state_after))
        return frozenset(name for a, b in pairs if a is not b for name in {*a, *b} if a.get(name) is not b.get(name))


def judge(database: Database, base: Base | None = None) -> tuple[Verdict, ...]:
    """Return a verdict for each pending migration of `database`, in the order in which they would run.

    `base` is the release that serves; without one it is the code that matches what the database has recorded.
    """
    course = chart(database, base)
    state, schema = start(database, course)
    moments: list[tuple[Schema, Schema]] = [(state, schema)]
    for migration in course.pending:
        for operation in migration.operations:
            state, schema = state_after(state, operation), schema_after(schema, operation)
        moments.append((state, schema))
    played = play(database, course, [schema for _, schema in moments])
    server = Server(database.vendor, database.django)
    verdicts = []
    for index, (setting, operations, origins) in enumerate(played):
        begin, after = moments[index], moments[index + 1]
        alone = course.release is None
        release = begin[0] if course.release is None else course.release
        ends = (*after, origins) if alone else (*moments[-1], played[-1][2])
        moment = _Moment(release, *begin, *after, ends[0], ends[1], (setting.origins, origins, ends[2]))
        verdicts.append(_judge_one(course.pending[index], moment, setting, operations, server))
    return tuple(verdicts)


def _judge_one(
    migration: Migration, moment: _Moment, setting: Setting, operations: tuple[Judged, ...], server: Server
) -> Verdict:
    effects = tuple(effect for judged in operations for effect in judged.effects)
    standing, passing = _old_problems(moment, server)
    broken = _new_problems(moment, server)
    declaration = read_declaration(migration)
    tables = {lock.table for effect in effects for lock in effect.locks}
    return Verdict(
        migration=migration,
        cls=worst_class((_class(effects, standing, passing, broken), _class_of_parts(migration, operations, server))),
        old_code=_old_code(effects, standing, passing, declaration),
        code_rollback=_rollback(effects, standing, declaration, moment.release),
        reversal=_reversal(migration, effects),
        long_running=_is_long(effects, setting),
        new_code_before=_before(moment, server),
        operations=operations,
        standing=standing,
        passing=passing,
        broken=broken,
        declaration=declaration,
        names=Names((moment.release, moment.state, moment.state_after, moment.schema, moment.schema_after)),
        sizes=tuple((table, setting.sizes.get(table, Size())) for table in sorted(tables)),
    )


def _old_problems(moment: _Moment, server: Server) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """Return the problems that the old release gets by this migration: those that stay, those that are repaired."""
    touched = moment.touched()
    schemas = (moment.schema, moment.schema_after, moment.schema_end)
    before, after, end = (
        problems(moment.release, schema, server, touched) | replaced(moment.release, schema, origins)
        for schema, origins in zip(schemas, moment.origins, strict=True)
    )
    made = after - before
    last = {_spot(p) for p in end}
    standing = sorted((p for p in made if _spot(p) in last), key=_gravity)
    passing = sorted((p for p in made if _spot(p) not in last), key=_gravity)
    return tuple(standing), tuple(passing)


def _spot(problem: Problem) -> tuple[str, str, str]:
    return problem.slug, problem.table, problem.name


def _gravity(problem: Problem) -> tuple[int, int, str, str, str]:
    """Return a key that sorts the worst problem first."""
    ranks = (
        ("breaks", "conditional", "ok").index(problem.old_code),
        ("refused", "warn", "allowed").index(problem.code_rollback),
    )
    # A column that is gone explains more than the constraint that went with it.
    return (*ranks, problem.slug, problem.table, problem.name)


def _new_problems(moment: _Moment, server: Server) -> tuple[Problem, ...]:
    """Return what breaks for the new release itself: its models on the schema, with all migrations applied."""
    touched = moment.touched()
    before = problems(moment.state, moment.schema, server, touched)
    made = problems(moment.state_after, moment.schema_after, server, touched) - before
    last = {_spot(p) for p in problems(moment.state_end, moment.schema_end, server, touched)}
    hard = (p for p in made if _spot(p) in last and (p.old_code == "breaks" or p.slug == "new_reference"))
    return tuple(sorted(hard, key=_gravity))


def _before(moment: _Moment, server: Server) -> NewCode:
    """Return whether the new code works on the schema without this migration."""
    touched = moment.touched()
    without = problems(moment.state_end, moment.schema, server, touched)
    healed = without - problems(moment.state_end, moment.schema_after, server, touched)
    if any(p.slug == "null_forbidden" for p in healed):
        return "no"  # the new code lets a value be absent in order to leave it out
    return {"breaks": "no", "conditional": "part", "ok": "yes"}[worst_old_code(p.old_code for p in healed)]  # type: ignore[return-value]


def _class(
    effects: Iterable[Effect], standing: Iterable[Problem], passing: tuple[Problem, ...], broken: tuple[Problem, ...]
) -> MigrationClass:
    found: list[MigrationClass] = [effect.cls for effect in effects]
    if any(p.old_code != "ok" and p.slug != "new_reference" for p in standing) or broken:
        found.append("needs-approval")
    if passing:
        found.append("safe-with-care")
    return worst_class(found)


def _class_of_parts(migration: Migration, operations: tuple[Judged, ...], server: Server) -> MigrationClass:
    """Return what it costs that a failure in the middle leaves the first operations of a migration done."""
    parts = [judged for judged in operations if any(effect.slug != "quiet" for effect in judged.effects)]
    return "safe-with-care" if len(parts) > 1 and not migration.atomic and server.vendor != "sqlite" else "safe"


def _old_code(
    effects: Iterable[Effect], standing: Iterable[Problem], passing: Iterable[Problem], declaration: Declaration
) -> OldCode:
    found: list[OldCode] = [problem.old_code for problem in standing]
    found += ["conditional" for problem in passing if problem.old_code != "ok"]
    if any(effect.delta == "opaque" for effect in effects):
        found.append(declaration.old_code or "conditional")
    if any(effect.slug == "truncate" for effect in effects):
        found.append("conditional")
    if declaration.old_code:
        found.append(declaration.old_code)
    return worst_old_code(found)


def _rollback(
    effects: Iterable[Effect], standing: Iterable[Problem], declaration: Declaration, release: Schema
) -> CodeRollback:
    found: list[CodeRollback] = [problem.code_rollback for problem in standing]
    for effect in effects:
        if effect.delta == "destroys" and _is_named(effect, release):
            found.append("refused")
        elif effect.delta == "opaque":
            found.append(declaration.rollback or "warn")
        elif effect.delta == "lossy":
            found.append("warn")
    if declaration.rollback:
        found.append(declaration.rollback)
    return worst_rollback(found)


def _is_named(effect: Effect, release: Schema) -> bool:
    """Whether what is destroyed belongs to the old release."""
    table = release.get(effect.table)
    return table is not None and (effect.slug != "drop_column" or effect.name in table.columns)


def _reversal(migration: Migration, effects: Iterable[Effect]) -> Reversal:
    found: list[Reversal] = [effect.reversal for effect in effects]
    if not all(operation.reversible for operation in migration.operations):
        found.append("no")
    return worst_reversal(found)


def _is_long(effects: Iterable[Effect], setting: Setting) -> bool:
    slow = (effect.table for effect in effects if effect.cls == "long-running")
    held = (lock.table for effect in effects for lock in effect.locks if lock.is_long)
    return any(setting.is_big(table) for table in (*slow, *held) if table)
