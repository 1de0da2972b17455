"""What a rehearsal of a release's migrations means to its deploy: it goes on, with notes, or is refused."""

from __future__ import annotations

from collections.abc import Iterable

from shipway.core.errors import Finding, Refused
from shipway.migrations.rehearsal import Failure, Opinion
from shipway.planning.migrate import Decided, name_keys

_MOST = 8


def weigh(opinion: Opinion, decided: Decided, names: tuple[str, str], command: str) -> tuple[str, ...]:
    """Return what a person should know of a rehearsal. `names` are the release that serves and the new one.

    What the old code does not survive counts only where all migrations would run while it serves. Raises Refused
    `rehearse.plan`, `rehearse.new_code` and `rehearse.old_code`.
    """
    base, release = names
    keys = name_keys((*decided.before, *decided.after, *decided.window))
    if opinion.error:
        raise Refused(
            "rehearse.plan",
            f"the migrations of {release} failed in a scratch database: {opinion.failed or keys}",
            said=opinion.error,
            next=f"mend the migration, then `{command}`",
        )
    if not opinion.new_works:
        raise _refusal("rehearse.new_code", f"{release} does not work on what its migrations leave", opinion, command)
    if opinion.old_code == "breaks" and not decided.after and not decided.window:
        what = f"{base} does not survive the migrations of {release}, as a scratch database showed"
        raise _refusal("rehearse.old_code", what, opinion, command)
    return (*_notes(opinion, base), *(f"not rehearsed: {model}: {why}" for model, why in opinion.unseen[:_MOST]))


def _notes(opinion: Opinion, base: str) -> Iterable[str]:
    """Yield what was seen and does not stand in the way."""
    told = {(one.model, one.words): one for one in opinion.failures if one.release == "old"}
    for one in list(told.values())[:_MOST]:
        yield f"rehearsed: {base} cannot {one.action} ({one.model}): {one.words}"
    yield from (f"rehearsed: {text}" for text in opinion.values[:_MOST])
    if not told and not opinion.values:
        yield f"rehearsed: {base} and the new release did everything on the new schema"


def _refusal(code: str, what: str, opinion: Opinion, command: str) -> Refused:
    release = "new" if code == "rehearse.new_code" else "old"
    told: dict[tuple[str, str], Failure] = {}
    for one in sorted(opinion.failures, key=lambda one: not one.is_ordinary):
        if one.release == release:
            told.setdefault((one.model, one.words), one)
    findings = (
        Finding("rehearse.failure", f"{one.model}, {one.action}: {one.words}") for one in list(told.values())[:_MOST]
    )
    return Refused(
        code,
        what,
        where="release.rehearse: true",
        next=f"`shipway migrations` has the recipe; without the rehearsal: `release: {{rehearse: false}}`, `{command}`",
        findings=tuple(findings),
    )
