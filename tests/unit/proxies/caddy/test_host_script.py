"""The parts of the script that put sites together; the rest is tested against a real Caddy."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shipway.core.layout import Layout
from shipway.proxies.caddy import Caddy, CaddyRun
from shipway.proxies.caddy.sites_script import Failed, assemble, refuse_overlap
from shipway.proxies.site import ProxyRoute, ProxySite, Tls


def site(service: str, *routes: ProxyRoute) -> Any:
    proxy = Caddy(Layout("/srv", service), "web-1", ProxySite(service, routes), CaddyRun())
    return json.loads(proxy.site_text)


def order(*sites: Any) -> list[tuple[list[str], list[str]]]:
    config = assemble(sites[0]["base"], {found["service"]: found for found in sites})
    routes = config["apps"]["http"]["servers"]["http"]["routes"]
    matches = [route.get("match", [{}])[0] for route in routes]
    return [(match.get("host", []), match.get("path", [])) for match in matches]


def test_the_closest_route_comes_first_whatever_the_service() -> None:
    assert order(
        site("a", ProxyRoute("web")),
        site("b", ProxyRoute("web", ("shop.example",))),
        site("c", ProxyRoute("web", ("shop.example",), ("/docs",)), ProxyRoute("x", ("*.example",))),
    ) == [
        (["shop.example"], ["/docs", "/docs/*"]),
        (["shop.example"], []),
        (["*.example"], []),
        ([], []),
        ([], []),  # the answer to what nobody claims
    ]


def test_the_listener_with_tls_is_there_when_somebody_uses_it() -> None:
    plain, secret = site("a", ProxyRoute("web")), site("b", ProxyRoute("web", ("b.example",), tls=Tls("internal")))
    assert set(assemble(plain["base"], {"a": plain})["apps"]["http"]["servers"]) == {"http"}
    both = assemble(plain["base"], {"a": plain, "b": secret})
    assert set(both["apps"]["http"]["servers"]) == {"http", "https"}
    assert both["apps"]["tls"]["automation"]["policies"] == [
        {"subjects": ["b.example"], "issuers": [{"module": "internal"}]}
    ]


def test_the_order_of_services_does_not_matter() -> None:
    a, b = site("a", ProxyRoute("web", ("a.example",))), site("b", ProxyRoute("web", ("b.example",)))
    assert assemble(a["base"], {"a": a, "b": b}) == assemble(a["base"], {"b": b, "a": a})


def test_two_services_with_one_claim_are_refused_and_a_prefix_is_another_claim() -> None:
    a, b = site("a", ProxyRoute("web", ("x.example",))), site("b", ProxyRoute("web", ("x.example",), ("/b",)))
    refuse_overlap({"a": a, "b": b})
    with pytest.raises(Failed, match=r"`a` and `c` both claim `x\.example`, path `/`"):
        refuse_overlap({"a": a, "c": {**a, "service": "c"}})
