"""Verdicts as the document that `shipway migrations --json` prints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from shipway.migrations.explain import notes, operation_line, reason, recipe, recipe_name
from shipway.migrations.verdict import Verdict

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"


def render_verdict(verdict: Verdict, vendor: str) -> dict[str, Json]:
    """Return one verdict as a document. Sizes of -1 are unknown."""
    sizes = dict(verdict.sizes)
    steps = recipe(verdict)
    return {
        "app": verdict.key[0],
        "name": verdict.key[1],
        "class": verdict.cls,
        "old_code": verdict.old_code,
        "code_rollback": verdict.code_rollback,
        "new_code_before": verdict.new_code_before,
        "reversible": verdict.reversal in ("yes", "until new rows"),
        "reversal": verdict.reversal,
        "long_running": verdict.long_running,
        "phase": verdict.phase,
        "locks": [
            {
                "table": lock.table,
                "lock": lock.mode,
                "for": lock.during,
                "blocks": lock.blocks,
                "rows": sizes[lock.table].rows,
                "bytes": sizes[lock.table].bytes,
            }
            for lock in verdict.locks
        ],
        "reason": reason(verdict),
        "recipe": "\n".join(f"{n}. {step}" for n, step in enumerate(steps, 1)) if len(steps) > 1 else "".join(steps),
        "recipe_name": recipe_name(verdict),
        "notes": list(notes(verdict, vendor)),
        "operations": [
            {
                "name": judged.operation.name,
                "scope": judged.operation.scope,
                "model": judged.operation.model,
                "field": judged.operation.field,
                "effects": [effect.slug for effect in judged.effects],
                "says": operation_line(judged, verdict),
            }
            for judged in verdict.operations
        ],
    }


def render_verdicts(verdicts: Iterable[Verdict], vendor: str) -> dict[str, Json]:
    """Return all verdicts of one database as a document."""
    return {"database": vendor, "migrations": [render_verdict(verdict, vendor) for verdict in verdicts]}
