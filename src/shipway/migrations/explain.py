"""A verdict in words: the reason in one sentence, the recipe in the user's names, and what else is worth knowing."""

from __future__ import annotations

from collections.abc import Iterator

from shipway.migrations.compat import Problem
from shipway.migrations.effect import Effect
from shipway.migrations.played import Judged
from shipway.migrations.verdict import Verdict
from shipway.migrations.words import CLASSES
from shipway.migrations.words_for.effects import effect_sentence
from shipway.migrations.words_for.problems import new_code_sentence, problem_sentence
from shipway.migrations.words_for.recipes import OF_EFFECT, OF_PROBLEM, render_recipe

_RENAMES = frozenset({"rename_table", "rename_column"})


def reason(verdict: Verdict) -> str:
    """Return the reason of a verdict: one sentence, without a full stop."""
    text = _reason(verdict)
    return text[:1].upper() + text[1:]


def _reason(verdict: Verdict) -> str:
    problem = next((p for p in verdict.standing if p.old_code != "ok"), None)
    if problem is not None:
        return problem_sentence(problem, verdict.names)
    if verdict.broken:
        return new_code_sentence(verdict.broken[0], verdict.names)
    effect = _gravest(verdict)
    is_grave = effect is not None and (effect.delta != "none" or effect.cls == "long-running")
    if effect is not None and (is_grave or not verdict.standing):
        return effect_sentence(effect, verdict.names)
    if verdict.standing:
        return problem_sentence(verdict.standing[0], verdict.names)
    return "no table of the database changes"


def _gravest(verdict: Verdict) -> Effect | None:
    """Return the effect that says most: the worst class, and among equals the first."""
    return max(verdict.effects, key=lambda effect: (CLASSES.index(effect.cls), effect.slug != "quiet"), default=None)


def recipe_name(verdict: Verdict) -> str:
    """Return the name of the recipe that does the same change in phases; "" where none is needed."""
    name, _ = _recipe(verdict)
    return name


def recipe(verdict: Verdict) -> tuple[str, ...]:
    """Return the steps of the recipe in the user's own names; none where none is needed."""
    name, spot = _recipe(verdict)
    if not name or spot is None:
        return ()
    names = verdict.names
    column = "" if spot.slug in ("table_missing", "drop_table", "create_child", "rename_table") else spot.name
    return render_recipe(
        name,
        model=names.model(spot.table) if spot.table else verdict.migration.label,
        field=names.field(spot.table, column) if column else "",
        other=names.model(spot.other) if spot.other else "the other",
        app=verdict.key[0],
    )


def _recipe(verdict: Verdict) -> tuple[str, Problem | Effect | None]:
    if verdict.cls == "safe":
        return "", None
    rename = next((e for e in verdict.effects if e.slug in _RENAMES and e.cls != "safe"), None)
    problem = next((p for p in (*verdict.standing, *verdict.broken) if p.old_code != "ok"), None)
    if rename is not None and problem is not None and problem.slug in ("column_missing", "table_missing"):
        return "rename", rename
    if problem is not None:
        if problem.slug == "column_unfilled" and problem in verdict.broken:
            return "remove-column", problem
        if any(e.slug == "add_foreign_key" and e.name == problem.name for e in verdict.effects):
            return ("foreign-key" if problem.old_code == "breaks" else "new-relation"), problem
        return OF_PROBLEM[problem.slug], problem
    effect = _gravest(verdict)
    return (OF_EFFECT.get(effect.slug, ""), effect) if effect is not None else ("", None)


def operation_line(judged: Judged, verdict: Verdict) -> str:
    """Return what one operation does, without a full stop."""
    if judged.operation.scope == "state":
        return "only Django's own record of the models changes"
    effect = max(judged.effects, key=lambda e: CLASSES.index(e.cls), default=None)
    return effect_sentence(effect, verdict.names) if effect is not None else "no table of the database changes"


def notes(verdict: Verdict, vendor: str) -> Iterator[str]:
    """Yield what else a person should know, a sentence each, without a full stop."""
    for problem in verdict.standing[1:] if verdict.standing and verdict.standing[0].old_code != "ok" else ():
        yield problem_sentence(problem, verdict.names)
    for problem in verdict.passing:
        yield f"until a later migration of this plan repairs it, {problem_sentence(problem, verdict.names)}"
    yield from verdict.declaration.mistakes
    touching = [judged for judged in verdict.operations if judged.effects and judged.operation.scope != "state"]
    if len(touching) > 1 and (vendor in ("mysql", "mariadb") or not verdict.migration.atomic):
        yield (
            f"its {len(touching)} operations do not stand or fall together: after a failure in the middle the first"
            " ones stay, and the migration is not recorded"
        )
    rows = any(judged.operation.kind == "RunPython" for judged in touching)
    if rows and verdict.locks and verdict.migration.atomic and vendor == "postgresql":
        yield "the locks of its schema changes are held while its Python code runs"
