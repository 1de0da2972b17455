"""What pages mean."""

import pytest

from shipway.config.verify import CertificateCheck, FlowStep, HttpCheck
from shipway.verification import judge
from shipway.verification.flow import judge_step, next_turn
from shipway.verification.markup import Reference
from shipway.verification.page import Page
from shipway.verification.place import Place

PLACE = Place("web-1", "web", "shop.example", ("shop.example",), is_tls=True, is_redirected=True)
URL = "https://shop.example/"


def page(status: int = 200, body: str = "", url: str = URL, took_ms: float = 5, **headers: str) -> Page:
    names = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Page(url, status, names, body.encode(), took_ms=took_ms)


GONE = Page(URL, trouble="the connection was refused")


@pytest.mark.parametrize(
    ("got", "state"),
    [
        (page(), "passed"),
        (page(404), "passed"),
        (page(401), "passed"),
        (page(403, "<h1>Forbidden</h1>"), "passed"),
        (page(500), "failed"),
        (page(502, Server="Caddy"), "failed"),
        (page(400, "<h1>Bad Request (400)</h1>"), "failed"),
        (page(400, '{"error": "label is missing"}'), "passed"),
        (GONE, "failed"),
    ],
)
def test_a_page_of_the_default_set(got: Page, state: str) -> None:
    assert judge.judge_page(got).state == state


CHAIN = [
    page(301, url="https://shop.example/a", Location="/b"),
    page(200, "Welcome", url="https://shop.example/b", took_ms=300),
]


@pytest.mark.parametrize(
    ("wanted", "chain", "problem"),
    [
        (HttpCheck(), [page()], ""),
        (HttpCheck(), [page(404)], "answered 404, and not 200"),
        (HttpCheck(status=(200, 404)), [page(404)], ""),
        (HttpCheck(text="Welcome"), [page(body="Hello")], "has no 'Welcome'"),
        (HttpCheck(without="Traceback"), [page(body="Traceback (most")], "has 'Traceback'"),
        (HttpCheck(json={"ok": True, "n": 2}), [page(body='{"ok": true, "n": 2}')], ""),
        (HttpCheck(json={"ok": True}), [page(body='{"ok": false}')], "has 'False' at `ok`, and not True"),
        (HttpCheck(json={"ok": True}), [page(body="<html>")], "is no JSON"),
        (HttpCheck(headers={"x-frame-options": "DENY"}), [page(X_Frame_Options="DENY")], ""),
        (HttpCheck(headers={"X-A": "1"}), [page()], "has the header X-A ''"),
        (HttpCheck(redirects=("/b",)), CHAIN, ""),
        (HttpCheck(redirects=("https://shop.example/b",)), CHAIN, ""),
        (HttpCheck(redirects=()), CHAIN, "led to https://shop.example/b"),
        (HttpCheck(redirects=("/c",)), [page()], "led to no other page"),
        (HttpCheck(within_ms=200), CHAIN, "took 300 ms, and 200 ms are allowed"),
        (HttpCheck(), [GONE], "could not be opened: the connection was refused"),
    ],
)
def test_a_page_that_the_configuration_describes(wanted: HttpCheck, chain: list[Page], problem: str) -> None:
    answer = judge.judge_http(wanted, chain, PLACE)
    assert answer.state == ("failed" if problem else "passed")
    assert problem in answer.what
    assert problem == "" or answer.evidence or answer.next


@pytest.mark.parametrize(
    ("got", "state"),
    [
        (page(X_Release="r2"), "passed"),
        (page(X_Release="r1"), "failed"),
        (page(X_Release="c0ffee1"), "passed"),
        (page(X_Release="2026.11", Via="1.1 Caddy"), "passed"),
        (page(X_Release="2026.11"), "skipped"),
        (page(Server="Caddy"), "failed"),
        (page(503, Server="Caddy"), "failed"),
        (page(Server="Caddy", Via="1.1 Caddy"), "passed"),
        (page(Via="1.0 Caddy", Server="gunicorn"), "passed"),
        (page(), "skipped"),
        (GONE, "failed"),
    ],
)
def test_whether_the_release_itself_answered(got: Page, state: str) -> None:
    assert judge.judge_release(got, ("r2", "c0ffee1234"), "X-Release").state == state


def test_a_header_that_the_file_names_must_be_right() -> None:
    got = page(X_Version="2026.11", Via="1.1 Caddy")
    assert judge.judge_release(got, ("r2", ""), "X-Version", is_named=True).state == "failed"


@pytest.mark.parametrize(
    ("to", "state"),
    [
        ("https://shop.example/", "passed"),
        ("https://shop.example.evil/", "failed"),
        ("/other", "failed"),
        ("", "failed"),
    ],
)
def test_http_leads_to_https(to: str, state: str) -> None:
    assert judge.judge_redirect(page(301, url="http://shop.example/", Location=to), PLACE).state == state


@pytest.mark.parametrize(("value", "state"), [("max-age=3600", "passed"), ("max-age=60", "failed"), ("", "failed")])
def test_hsts(value: str, state: str) -> None:
    assert judge.judge_hsts(page(Strict_Transport_Security=value), 3600).state == state


def test_cookies_without_secure_are_named_with_their_setting() -> None:
    good = page(Set_Cookie="sessionid=a; Secure")
    assert judge.judge_cookies([page(), good]).state == "passed"
    answer = judge.judge_cookies([good, page(Set_Cookie="csrftoken=a; Path=/")])
    assert answer.state == "failed"
    assert "csrftoken" in answer.what
    assert "CSRF_COOKIE_SECURE" in answer.next
    assert judge.judge_cookies([page(Set_Cookie="old=; Max-Age=0")]).state == "passed"
    assert judge.judge_cookies([GONE]).state == "failed"


@pytest.mark.parametrize(
    ("got", "state"),
    [
        (page(400), "passed"),
        (page(404), "passed"),
        (page(200, "", Server="Caddy"), "passed"),
        (page(301, Location="https://x/"), "passed"),
        (page(200, "Another site"), "passed"),
        (page(200, "The shop's own page"), "failed"),
        (GONE, "passed"),
    ],
)
def test_a_foreign_host(got: Page, state: str) -> None:
    assert judge.judge_wrong_host(got, "The shop's own").state == state


def test_the_debug_page_of_django_is_known() -> None:
    body = "<p>You are seeing this error because you have <code>DEBUG = True</code> in your Django settings file.</p>"
    assert judge.judge_debug(page(404, body)).state == "failed"
    assert judge.judge_debug(page(404, "<h1>Not Found</h1>")).state == "passed"
    assert judge.judge_debug(page(200, "how to set DEBUG = True: <code>DEBUG = True</code>")).state == "passed"
    assert judge.judge_debug(GONE).state == "failed"


CSS = Reference("https://shop.example/static/a.0123456789ab.css", "style")
JS = Reference("https://shop.example/static/a.js", "script")
PNG = Reference("https://shop.example/static/a.png", "image")


@pytest.mark.parametrize(
    ("file", "got", "cache_s", "problem"),
    [
        (CSS, page(body="p{}", Content_Type="text/css; charset=utf-8"), None, ""),
        (CSS, page(404), None, "answered 404"),
        (CSS, page(body="<html>", Content_Type="text/html"), None, "is text/html, and no style"),
        (CSS, page(body="p{}"), None, ""),
        (CSS, page(body="p{}", Content_Type="text/css", Cache_Control="max-age=315360000, immutable"), 3600, ""),
        (CSS, page(body="p{}", Content_Type="text/css", Cache_Control="max-age=60"), 3600, "may be kept for 60 s"),
        (PNG, page(body="x", Content_Type="image/png"), 3600, ""),
        (PNG, page(body="x", Content_Type="text/html"), None, "is text/html, and no image"),
        (PNG, page(body="x", Content_Type="application/octet-stream"), None, ""),
        (JS, page(body="x", Content_Type="text/plain"), None, ""),
        (JS, page(body="x", Content_Type="text/plain", X_Content_Type_Options="nosniff"), None, "and no script"),
        (JS, page(body="x", Content_Type="text/javascript", X_Content_Type_Options="nosniff"), None, ""),
        (CSS, GONE, None, "refused"),
    ],
)
def test_a_file_that_a_page_needs(file: Reference, got: Page, cache_s: int | None, problem: str) -> None:
    found = judge.judge_file(file, got, cache_s)
    assert problem in found
    assert bool(found) == bool(problem)


def test_the_files_of_all_pages() -> None:
    assert judge.judge_static([], 3, [page()]).state == "passed"
    answer = judge.judge_static(["x answered 404", "y answered 404"], 3, [page()])
    assert answer.what.endswith("x answered 404 and 1 more")
    assert judge.judge_static([], 0, [GONE]).state == "failed"


@pytest.mark.parametrize(
    ("days", "problem", "said"),
    [(60.0, "", ""), (5.0, "", "ends in 5 days"), (60.0, "self-signed certificate", "is not trusted: self-signed")],
)
def test_a_certificate(days: float, problem: str, said: str) -> None:
    answer = judge.judge_certificate(days, problem, CertificateCheck(), PLACE)
    assert said in answer.what
    assert answer.state == ("failed" if said else "passed")


LOGIN = page(
    body="<form method=post><input type=hidden name=csrf value=t><input name=user><input name=pw></form>",
    url=f"{URL}login/",
)


def test_the_turns_of_a_flow() -> None:
    assert next_turn(FlowStep(open="/login/"), None, {}, PLACE).url == f"{URL}login/"
    step = FlowStep(submit="true", fields={"user": "ann", "n": True}, secret={"pw": "PW"})
    assert "no form" in next_turn(step, LOGIN, {"PW": "x"}, PLACE).problem
    turn = next_turn(
        FlowStep(submit="true", fields={"user": "ann"}, secret={"pw": "PW"}), LOGIN, {"PW": "s&cret"}, PLACE
    )
    assert (turn.method, turn.url, turn.body) == ("POST", f"{URL}login/", "csrf=t&user=ann&pw=s%26cret")
    assert "begin a flow" in next_turn(step, None, {"PW": "x"}, PLACE).problem


def test_secrets_go_to_the_site_alone() -> None:
    evil = page(body='<form method=post action="https://evil.example/"><input name=pw></form>')
    turn = next_turn(FlowStep(submit="true", secret={"pw": "PW"}), evil, {"PW": "x"}, PLACE)
    assert "evil.example" in turn.problem
    assert turn.body == ""


def test_a_form_by_get() -> None:
    search = page(body='<form action="/find?old=1"><input name=q></form>')
    assert next_turn(FlowStep(submit="true", fields={"q": "a b"}), search, {}, PLACE).url == f"{URL}find?q=a+b"


@pytest.mark.parametrize(
    ("step", "got", "said"),
    [
        (FlowStep(open="/"), page(), ""),
        (FlowStep(open="/"), page(500, "Server Error (500)"), "step 2: https://shop.example/ answered 500"),
        (FlowStep(submit="true"), page(403, "CSRF verification failed. Request aborted."), "CSRF verification failed"),
        (FlowStep(open="/"), page(403, "Forbidden"), "answered 403"),
        (FlowStep(open="/", path="/home"), page(), "and not on /home"),
        (FlowStep(open="/", text="Log out"), page(body="Log in"), "has no 'Log out'"),
        (FlowStep(open="/", status=404), page(404), ""),
        (FlowStep(open="/"), GONE, "could not be opened"),
    ],
)
def test_a_step_of_a_flow(step: FlowStep, got: Page, said: str) -> None:
    answer = judge_step(step, 2, got)
    assert (answer is None) == (not said)
    assert answer is None or said in answer.what
