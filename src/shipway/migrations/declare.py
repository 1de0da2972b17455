"""What the author of a migration declares about it, in the words of three tools.

- django-syzygy: `stage = Stage.POST_DEPLOY` on the migration or an operation.
- django-safemigrate: `safe = Safe.after_deploy()`.
- Shipway: `shipway = {"phase": "after", "old_code": "ok", "rollback": "allowed", "reason": "…"}`.

What is declared settles what cannot be seen (Python code, unknown SQL) and may always be stricter than what was found.
It cannot talk away what was seen: a column that is dropped is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from shipway.core.migration import Migration
from shipway.migrations.words import CODE_ROLLBACK, OLD_CODE, CodeRollback, OldCode

Phase = Literal["", "before", "after", "always"]
"""When a migration wants to run: before the switch, after the old release is gone, at either time; "": not said."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What an author said. None and "" are not said; `mistakes` are words that mean nothing."""

    phase: Phase = ""
    old_code: OldCode | None = None
    rollback: CodeRollback | None = None
    reason: str = ""
    mistakes: tuple[str, ...] = ()


def read_declaration(migration: Migration) -> Declaration:
    """Return what the author of `migration` declared; our own attribute comes before those of others."""
    said = migration.declared
    stages = [said.get("stage", ""), *(operation.stage for operation in migration.operations)]
    phase, old_code, rollback, reason = (said.get(f"shipway.{name}", "") for name in _OWN)
    phases = [_own_phase(phase), _phase(said.get("safe", "")), *map(_phase, stages)]
    return Declaration(
        phase=next((phase for phase in phases if phase), ""),
        old_code=old_code if old_code in OLD_CODE else None,
        rollback=rollback if rollback in CODE_ROLLBACK else None,
        reason=reason,
        mistakes=tuple(_mistakes(said)),
    )


def _phase(text: str) -> Phase:
    """Return the phase that a member of another tool's enumeration names (`POST_DEPLOY`, `Safe.after_deploy()`)."""
    word = text.lower()
    if "after" in word or "post" in word:
        return "after"
    if "always" in word:
        return "always"
    return "before" if "before" in word or "pre" in word else ""


def _own_phase(text: str) -> Phase:
    return cast("Phase", text) if text in ("before", "after", "always") else ""


_OWN = {"phase": ("before", "after", "always"), "old_code": OLD_CODE, "rollback": CODE_ROLLBACK, "reason": ()}


def _mistakes(said: object) -> list[str]:
    found = []
    for name, value in cast("dict[str, str]", said).items():
        if not name.startswith("shipway."):
            continue
        key = name.partition(".")[2]
        allowed = _OWN.get(key)
        if allowed is None:
            found.append(f"`{key}` is no word of `shipway`; it knows {', '.join(_OWN)}")
        elif allowed and value not in allowed:
            found.append(f"`{key}` cannot be `{value}`; it is one of {', '.join(allowed)}")
    return found
