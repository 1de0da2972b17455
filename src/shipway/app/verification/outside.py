"""The checks from outside: each web host in turn, through the public name."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast
from urllib.parse import urlsplit

from shipway.adapters.fetch import Fetcher
from shipway.app.verification.far import fetchers_of
from shipway.app.verification.run import Batch
from shipway.app.verification.subject import Subject
from shipway.app.verification.visitor import Visitor, has_no_tls
from shipway.config.verify import (
    CertificateCheck,
    FlowCheck,
    HstsCheck,
    HttpCheck,
    PageCheck,
    ReleaseCheck,
    StaticCheck,
)
from shipway.verification import judge
from shipway.verification.defaults import Asked, outside_checks
from shipway.verification.flow import judge_step, next_turn
from shipway.verification.markup import Reference, references_of
from shipway.verification.outcome import LIMIT_S, Answer, Check, failed, passed, skipped
from shipway.verification.page import Page
from shipway.verification.place import Place, places_of

_STRANGER = "shipway-verify.invalid"
"""A Host that nobody has: `.invalid` is reserved for that (RFC 2606)."""
_NOWHERE = "/shipway-verify-this-page-is-not-there/"
_FILES_AT_ONCE = 4
FAR = 4
"""How many times as long a check may take where a host is asked from itself: requests wait for each other there."""
TLS_WAIT_S = 30.0
"""How long a deploy waits for a certificate that is being made: an authority takes 5 to 20 s."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One check that is being asked: what is verified, and how its host is reached."""

    subject: Subject
    asked: Asked
    fetch: Fetcher

    @property
    def visitor(self) -> Visitor:
        """A visitor who was never there before."""
        return Visitor(self.asked.place, self.fetch, self.asked.check.limit_s)

    def paths(self) -> tuple[str, ...]:
        """Return the pages that are looked at: the first page of the site where the configuration names none."""
        keys = cast("PageCheck", self.asked.keys)
        place = self.asked.place
        return (f"{place.prefix}/",) if keys.paths == ("/",) and place.prefix else keys.paths


async def outside_batches(subject: Subject) -> Sequence[Batch]:
    """Return the checks from outside: a batch for each. The hosts are tried once, to see how they are reached."""
    context = subject.context
    places = places_of(context.service.config)
    asked = tuple(outside_checks(subject.wanted, places))
    hosts = tuple(dict.fromkeys(one.place.host for one in asked))
    fetchers = await fetchers_of(context, hosts)
    closed, lacking = await asyncio.gather(_closed(subject), _without_tls(subject, asked, fetchers))
    found = []
    for one in asked:
        why = f"{one.place.host} shows the maintenance page" if one.place.host in closed else ""
        if (one.place.host, one.place.name) in lacking and not one.is_named and one.kind != "certificate":
            why = f"there is no certificate for {one.place.name} on {one.place.host}: no release can mend that"
        found.append(_batch(Visit(subject, one, fetchers[one.place.host]), why))
    return found


async def _closed(subject: Subject) -> frozenset[str]:
    facts = await subject.context.observe()
    return frozenset(host.host for host in facts.hosts if host.is_in_maintenance)


async def _without_tls(
    subject: Subject, asked: Sequence[Asked], fetchers: Mapping[str, Fetcher]
) -> frozenset[tuple[str, str]]:
    """Return where a deploy finds no TLS, by host and name: a certificate may come some seconds after the first start.

    That is no fault of the release, and going back would not mend it. `shipway verify` calls it what it is.
    """
    places = {(one.place.host, one.place.name): one.place for one in asked if one.place.is_tls}
    if not subject.is_deploy:
        return frozenset()

    async def lacks(place: Place) -> bool:
        clock = subject.context.clock
        ends_s = clock.monotonic() + TLS_WAIT_S
        visitor = Visitor(place, fetchers[place.host], LIMIT_S)
        while has_no_tls(await visitor.ask(place.url("/"))):
            if clock.monotonic() > ends_s:
                return True
            await clock.sleep(1.0)
        return False

    found = await asyncio.gather(*(lacks(place) for place in places.values()))
    return frozenset(key for key, is_lacking in zip(places, found, strict=True) if is_lacking)


def _batch(visit: Visit, skip: str) -> Batch:
    async def ask(checks: Sequence[Check]) -> Mapping[Check, Answer]:
        answer = skipped(skip) if skip else await _ASKERS[visit.asked.kind](visit)
        return dict.fromkeys(checks, answer)

    check = visit.asked.check
    limit_s = check.limit_s * _requests(visit.asked) * (FAR if visit.fetch.is_far else 1)
    return Batch((replace(check, limit_s=limit_s),), ask)


def _requests(asked: Asked) -> int:
    """Return how many requests of a check may each take the whole time: redirects, files, the steps of a flow."""
    match asked.keys:
        case StaticCheck():
            return 12
        case FlowCheck(steps=steps):
            return 3 * len(steps)
        case PageCheck(paths=paths):
            return 3 * len(paths)
        case _:
            return 3


async def _pages(visit: Visit) -> Answer:
    """The first that is wrong decides."""
    answer = passed()
    for path in visit.paths():
        chain = await visit.visitor.follow(visit.asked.place.url(path))
        answer = judge.judge_page(chain[-1])
        if answer.state == "failed":
            break
    return answer


async def _http(visit: Visit) -> Answer:
    keys, visitor = cast("HttpCheck", visit.asked.keys), visit.visitor
    url = visit.asked.place.url(keys.path)
    # A status or a place that a redirect has is about the redirect itself, and not about where it leads.
    statuses = (keys.status,) if isinstance(keys.status, int) else keys.status or ()
    is_redirect = any(300 <= status < 400 for status in statuses) and keys.redirects is None  # noqa: PLR2004
    chain = (await visitor.ask(url),) if is_redirect else await visitor.follow(url)
    return judge.judge_http(keys, chain, visit.asked.place)


async def _release(visit: Visit) -> Answer:
    keys, place = cast("ReleaseCheck", visit.asked.keys), visit.asked.place
    page = await visit.visitor.ask(place.url(place.health))
    names = (visit.subject.release, visit.subject.version)
    return judge.judge_release(page, names, keys.header, is_named=visit.asked.is_named)


async def _redirect(visit: Visit) -> Answer:
    place = visit.asked.place
    page = await visit.visitor.ask(f"{place.origin(tls=False)}{place.prefix}/")
    return judge.judge_redirect(page, place)


async def _hsts(visit: Visit) -> Answer:
    keys, place = cast("HstsCheck", visit.asked.keys), visit.asked.place
    chain = await visit.visitor.follow(place.url(f"{place.prefix}/"))
    return judge.judge_hsts(chain[-1], keys.seconds)


async def _cookies(visit: Visit) -> Answer:
    pages: list[Page] = []
    for path in visit.paths():
        pages += await visit.visitor.follow(visit.asked.place.url(path))
    return judge.judge_cookies(pages)


async def _wrong_host(visit: Visit) -> Answer:
    place = visit.asked.place
    own = await visit.visitor.ask(place.url(f"{place.prefix}/"))
    page = await visit.visitor.ask(f"{place.origin(tls=False)}{place.prefix}/", host=_STRANGER)
    return judge.judge_wrong_host(page, own.text[:2000])


async def _debug(visit: Visit) -> Answer:
    place = visit.asked.place
    return judge.judge_debug(await visit.visitor.ask(place.url(f"{place.prefix}{_NOWHERE}")))


async def _static(visit: Visit) -> Answer:
    keys, visitor = cast("StaticCheck", visit.asked.keys), visit.visitor
    pages: list[Page] = []
    files: dict[str, Reference] = {}
    for path in visit.paths():
        page = (await visitor.follow(visit.asked.place.url(path)))[-1]
        pages.append(page)
        if page.media_type == "text/html":
            files |= {one.url: one for one in references_of(page.text, page.url) if _is_looked_at(visit, one)}
    room = asyncio.Semaphore(_FILES_AT_ONCE)

    async def load(file: Reference) -> str:
        async with room:
            chain = await visitor.follow(file.url)
        return judge.judge_file(file, chain[-1], keys.cache)

    found = await asyncio.gather(*(load(file) for file in files.values()))
    return judge.judge_static([problem for problem in found if problem], len(files), pages)


def _is_looked_at(visit: Visit, file: Reference) -> bool:
    """Whether a file is the site's own, and one that it cannot do without.

    An image below any other address than that of static files may be an upload that was lost long ago.
    """
    if not visit.asked.place.is_ours(file.url):
        return False
    if visit.asked.is_named or file.use in ("style", "script"):
        return True
    static = visit.subject.context.service.config.django.static.url or "/static/"
    return urlsplit(file.url).path.startswith(static)


async def _certificate(visit: Visit) -> Answer:
    keys, place = cast("CertificateCheck", visit.asked.keys), visit.asked.place
    service = visit.subject.context.service
    proxy = service.config.role(place.role).proxy
    file = keys.ca or (proxy.acme.ca_root if proxy is not None and proxy.acme is not None else None)
    answer = await visit.fetch(
        {
            "certificate": True,
            "port": place.https_port,
            "tls": True,
            "name": place.name,
            "ca": service.read(file) if file else "",
            "limit_s": visit.asked.check.limit_s / 3,
        }
    )
    days, problem = answer.get("days"), answer.get("problem")
    if not isinstance(days, (int, float)) or not isinstance(problem, str):
        return failed(f"the certificate of {place.name} could not be read", str(answer.get("said", ""))[:300])
    return judge.judge_certificate(float(days), problem, keys, place)


async def _flow(visit: Visit) -> Answer:
    keys, place, visitor = cast("FlowCheck", visit.asked.keys), visit.asked.place, visit.visitor
    secrets = visit.subject.context.service.secrets
    page: Page | None = None
    trail: list[str] = []
    for number, step in enumerate(keys.steps, 1):
        values = {name: secrets.reveal(name) for name in (step.secret or {}).values()}
        turn = next_turn(step, page, values, place)
        if turn.problem:
            return failed(f"step {number}: {turn.problem}", *trail)
        referer = page.url if page is not None and turn.method == "POST" else ""
        chain = await visitor.follow(turn.url, method=turn.method, body=turn.body, referer=referer)
        trail += [one.describe() for one in chain]
        page = chain[-1]
        if (problem := judge_step(step, number, page)) is not None:
            return problem
    return passed(*trail)


_ASKERS: Mapping[str, Callable[[Visit], Awaitable[Answer]]] = {
    "pages": _pages,
    "http": _http,
    "release": _release,
    "certificate": _certificate,
    "redirect": _redirect,
    "hsts": _hsts,
    "cookies": _cookies,
    "wrong_host": _wrong_host,
    "debug": _debug,
    "static": _static,
    "flow": _flow,
}
