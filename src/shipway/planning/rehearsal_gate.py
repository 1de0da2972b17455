"""What a rehearsal of a release's migrations means to its deploy: it goes on, with notes, or is refused."""

from __future__ import annotations

from collections.abc import Iterable

from shipway.core.errors import Finding, Refused
from shipway.migrations.rehearsal import Failure, Opinion
from shipway.planning.migrate import Decided, name_keys

_MOST = 8
_WHERE = "release.rehearse: true"
_NEXT = "`shipway migrations` has the recipe; without the rehearsal: `release: {{rehearse: false}}`, then `{command}`"


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
        raise Refused(
            "rehearse.new_code",
            f"{release} does not work on what its migrations leave, as a scratch database showed",
            where=_WHERE,
            next=_NEXT.format(command=command),
            findings=_findings(opinion, "new"),
        )
    if opinion.old_code == "breaks" and not decided.after and not decided.window:
        raise Refused(
            "rehearse.old_code",
            f"{base} does not survive the migrations of {release}, as a scratch database showed",
            where=_WHERE,
            next=_NEXT.format(command=command),
            findings=_findings(opinion, "old"),
        )
    return (*_notes(opinion, base), *(f"not rehearsed: {model}: {why}" for model, why in opinion.unseen[:_MOST]))


def _notes(opinion: Opinion, base: str) -> Iterable[str]:
    """Yield what was seen and does not stand in the way."""
    told = {(one.model, one.words): one for one in opinion.failures if one.release == "old"}
    for one in list(told.values())[:_MOST]:
        yield f"rehearsed: {base} cannot {one.action} ({one.model}): {one.words}"
    yield from (f"rehearsed: {text}" for text in opinion.values[:_MOST])
    if not told and not opinion.values:
        yield f"rehearsed: {base} and the new release did everything on the new schema"


def _findings(opinion: Opinion, release: str) -> tuple[Finding, ...]:
    """Return what one release could not do, the same words about one model once, the ordinary first."""
    told: dict[tuple[str, str], Failure] = {}
    for one in sorted(opinion.failures, key=lambda one: not one.is_ordinary):
        if one.release == release:
            told.setdefault((one.model, one.words), one)
    return tuple(
        Finding("rehearse.failure", f"{one.model}, {one.action}: {one.words}") for one in list(told.values())[:_MOST]
    )
