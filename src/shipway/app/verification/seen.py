"""What a visitor sees of what the application has done inside: an upload that is served, HTTPS that is told apart."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from shipway.adapters.fetch import Fetcher
from shipway.app.verification.visitor import Visitor
from shipway.core.inside import Inside
from shipway.verification.outcome import Answer, Check, skipped
from shipway.verification.place import Place
from shipway.verification.seen import judge_media, judge_secure, kept_file, url_of
from shipway.verification.table import On

Remove = Callable[[str], Awaitable[None]]
"""Deletes a file that the application has kept."""


@dataclass(frozen=True, slots=True)
class Visits:
    """Where visitors ask: each place by the check that is about it."""

    on: On
    places: Mapping[Check, Place]
    fetchers: Mapping[str, Fetcher]

    def visitor(self, place: Place) -> Visitor:
        """Return a visitor of a place who was never there before."""
        return Visitor(place, self.fetchers[place.host], self.on.limit_s)


async def media_answers(
    visits: Visits, asked: Sequence[Check], inside: Inside, word: str, remove: Remove
) -> Mapping[Check, Answer]:
    """Return whether each place serves the file with `word` that the application has kept; it is deleted then."""
    kept = kept_file(inside)
    if isinstance(kept, Answer):
        return dict.fromkeys(asked, kept)
    try:
        if not kept.fields and not visits.on.is_named:
            return dict.fromkeys(asked, skipped("no model of the project keeps files there"))
        answers = {}
        for check in asked:
            place = visits.places[check]
            chain = await visits.visitor(place).follow(url_of(kept, place))
            answers[check] = judge_media(kept, word, chain[-1])
        return answers
    finally:
        await remove(kept.file)


async def secure_answers(visits: Visits, asked: Sequence[Check], inside: Inside) -> Mapping[Check, Answer]:
    """Return whether Django sees what visitors of each place use."""
    page = inside.secure
    if page is None or not page.path:
        why = page.why if page is not None else inside.faults.get("secure", inside.cut)
        return dict.fromkeys(asked, skipped(why or "there was no answer"))
    answers = {}
    for check in asked:
        place = visits.places[check]
        visitor, url = visits.visitor(place), place.url(page.path)
        # PUT and not POST: a visitor's POST has an Origin, and Django would look at that.
        refused = [await visitor.ask(url, method="PUT", referer=referer) for referer in ("", place.url("/"), "")]
        answers[check] = judge_secure(page, place, (refused[0], refused[1], refused[2]))
    return answers
