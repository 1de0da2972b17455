"""What a rehearsal means: a second opinion on a plan, which outranks the first where it saw more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from shipway.core.rehearsal import Actions, Rehearsed
from shipway.migrations.words import CodeRollback, OldCode, worst_old_code, worst_rollback

ORDINARY = ("list", "find", "create", "update")
"""What every release does with every model. The others, a delete among them, are legitimate, but not of every day."""

_OWN_WILL = ("ProtectedError", "RestrictedError")
"""What a release's own `on_delete` forbids is no failure."""

Says = Literal["the same", "more", "less"]


@dataclass(frozen=True, slots=True)
class Failure:
    """What one release could not do with one model, in the words of the database."""

    release: Literal["old", "new"]
    model: str
    action: str
    words: str
    is_ordinary: bool


@dataclass(frozen=True, slots=True)
class Opinion:
    """What was seen. `error`: the plan itself failed, in the migration `failed`, and nothing else is known.

    `unseen` are models that could not be tried, each with the reason; `values` sentences on what the old release reads.
    """

    old_code: OldCode
    code_rollback: CodeRollback
    failures: tuple[Failure, ...]
    values: tuple[str, ...]
    unseen: tuple[tuple[str, str], ...]
    failed: str = ""
    error: str = ""

    @property
    def new_works(self) -> bool:
        """Whether the new release could do everything on the schema that its own migrations leave."""
        return not self.error and not any(one.release == "new" for one in self.failures)


def opine(seen: Rehearsed) -> Opinion:
    """Return what was seen in one database as an opinion."""
    unseen = tuple(sorted(seen.unseeded.items()))
    if seen.error:
        return Opinion("ok", "allowed", (), (), unseen, seen.failed, seen.error)
    old = tuple(_fresh("old", seen.baseline, seen.after))
    new = tuple(_broken(seen))
    return Opinion(
        worst_old_code([*map(_old_code, old), *(["conditional"] if seen.changed else [])]),  # type: ignore[list-item]
        worst_rollback([*map(_rollback, old), *_rollback_of_values(seen)]),
        (*old, *new),
        tuple(_values(seen)),
        unseen,
    )


def _fresh(release: Literal["old", "new"], before: Actions, after: Actions) -> Iterator[Failure]:
    """Yield what worked before and does not now."""
    for model, actions in after.items():
        for action, words in actions.items():
            if words and before.get(model, {}).get(action) == "" and not words.startswith(_OWN_WILL):
                yield Failure(release, model, action, words, action in ORDINARY)


def _broken(seen: Rehearsed) -> Iterator[Failure]:
    """Yield what the new release cannot do after its own migrations; what no release could is not its fault."""
    for model, actions in seen.new_after.items():
        for action, words in actions.items():
            is_old = bool(seen.baseline.get(model, {}).get(action)) or bool(seen.unseeded.get(model))
            if words and not is_old and not words.startswith(("NoValue", "LookupError", *_OWN_WILL)):
                yield Failure("new", model, action, words, action in ORDINARY)


def _old_code(one: Failure) -> OldCode:
    return "breaks" if one.is_ordinary else "conditional"


def _rollback(one: Failure) -> CodeRollback:
    return "refused" if one.is_ordinary else "warn"


def _rollback_of_values(seen: Rehearsed) -> Iterator[CodeRollback]:
    for fields in seen.changed.values():
        yield from ("refused" if what in ("lost", "gone") else "warn" for what in fields.values())
    if any(True for _ in _strange(seen)):
        yield "warn"


def _strange(seen: Rehearsed) -> Iterator[tuple[str, str, str]]:
    return ((model, name, what) for model, fields in seen.meets.items() for name, what in fields.items())


def _values(seen: Rehearsed) -> Iterator[str]:
    for model, fields in sorted(seen.changed.items()):
        for name, what in sorted(fields.items()):
            yield {
                "gone": f"rows of {model} that were there are gone",
                "lost": f"values of {model}.{name} that were there are lost",
            }.get(what, f"values of {model}.{name} that were there are others now")
    for model, name, what in sorted(_strange(seen)):
        met = {"NULL": "NULL", "too long": "longer values than it knows"}.get(what, "larger values than it knows")
        yield f"the old release reads {met} in {model}.{name}"


def compare(opinion: Opinion, first: Iterable[tuple[OldCode, CodeRollback]]) -> tuple[OldCode, CodeRollback, Says]:
    """Return the worse of both opinions, and what the rehearsal says beside the first: the same, more, or less."""
    verdicts = tuple(first)
    old_code = worst_old_code(old for old, _ in verdicts)
    rollback = worst_rollback(back for _, back in verdicts)
    both = worst_old_code((old_code, opinion.old_code)), worst_rollback((rollback, opinion.code_rollback))
    if both == (opinion.old_code, opinion.code_rollback):
        return *both, "the same" if both == (old_code, rollback) else "more"
    return *both, "less" if both == (old_code, rollback) else "more"
