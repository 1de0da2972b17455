"""What is wrong with the migrations as a whole, or with a database beside them: findings with codes."""

from __future__ import annotations

from collections.abc import Iterator

from shipway.core.errors import Finding
from shipway.core.migration import Database
from shipway.migrations.compat import Problem, Server, problems
from shipway.migrations.names import Names
from shipway.migrations.plan import Base, chart, expand
from shipway.migrations.words_for.problems import problem_sentence

# What the types and constraints of a live schema are called differs too much from Django's words to be compared.
_STRUCTURAL = ("table_missing", "column_missing", "column_unfilled")
_MOST = 20


def find(database: Database, base: Base | None) -> tuple[Finding, ...]:
    """Return the findings of one database, errors first."""
    if database.error:
        return (
            Finding(
                "migrations.no_database",
                f"the database `{database.alias}` does not answer, so sizes and what is applied are unknown",
                where=database.error,
                level="warning",
            ),
        )
    return (*_unknown(database, base), *_drift(database, base))


def _unknown(database: Database, base: Base | None) -> Iterator[Finding]:
    """Yield the migrations that are recorded and that no file has: the database is ahead of the code."""
    keys = expand(base.keys if base else (), database.walk) | {m.key for m in database.walk}
    keys |= {key for migration in database.walk for key in migration.replaces}
    apps = {app for app, _ in keys}
    ahead = sorted(key for key in (database.applied or ()) if key not in keys and key[0] in apps)
    if ahead:
        names = ", ".join(".".join(key) for key in ahead[:_MOST])
        yield Finding(
            "migrations.unknown",
            f"the database has migrations that this code does not have: {names}",
            where=f"database {database.alias}",
            next="git log --all -- '*/migrations/*'",
            level="warning",
        )


def _drift(database: Database, base: Base | None) -> Iterator[Finding]:
    """Yield what the database lacks, or has besides, for the code that matches what it has recorded."""
    course = chart(database, base)
    if database.live is None or course.release is None:
        return
    if database.applied is None or any(m.key in database.applied for m in course.pending):
        return
    server = Server(database.vendor, database.django)
    found = problems(course.release, database.live, server, course.release)
    for problem in sorted((p for p in found if p.slug in _STRUCTURAL), key=_order)[:_MOST]:
        sentence = problem_sentence(problem, Names((course.release, database.live)))
        yield Finding(
            "migrations.drift",
            f"the database is not as its recorded migrations left it: {sentence}",
            where=f"database {database.alias}, table {problem.table}",
            level="warning",
        )


def _order(problem: Problem) -> tuple[str, str, str]:
    return problem.table, problem.slug, problem.name
