"""Uploads that visitors get, and what Django takes for HTTPS."""

import pytest

from shipway.core.inside import Inside, SecurePage, Tried
from shipway.verification.outcome import Answer
from shipway.verification.page import Page
from shipway.verification.place import Place
from shipway.verification.seen import judge_media, judge_secure, kept_file, url_of

TLS = Place("web-1", "web", "shop.example", ("shop.example",), is_tls=True)
PLAIN = Place("web-1", "web", "shop.example", ("shop.example",))
KEPT = Tried("default", backend="FileSystemStorage", file="shipway-verify-x.txt", url="/media/shipway-verify-x.txt")


def test_a_file_with_an_address_is_asked_for_there() -> None:
    kept = kept_file(Inside(services={"media": (KEPT,)}))
    assert isinstance(kept, Tried)
    assert url_of(kept, TLS) == "https://shop.example/media/shipway-verify-x.txt"


NOTHING = {
    "no MEDIA_ROOT": (Tried("default", skipped="no MEDIA_ROOT is set"), "skipped"),
    "no addresses": (Tried("default", "NotImplementedError: subclasses"), "skipped"),
    "an odd address": (Tried("default", file="x", url="s3:x"), "skipped"),
    "not taken": (Tried("default", "PermissionError: no"), "failed"),
}


@pytest.mark.parametrize(("kept", "state"), NOTHING.values(), ids=NOTHING)
def test_no_file_no_visit(kept: Tried, state: str) -> None:
    answer = kept_file(Inside(services={"media": (kept,)}))
    assert isinstance(answer, Answer)
    assert answer.state == state


SERVED = {
    "as it was": (Page("u", 200, body=b"word"), "passed"),
    "another one": (Page("u", 200, body=b"<html>"), "failed"),
    "not at all": (Page("u", 404), "failed"),
    "no answer": (Page("u", trouble="the connection was refused"), "failed"),
    "to those who may": (Page("u", 403), "skipped"),
    "after a login": (Page("u", 302, (("Location", "/login/"),)), "skipped"),
}


@pytest.mark.parametrize(("page", "state"), SERVED.values(), ids=SERVED)
def test_what_a_visitor_gets(page: Page, state: str) -> None:
    assert judge_media(KEPT, "word", page).state == state


NO_REFERER, NO_COOKIE = Page("u", 403, body=b"a Referer is required"), Page("u", 403, body=b"a cookie is required")
BACK = Page("http://shop.example/up", 301, (("Location", "https://shop.example/up"),))
SEEN = {
    "HTTPS is seen": (TLS, (NO_REFERER, NO_COOKIE, NO_REFERER), "passed"),
    "HTTPS is not seen": (TLS, (NO_COOKIE, NO_COOKIE, NO_COOKIE), "failed"),
    "sent to HTTPS for ever": (TLS, (BACK, BACK, BACK), "failed"),
    "HTTP is HTTP": (PLAIN, (NO_COOKIE, NO_COOKIE, NO_COOKIE), "passed"),
    "HTTP is taken for HTTPS": (PLAIN, (NO_REFERER, NO_COOKIE, NO_REFERER), "failed"),
    "not refused": (TLS, (Page("u", 200), Page("u", 200), Page("u", 200)), "skipped"),
    "another page each time": (TLS, (NO_REFERER, NO_COOKIE, Page("u", 403, body=b"7")), "skipped"),
}


@pytest.mark.parametrize(("place", "refused", "state"), SEEN.values(), ids=SEEN)
def test_what_django_takes_for_https(place: Place, refused: tuple[Page, Page, Page], state: str) -> None:
    assert judge_secure(SecurePage("/up", redirects=True), place, refused).state == state
