"""The checks that are asked inside and outside at once: uploads reach visitors, and Django sees what they use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from shipway.adapters.fetch import Fetcher
from shipway.app.verification.far import fetchers_of
from shipway.app.verification.inside import START_S, ask_inside, mark, service_units
from shipway.app.verification.run import Batch
from shipway.app.verification.subject import Subject
from shipway.app.verification.visitor import Visitor
from shipway.core.errors import ShipwayError
from shipway.core.unit import Unit
from shipway.django.inside_source import InsideOptions
from shipway.verification.outcome import Answer, Check, skipped
from shipway.verification.place import Place, places_of
from shipway.verification.seen import judge_media, judge_secure, kept_file, url_of
from shipway.verification.table import On, switched_on


async def seen_batches(subject: Subject) -> Sequence[Batch]:
    """Return the checks of uploaded files and of HTTPS: a batch for each, over all hosts that serve."""
    places = tuple(place for place in places_of(subject.context.service.config) if place.is_first)
    on = {kind: found for kind in ("media", "secure") if (found := switched_on(subject.wanted, kind)) is not None}
    units = service_units(subject)
    if not on or not places or not units:
        return []
    fetchers = await fetchers_of(subject.context, tuple(dict.fromkeys(place.host for place in places)))
    makers = {"media": _media, "secure": _secure}
    return [makers[kind](Seen(subject, found, units[0], places, fetchers)) for kind, found in on.items()]


class Seen:
    """One such check: the unit that is asked inside, and the places where a visitor asks."""

    def __init__(
        self, subject: Subject, on: On, unit: Unit, places: Sequence[Place], fetchers: Mapping[str, Fetcher]
    ) -> None:
        self.subject, self.on, self.unit = subject, on, unit
        longest_s = self.options("x").limit_s * 2 + START_S * 2 + on.limit_s * len(places)
        self.checks = {on.at(place.host, place.name, longest_s): place for place in places}
        self._fetchers = fetchers

    def options(self, word: str, want: str = "", file: str = "") -> InsideOptions:
        """Return what is asked inside."""
        paths = tuple(dict.fromkeys(place.health for place in places_of(self.subject.context.service.config)))
        return InsideOptions(word, want=(want or self.on.kind,), file=file, paths=paths, ask_s=self.on.limit_s)

    def visitor(self, place: Place) -> Visitor:
        """Return a visitor of a place who was never there before."""
        return Visitor(place, self._fetchers[place.host], self.on.limit_s)


def _media(seen: Seen) -> Batch:
    async def ask(asked: Sequence[Check]) -> Mapping[Check, Answer]:
        word = mark()
        inside = await ask_inside(seen.subject, seen.unit, seen.options(word), "media")
        kept = kept_file(inside)
        if isinstance(kept, Answer):
            return dict.fromkeys(asked, kept)
        try:
            if not kept.fields and not seen.on.is_named:
                return dict.fromkeys(asked, skipped("no model of the project keeps files there"))
            answers = {}
            for check in asked:
                place = seen.checks[check]
                chain = await seen.visitor(place).follow(url_of(kept, place))
                answers[check] = judge_media(kept, word, chain[-1])
            return answers
        finally:
            with suppress(ShipwayError):
                await ask_inside(seen.subject, seen.unit, seen.options(word, "media_gone", kept.file), "media")

    return Batch(tuple(seen.checks), ask)


def _secure(seen: Seen) -> Batch:
    async def ask(asked: Sequence[Check]) -> Mapping[Check, Answer]:
        inside = await ask_inside(seen.subject, seen.unit, seen.options(mark()), "secure")
        page = inside.secure
        if page is None or not page.path:
            why = page.why if page is not None else inside.faults.get("secure", inside.cut)
            return dict.fromkeys(asked, skipped(why or "there was no answer"))
        answers = {}
        for check in asked:
            place = seen.checks[check]
            visitor, url = seen.visitor(place), place.url(page.path)
            # PUT and not POST: a visitor's POST has an Origin, and Django would look at that.
            refused = [await visitor.ask(url, method="PUT", referer=referer) for referer in ("", place.url("/"), "")]
            answers[check] = judge_secure(page, place, (refused[0], refused[1], refused[2]))
        return answers

    return Batch(tuple(seen.checks), ask)
