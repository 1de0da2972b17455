"""Pages as visitors get them."""

import pytest

from shipway.verification.page import Cookie, Page, value_at


def page(body: str = "", status: int = 200, url: str = "https://shop.example/a/b", **headers: str) -> Page:
    names = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Page(url, status, names, body.encode())


@pytest.mark.parametrize(
    ("status", "to", "wanted"),
    [
        (302, "/login/?next=/", "https://shop.example/login/?next=/"),
        (301, "c", "https://shop.example/a/c"),
        (302, "https://other.example/#top", "https://other.example/"),
        (302, "//other.example/x", "https://other.example/x"),
        (200, "/login/", ""),
        (304, "/login/", ""),
        (302, "", ""),
        (302, "http://[broken", ""),
    ],
)
def test_where_a_redirect_leads(status: int, to: str, wanted: str) -> None:
    assert page(status=status, Location=to).location == wanted


def test_cookies_are_read_as_browsers_do() -> None:
    lines = (
        (
            "Set-Cookie",
            "sessionid=abc=; expires=Sun, 06 Dec 2026 10:00:00 GMT; HttpOnly; Max-Age=9; Path=/; SameSite=Lax; Secure",
        ),
        ("Set-Cookie", "csrftoken=x; Path=/"),
        ("set-cookie", 'messages=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/'),
        ("Set-Cookie", "nonsense"),
        ("Set-Cookie", "=nameless"),
    )
    assert Page("https://shop.example/", 200, lines).cookies == (
        Cookie("sessionid", "abc=", is_secure=True, is_http_only=True, same_site="Lax"),
        Cookie("csrftoken", "x"),
        Cookie("messages", '""', is_removed=True),
    )


def test_text_in_its_own_charset_and_in_none() -> None:
    assert Page("u", 200, (("Content-Type", "text/html; charset=latin-1"),), "é".encode("latin-1")).text == "é"
    assert Page("u", 200, (("Content-Type", "text/html; charset=no-such"),), b"\xff").text == "\ufffd"


def test_what_a_visitor_reads_of_a_page() -> None:
    assert page("<style>p{}</style><h1>Server  Error</h1>\n<script>x()</script>(500)").excerpt() == "Server Error (500)"


def test_whether_the_proxy_made_it() -> None:
    assert page(Server="Caddy").is_of_proxy()
    assert not page(Server="Caddy", Via="1.1 Caddy").is_of_proxy()
    assert not page(Server="gunicorn").is_of_proxy()


@pytest.mark.parametrize(
    ("way", "value", "problem"),
    [
        ("a.b", True, ""),
        ("items.1.id", 7, ""),
        ("items.2.id", None, "has no `items.2.id`"),
        ("a.b.c", None, "has no `a.b.c`"),
        ("items.-1", None, "has no `items.-1`"),
    ],
)
def test_values_of_a_json_answer(way: str, value: object, problem: str) -> None:
    found, said = value_at('{"a": {"b": true}, "items": [{"id": 1}, {"id": 7}]}', way)
    assert found == value
    assert problem in said


def test_what_is_no_json() -> None:
    assert value_at("<html>", "a") == (None, "the answer is no JSON")
    assert value_at("[" * 100_000, "a")[0] is None
