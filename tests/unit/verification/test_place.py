"""Where a site is asked, and what is asked there."""

import pytest

from shipway.config.load import load_config
from shipway.config.model import Config
from shipway.verification.defaults import outside_checks
from shipway.verification.place import Place, places_of
from shipway.verification.words import words_of

BASE = """
service: shop
registry: none
builder: {arch: amd64}
servers: {web: [web-1, web-2], worker: {hosts: [web-2], cmd: celery -A shop worker}}
"""


def config(text: str) -> Config:
    return load_config({"deploy.yml": BASE + text})


def kinds(text: str, host: str = "web-1") -> dict[str, bool]:
    found = config(text)
    assert found.verify is not None
    asked = outside_checks(found.verify, places_of(found))
    return {
        one.check.code.removeprefix("verify.") + " " + one.check.name: one.check.is_required
        for one in asked
        if one.check.host == host
    }


def test_every_host_of_a_proxied_role_under_every_name() -> None:
    found = places_of(config("proxy: {hosts: [shop.example, www.shop.example], app_port: 8000}"))
    assert [(place.name, place.host, place.is_first) for place in found] == [
        ("shop.example", "web-1", True),
        ("shop.example", "web-2", True),
        ("www.shop.example", "web-1", False),
        ("www.shop.example", "web-2", False),
    ]


def test_ports_and_prefixes_and_health() -> None:
    run = "proxy: {host: shop.example, path_prefix: /shop, run: {http_port: 8080, https_port: 8443}, tls: internal}"
    place = places_of(config(run))[0]
    assert (place.origin(), place.origin(tls=False)) == ("https://shop.example:8443", "http://shop.example:8080")
    assert (place.prefix, place.health) == ("/shop", "/shop/up")
    assert place.is_redirected
    assert not place.is_public_ca


@pytest.mark.parametrize(
    ("url", "is_ours"),
    [
        ("https://shop.example/x", True),
        ("http://shop.example/", True),
        ("https://www.shop.example/", True),
        ("https://shop.example:444/", False),
        ("https://cdn.example/", False),
        ("https://shop.example:no/", False),
    ],
)
def test_which_addresses_are_the_sites_own(url: str, *, is_ours: bool) -> None:
    place = Place("web-1", "web", "shop.example", ("shop.example", "www.shop.example"), is_tls=True)
    assert place.is_ours(url) == is_ours


def test_only_patterns_are_asked_under_no_name() -> None:
    assert places_of(config("proxy: {host: '*.shop.example', app_port: 8000}")) == ()


def test_the_default_set_by_http_and_by_https() -> None:
    assert kinds("proxy: {host: shop.example}") == {
        "pages shop.example": True,
        "release shop.example": True,
        "debug shop.example": True,
        "static shop.example": True,
        "wrong_host shop.example": False,
    }
    cloud = "proxy: {host: shop.example, ssl: {certificate_pem: C, private_key_pem: K}}"
    assert set(kinds(cloud)) == set(kinds("proxy: {host: shop.example}")) | {
        "redirect shop.example",
        "cookies shop.example",
    }


def test_what_the_file_names_is_required_unless_it_says_otherwise() -> None:
    text = "proxy: {host: shop.example, tls: internal}\nverify: {cookies: true, hsts: {required: false}, static: false}"
    found = kinds(text)
    assert found["cookies shop.example"]
    assert not found["hsts shop.example"]
    assert "static shop.example" not in found


def test_only_what_is_named_where_the_defaults_are_off() -> None:
    named = "defaults: false, http: [{path: /}, {path: /, status: 301}], flows: [{steps: [{open: /}]}]"
    assert list(kinds(f"proxy: {{host: shop.example}}\nverify: {{{named}}}")) == ["http /", "http / (2)", "flow flow"]


def test_the_lines_that_a_plan_shows() -> None:
    assert words_of(config("proxy: {host: shop.example}\nverify: false")) == ()
    lines = words_of(config("proxy: {host: shop.example}\nrelease: {on_failure: hold, watch: 5m}"))
    assert lines[0].startswith("through shop.example on web-1, web-2: pages, release")
    assert lines[1].startswith("in the release: database, cache")
    assert "scheduler" not in lines[1], "there is none"
    assert "300 s" in lines[2]
    assert "decides" in lines[3]
    named = words_of(config("proxy: {host: shop.example}\nverify: {defaults: false, cache: true, logs: false}"))
    assert named[0] == "in the release: cache"
