"""May code go back to an earlier release while the schema stays? `docs/explanation/migrations.md` tells the rule.

Decided by what the earlier release's code names against the schema that there is now, and by what the migrations that
it does not have did to data: never by adding up verdicts from release to release, since those are not transitive.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from shipway.core.migration import Database, Key, Migration
from shipway.core.schema import Schema
from shipway.migrations.compat import Server, problems
from shipway.migrations.explain import reason
from shipway.migrations.names import Names
from shipway.migrations.plan import Base, expand
from shipway.migrations.verdict import Verdict, judge
from shipway.migrations.words import CodeRollback, worst_rollback
from shipway.migrations.words_for.problems import problem_sentence

# Types and constraints of a live schema are called too differently from Django's words to be compared.
_STRUCTURAL = frozenset({"table_missing", "column_missing", "column_unfilled"})
_MOST = 10


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing in the way, or to be known: the migration that is to blame ("" when none is known), and a sentence."""

    verdict: CodeRollback
    migration: str
    what: str

    def __str__(self) -> str:
        return f"{self.migration}: {self.what}" if self.migration else self.what


@dataclass(frozen=True, slots=True)
class WayBack:
    """The answer for one release. `reasons` has the gravest first.

    `is_known` is false where what decides could not be learnt: that is refused, and nobody can overrule it, since
    nobody knows what would be overruled. `workers_first`: what serves must end its workers before the switch.
    """

    release: str
    verdict: CodeRollback
    reasons: tuple[Reason, ...] = ()
    is_known: bool = True
    workers_first: bool = False


def unknown(release: str, why: str) -> WayBack:
    """Return the answer where what must be known is not: that is no way back."""
    return WayBack(release, "refused", (Reason("refused", "", why),), is_known=False)


def way_back(target: Base, database: Database, django: tuple[int, int] = (0, 0)) -> WayBack:
    """Return whether code may go back to `target`.

    `database` has what is recorded and live now, and the walk of the release that serves: what its migrations do.
    `django` is the version that `target` runs with.
    """
    if database.applied is None or database.live is None:
        return unknown(target.name, f"the database does not answer: {database.error or 'nothing is known of it'}")
    reasons = sorted(_reasons(target, database, django), key=_gravity)
    return WayBack(target.name, worst_rollback(reason.verdict for reason in reasons), tuple(reasons[:_MOST]))


def _gravity(one: Reason) -> int:
    return ("refused", "warn", "allowed").index(one.verdict)


def _reasons(target: Base, database: Database, django: tuple[int, int]) -> Iterator[Reason]:
    applied = database.applied or frozenset()
    recorded = expand(applied, database.walk)
    since = tuple(m for m in database.walk if m.key in recorded)
    runs_with = django if any(django) else database.django
    verdicts = judge(replace(database, walk=since, live=None, django=runs_with), target)
    blamed: set[tuple[str, str, str]] = set()
    for verdict in verdicts:
        blamed |= {(problem.table, problem.name, problem.slug) for problem in verdict.standing}
        if verdict.code_rollback != "allowed":
            yield Reason(verdict.code_rollback, verdict.migration.label, _what(verdict))
    yield from _live(target, database, blamed, database.live or {})
    yield from _missing(target, recorded, database.walk)
    yield from _strangers(target, applied, database.walk)


def _what(verdict: Verdict) -> str:
    worst = next((p for p in verdict.standing if p.code_rollback == verdict.code_rollback), None)
    return problem_sentence(worst, verdict.names) if worst is not None else reason(verdict)


def _live(target: Base, database: Database, blamed: set[tuple[str, str, str]], live: Schema) -> Iterator[Reason]:
    """Yield what the live schema lacks, or has besides, that no known migration explains.

    A migration explains what it was blamed for and nothing graver: one that let a column be empty did not drop it.
    """
    found = problems(target.footprint, live, Server(database.vendor, database.django), target.footprint)
    for problem in sorted(found, key=lambda p: (p.table, p.slug, p.name)):
        wholes = (
            (problem.table, name, slug) for name in (problem.name, "") for slug in (problem.slug, "table_missing")
        )
        is_explained = any(whole in blamed for whole in wholes)
        if problem.slug in _STRUCTURAL and not is_explained:
            sentence = problem_sentence(problem, Names((target.footprint, live)))
            yield Reason("refused", "", f"{sentence}; no migration that is known did that")


def _missing(target: Base, recorded: frozenset[Key], walk: tuple[Migration, ...]) -> Iterator[Reason]:
    """Yield the migrations that the earlier release has and the database has not: it expects what is not there."""
    for key in sorted(key for key in target.keys if key not in expand(recorded, walk)):
        yield Reason("warn", ".".join(key), f"{target.name} has it, and the database has not; it must not migrate")


def _strangers(target: Base, applied: frozenset[Key], walk: tuple[Migration, ...]) -> Iterator[Reason]:
    """Yield the recorded migrations of known apps that neither release has: nobody can tell what they did."""
    known = {m.key for m in walk} | target.keys | {key for m in walk for key in m.replaces}
    apps = {app for app, _ in known}
    for key in sorted(key for key in applied if key not in known and key[0] in apps):
        yield Reason("warn", ".".join(key), "it is recorded, and neither release has it")
