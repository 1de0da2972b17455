"""What the pages that came back mean: pages in, an answer out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from shipway.config.verify import CertificateCheck, HttpCheck
from shipway.verification.markup import Reference, Use
from shipway.verification.outcome import Answer, failed, passed, skipped
from shipway.verification.page import Page, value_at
from shipway.verification.place import Place

_SERVER_ERROR, _BAD_REQUEST, _OK, _FORBIDDEN, _NOT_FOUND = 500, 400, 200, 403, 404
_DEBUG_MARKS = (
    "you have <code>debug = true</code>",
    "you're seeing this error because you have",
    "django_settings_module",
)
_HASHED = re.compile(r"\.[0-9a-f]{8,40}\.\w{1,10}$|-[A-Za-z0-9_-]{8,}\.(?:js|css|woff2?|png|svg|jpg|webp)$")
_MAX_AGE = re.compile(r"max-age=(\d{1,12})")
_CSRF_MARKS = ("csrf verification failed", "csrf token", "csrfmiddlewaretoken")
_SCRIPTS = ("text/javascript", "application/javascript", "application/x-javascript", "text/ecmascript",
            "application/ecmascript", "application/json", "application/importmap+json")  # fmt: skip
_RELEASE = re.compile(r"r[1-9][0-9]{0,8}")
_SHORT = 7
_SESSION = ("sessionid", "csrftoken")


def judge_page(page: Page) -> Answer:
    """Judge a page of the default set: it is there, the application made it, and it is no server error."""
    if page.trouble:
        return failed(f"{page.url} could not be opened: {page.trouble}", next=_reach(page))
    if page.status >= _SERVER_ERROR:
        who = "the proxy, since the application did not answer" if page.is_of_proxy() else "the application"
        return failed(
            f"{page.url} answered {page.status}",
            f"it came from {who}",
            *_said(page),
            next="`shipway logs` has its traceback",
        )
    if is_bad_host(page):
        return failed(
            f"{page.url} answered 400 before any view was asked",
            *_said(page),
            next="add the name to ALLOWED_HOSTS",
        )
    return passed(page.describe())


def is_bad_host(page: Page) -> bool:
    """Whether the answer is the bare 400 that Django gives to a Host that is not in ALLOWED_HOSTS."""
    return page.status == _BAD_REQUEST and len(page.body) < 1_000 and "Bad Request (400)" in page.text  # noqa: PLR2004


def judge_http(wanted: HttpCheck, chain: Sequence[Page], place: Place) -> Answer:
    """Judge the answer to a page that the configuration describes; `chain` has the redirects before it."""
    page = chain[-1]
    if page.trouble:
        return failed(f"{page.url} could not be opened: {page.trouble}", next=_reach(page))
    trail = tuple(one.describe() for one in chain)
    if problem := _redirects(wanted, chain, place) or _status(wanted, page) or _content(wanted, page):
        return failed(problem, *trail, *_said(page))
    if wanted.within_ms is not None and page.took_ms > wanted.within_ms:
        return failed(f"{page.url} took {page.took_ms:.0f} ms, and {wanted.within_ms} ms are allowed", *trail)
    return passed(*trail)


def _redirects(wanted: HttpCheck, chain: Sequence[Page], place: Place) -> str:
    went = [page.location for page in chain if page.location]
    if wanted.redirects is None:
        return ""
    meant = [one if "://" in one else place.origin() + one for one in wanted.redirects]
    if went == meant:
        return ""
    return f"{chain[0].url} led to {', '.join(went) or 'no other page'}, and not to {', '.join(meant)}"


def _status(wanted: HttpCheck, page: Page) -> str:
    right = (wanted.status,) if isinstance(wanted.status, int) else wanted.status or (_OK,)
    if page.status in right:
        return ""
    return f"{page.url} answered {page.status}, and not {' or '.join(map(str, right))}"


def _content(wanted: HttpCheck, page: Page) -> str:
    if problem := text_problem(page, wanted.text, wanted.without):
        return problem
    for way, value in (wanted.json or {}).items():
        found, problem = value_at(page.text, way)
        if problem:
            return f"{page.url}: {problem}"
        if found != value and str(found) != str(value):
            return f"{page.url} has {str(found)[:100]!r} at `{way}`, and not {value!r}"
    for name, part in (wanted.headers or {}).items():
        if part not in (there := page.header(name)):
            return f"{page.url} has the header {name} {there[:100]!r}, without {part!r}"
    return ""


def text_problem(page: Page, text: str | None, without: str | None) -> str:
    """Return what is wrong with the text of a page, or ""."""
    if text is not None and text not in page.text:
        return f"{page.url} has no {text!r}"
    if without is not None and without in page.text:
        return f"{page.url} has {without!r}"
    return ""


def judge_release(page: Page, names: tuple[str, str], header: str, *, is_named: bool = False) -> Answer:
    """Judge whether the application answered, and whether it is the release that was meant: its number and version.

    A header that nobody named (`is_named`) counts only where it has a number of ours: others have headers of that name.
    """
    release, version = names
    if page.trouble:
        return failed(f"{page.url} could not be opened: {page.trouble}", next=_reach(page))
    number = page.header(header)
    if number and (number in names or (number.isalnum() and version.startswith(number) and len(number) >= _SHORT)):
        return passed(f"{page.url}: {header}: {number}")
    if number and (is_named or _RELEASE.fullmatch(number)):
        return failed(f"{release} was switched to, and {number[:40]} answered", f"{page.url}: {header}: {number[:40]}")
    if page.is_of_proxy():
        return failed(f"the proxy answered {page.url} by itself ({page.status})", *_said(page))
    if "caddy" in page.header("Via").lower():
        return passed(f"{page.url}: {page.status}, passed on by the proxy; it has no header {header}")
    return skipped(f"{page.url} has no header {header}, so which release answered is not known")


def judge_redirect(page: Page, place: Place) -> Answer:
    """Judge whether plain HTTP leads to HTTPS."""
    if page.trouble:
        return failed(f"{page.url} could not be opened: {page.trouble}", next=_reach(page))
    wanted = place.origin(tls=True)
    if page.location.startswith(f"{wanted}/"):
        return passed(page.describe())
    return failed(f"{page.url} does not lead to HTTPS", page.describe(), next="set `proxy.ssl_redirect: true`")


def judge_hsts(page: Page, seconds: int) -> Answer:
    """Judge whether browsers are told to use HTTPS only."""
    if page.trouble:
        return failed(f"{page.url} could not be opened: {page.trouble}", next=_reach(page))
    there = page.header("Strict-Transport-Security")
    found = _MAX_AGE.search(there)
    if found and int(found[1]) >= seconds:
        return passed(f"Strict-Transport-Security: {there}")
    what = f"{page.url} tells browsers no HTTPS" if not found else f"{page.url} has HSTS for {found[1]} s only"
    return failed(what, f"Strict-Transport-Security: {there or '(none)'}", next="set SECURE_HSTS_SECONDS")


def judge_cookies(pages: Sequence[Page]) -> Answer:
    """Judge whether the cookies of HTTPS pages are marked Secure."""
    opened = [page for page in pages if not page.trouble]
    bad = {
        cookie.name: page.url
        for page in opened
        for cookie in page.cookies
        if not cookie.is_secure and not cookie.is_removed
    }
    if not opened:
        return failed(f"{pages[0].url} could not be opened: {pages[0].trouble}", next=_reach(pages[0]))
    if not bad:
        return passed(f"{_count(sum(len(page.cookies) for page in opened), 'cookie')} on {_count(len(opened), 'page')}")
    first = next((name for name in _SESSION if name in bad), next(iter(bad)))
    setting = {"sessionid": "SESSION_COOKIE_SECURE", "csrftoken": "CSRF_COOKIE_SECURE"}.get(
        first, "the cookie's `secure`"
    )
    return failed(
        f"the cookie {', '.join(bad)} is sent without Secure",
        *(f"{url} sets {name}" for name, url in bad.items()),
        next=f"set {setting} = True",
    )


def judge_wrong_host(page: Page, mark: str) -> Answer:
    """Judge a request with a foreign Host; `mark` is what the site's own page begins with."""
    if page.trouble or page.status == 0 or page.status >= _BAD_REQUEST or page.location:
        return passed(page.describe())
    if page.is_of_proxy() or not page.body or (mark and mark not in page.text):
        return passed(page.describe())
    return failed(
        "a request for a foreign Host gets the site",
        page.describe(),
        next="name the site in `proxy.host` and in ALLOWED_HOSTS, without `*`",
    )


def judge_debug(page: Page) -> Answer:
    """Judge the answer to a path that is not there."""
    if page.trouble:
        return failed(f"{page.url} could not be opened: {page.trouble}", next=_reach(page))
    text = page.text.lower()
    if page.status >= _BAD_REQUEST and any(mark in text for mark in _DEBUG_MARKS):
        return failed(
            "errors show Django's debug page to everybody",
            page.describe(),
            next="set DEBUG = False (or `verify.debug: false`)",
        )
    return passed(page.describe())


def judge_file(file: Reference, page: Page, cache_s: int | None) -> str:
    """Return what is wrong with a file that a page needs, or ""."""
    if page.trouble:
        return f"{file.url}: {page.trouble}"
    if page.status != _OK:
        return f"{file.url} answered {page.status}"
    if not _is_taken(file.use, page):
        return f"{file.url} is {page.media_type}, and no {file.use}"
    if cache_s is not None and _HASHED.search(urlsplit(file.url).path):
        found = _MAX_AGE.search(page.header("Cache-Control"))
        if not found or int(found[1]) < cache_s:
            return f"{file.url} may be kept for {found[1] if found else 0} s, and {cache_s} s are wanted"
    return ""


def _is_taken(use: Use, page: Page) -> bool:
    """Whether a browser takes the file for what it is to be: strictly where it was told not to guess."""
    kind, is_strict = page.media_type, "nosniff" in page.header("X-Content-Type-Options").lower()
    match use if kind else "icon":
        case "style":
            return kind == "text/css"
        case "script":
            return kind.startswith(_SCRIPTS) if is_strict else not kind.startswith(("text/html", "image/"))
        case "image":
            return kind.startswith("image/") if is_strict else not kind.startswith("text/html")
        case "icon":
            return True


def judge_static(problems: Sequence[str], loaded: int, pages: Sequence[Page]) -> Answer:
    """Judge the files of all pages that were looked at."""
    lost = [page for page in pages if page.trouble]
    if lost:
        return failed(f"{lost[0].url} could not be opened: {lost[0].trouble}", next=_reach(lost[0]))
    if problems:
        more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
        return failed(
            f"a file that a page needs does not load: {problems[0]}{more}",
            *problems[:10],
            next="run collectstatic with the release, and look at STATIC_URL and `django.static`",
        )
    return passed(f"{_count(loaded, 'file')} of {_count(len(pages), 'page')}")


def judge_certificate(days: float, problem: str, wanted: CertificateCheck, place: Place) -> Answer:
    """Judge a certificate: `problem` is why it is not trusted."""
    if problem:
        return failed(f"the certificate of {place.name} is not trusted: {problem}", next="`shipway doctor` looks at it")
    if days < wanted.days:
        return failed(
            f"the certificate of {place.name} ends in {days:.0f} days",
            f"at least {wanted.days} days are wanted",
            next="`shipway proxy logs` tells why it was not renewed",
        )
    return passed(f"{place.name}: trusted, {days:.0f} days left")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")


def _said(page: Page) -> tuple[str, ...]:
    text = page.excerpt()
    return (f"it says: {text}",) if text else ()


def _reach(page: Page) -> str:
    return f"`curl -v {page.url}`"


def explains_csrf(page: Page) -> bool:
    """Whether a refusal is about CSRF: a wrong origin, a lost cookie."""
    text = page.text.lower()
    return page.status == _FORBIDDEN and any(mark in text for mark in _CSRF_MARKS)
