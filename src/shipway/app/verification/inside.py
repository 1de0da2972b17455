"""The checks that a process in the release answers, on each host that serves, alone or with a visitor outside."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from shipway.adapters.fetch import Fetcher
from shipway.app.ask_release import send_to_release, told_of
from shipway.app.verification.far import fetchers_of
from shipway.app.verification.run import Batch
from shipway.app.verification.seen import Visits, media_answers, secure_answers
from shipway.app.verification.subject import Subject
from shipway.config.verify_inside import CacheCheck, DatabaseCheck
from shipway.core.action import Command
from shipway.core.errors import ShipwayError
from shipway.core.inside import Inside
from shipway.core.unit import Unit
from shipway.django.inside import parse_inside
from shipway.django.inside_source import InsideOptions, inside_source
from shipway.verification.outcome import Answer, Check
from shipway.verification.place import Place, places_of
from shipway.verification.services import judge_service
from shipway.verification.table import SEEN, SERVICES, On, all_on, keys_of

START_S = 30.0
_TRACK = "verify-services"
"""What a container, Python and the import of a large project may take before the first question is asked."""


async def ask_inside(subject: Subject, unit: Unit, options: InsideOptions, track: str = _TRACK) -> Inside:
    """Return what the release of `unit` answers when `options` are tried in it.

    Raises Refused `probe.…`, `project.…`, Unreachable, ConnectionLost.
    """
    context, token = subject.context, secrets.token_hex(16)
    options = replace(options, manage=context.site.manage)
    program = Command((), (inside_source(token, options),), limit_s=options.limit_s)
    result = await send_to_release(context.site, context.transport, unit, program, track=track)
    with told_of(unit):
        return parse_inside(result.stdout, token, said=result.said if not result.ok else "")


def mark() -> str:
    """Return a word that nobody else has, by which what is written for a verification is known."""
    return secrets.token_hex(12)


def service_units(subject: Subject) -> tuple[Unit, ...]:
    """Return one unit for each host that serves: what visitors use. Where nothing is proxied, what works there."""
    units = tuple(subject.context.site.units(subject.release, subject.version))
    chosen = [unit for unit in units if unit.proxied] or [unit for unit in units if unit.kind != "scheduler"]
    first: dict[str, Unit] = {}
    for unit in chosen:
        first.setdefault(unit.host, unit)
    return tuple(first.values())


async def service_batches(subject: Subject) -> Sequence[Batch]:
    """Return the checks of what the release works with: one process on each host answers all of them.

    What needs a visitor besides rides with the first, for all hosts that serve.
    """
    units, on = service_units(subject), all_on(subject.wanted, SERVICES)
    if not units:
        return []
    sessions = [Session(subject, unit, on) for unit in units]
    seen = all_on(subject.wanted, SEEN)
    places = tuple(place for place in places_of(subject.context.service.config) if place.is_first)
    if seen and places:
        fetchers = await fetchers_of(subject.context, tuple(dict.fromkeys(place.host for place in places)))
        sessions[0] = replace(sessions[0], seen=seen, places=places, fetchers=fetchers)
    return [session.batch() for session in sessions if session.on or session.seen]


@dataclass(frozen=True, slots=True)
class Session:
    """One process in the release of a unit: the checks that it answers, and those for which visitors ask too."""

    subject: Subject
    unit: Unit
    on: tuple[On, ...]
    seen: tuple[On, ...] = ()
    places: tuple[Place, ...] = ()
    fetchers: Mapping[str, Fetcher] = field(default_factory=dict)

    @property
    def options(self) -> InsideOptions:
        """Return what is asked for all of them together."""
        database, cache = keys_of(self.on, DatabaseCheck), keys_of(self.on, CacheCheck)
        return InsideOptions(
            mark="",
            want=tuple(one.kind for one in (*self.on, *self.seen)),
            databases=database.aliases,
            write=database.write,
            caches=cache.aliases,
            paths=tuple(dict.fromkeys(place.health for place in self.places)),
            ask_s=max(one.limit_s for one in (*self.on, *self.seen)),
        )

    def batch(self) -> Batch:
        """Return all of them."""
        limit_s = self.options.limit_s + START_S
        services = {one.at(self.unit.host, self.unit.role, limit_s): one.kind for one in self.on}
        longest_s = limit_s * 2 + sum(one.limit_s for one in self.seen) * len(self.places)
        visits = {
            one.kind: Visits(one, {one.at(p.host, p.name, longest_s): p for p in self.places}, self.fetchers)
            for one in self.seen
        }
        kinds = services | {check: kind for kind, visit in visits.items() for check in visit.places}

        async def ask(asked: Sequence[Check]) -> Mapping[Check, Answer]:
            want = tuple(dict.fromkeys(kinds[check] for check in asked))
            word = mark()
            inside = await ask_inside(self.subject, self.unit, replace(self.options, mark=word, want=want))
            answers = {check: judge_service(services[check], inside) for check in asked if check in services}
            for kind, visit in visits.items():
                found = [check for check in asked if check in visit.places]
                if found and kind == "media":
                    answers |= await media_answers(visit, found, inside, word, self._remove)
                elif found:
                    answers |= await secure_answers(visit, found, inside)
            return answers

        return Batch(tuple(kinds), ask)

    async def _remove(self, file: str) -> None:
        """Delete a file that the application has kept; where that fails it is small, and its name says what it is."""
        options = replace(self.options, mark=mark(), want=("media_gone",), file=file)
        with suppress(ShipwayError):
            await ask_inside(self.subject, self.unit, options)
