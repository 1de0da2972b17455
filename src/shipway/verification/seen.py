"""What needs both sides: a file kept by the application and fetched by a visitor, and what Django takes for HTTPS."""

from __future__ import annotations

from urllib.parse import urljoin

from shipway.core.inside import Inside, SecurePage, Tried
from shipway.verification.outcome import Answer, failed, passed, skipped
from shipway.verification.page import REDIRECTS, Page
from shipway.verification.place import Place

_OK, _FORBIDDEN = 200, 403
_GUARDED = frozenset({401, _FORBIDDEN})
_HEADER = 'set `SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")` in the settings'


def kept_file(inside: Inside) -> Tried | Answer:
    """Return the file that was kept, or the answer where there is none."""
    if fault := inside.faults.get("media"):
        return failed("the project could not be asked for a file", fault)
    found = inside.services.get("media", ())
    if not found:
        return failed(inside.cut or "there was no answer")
    kept = found[0]
    if kept.fault and not kept.fault.startswith("NotImplementedError"):
        return failed(f"the storage did not take a file: {kept.fault}")
    why = kept.skipped or ("files of this storage have no address" if kept.fault else "")
    if not why and not kept.url.startswith(("/", "http://", "https://")):
        why = f"files have no public address: `{kept.url[:100]}`"
    return skipped(why) if why else kept


def url_of(kept: Tried, place: Place) -> str:
    """Return the address at which a visitor of `place` gets the file."""
    return urljoin(place.origin(), kept.url)


def judge_media(kept: Tried, mark: str, page: Page) -> Answer:
    """Return whether a visitor gets the file that the application has kept.

    An application that asks who somebody is before it gives a file out is not asked further.
    """
    lines = (
        page.describe(),
        f"{kept.file} was kept by {kept.backend}" + (f" in {kept.location}" if kept.location else ""),
    )
    if page.status in _GUARDED or page.status in REDIRECTS:
        return skipped(f"files are not for everybody: {page.describe()}")
    if page.trouble or page.status != _OK:
        why = page.trouble or f"the answer was {page.status}"
        return failed(
            f"a file that the application had kept was not served: {why}",
            *lines,
            next="is the directory of uploads one volume for all roles, and is its address served?",
        )
    if page.body != mark.encode():
        return failed("another file was served than the one that the application had kept", *lines, page.excerpt())
    return passed(*lines)


def judge_secure(asked: SecurePage, place: Place, refused: tuple[Page, Page, Page]) -> Answer:
    """Return whether Django took the requests for HTTPS where they were, and only there.

    `refused` are the answers to a form sent to the page: without a Referer, with that of the site, and again without.
    Django asks for the Referer only where it sees HTTPS, so the first two differ then.
    """
    without, given, again = refused
    lines = (f"PUT {without.describe()}", f"with a Referer: {given.status}")
    is_back = without.status in REDIRECTS and without.location.startswith("https:")
    if place.is_tls and is_back and asked.redirects:
        return failed(
            "Django took a request by HTTPS for one by HTTP, and sent it to HTTPS again", *lines, next=_HEADER
        )
    if without.status != _FORBIDDEN or given.status != _FORBIDDEN:
        return skipped(f"{without.url} did not refuse a form as Django does: {without.trouble or without.status}")
    if without.body != again.body:
        return skipped(f"the refusal of {without.url} is another each time, so it tells nothing")
    is_seen = without.body != given.body
    if is_seen == place.is_tls:
        return passed(f"by {'HTTPS' if place.is_tls else 'HTTP'}, and Django saw that", *lines)
    if place.is_tls:
        why = f"it trusts the header {asked.trusts}" if asked.trusts else "it trusts no header of the proxy"
        return failed("Django took a request by HTTPS for one by HTTP", why, *lines, next=_HEADER)
    return failed(
        "Django took a request by HTTP for one by HTTPS", *lines, next="does anybody set the header that it trusts?"
    )
