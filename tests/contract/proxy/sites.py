"""Two services as they are configured in these tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shipway.core.layout import Layout
from shipway.proxies.caddy import Caddy
from shipway.proxies.nginx import Nginx
from shipway.proxies.site import AccessLog, Folder, ProxyRoute, ProxySite
from tests.contract.proxy.rig import run

ONLY_CADDY = pytest.mark.parametrize("form", ["program", "container"], indirect=True, scope="module")
"""For what nginx has not, or has in another way."""


def shop(root: str, **changes: object) -> ProxySite:
    settings: dict[str, Any] = {
        "routes": (
            ProxyRoute("web", ("shop.test",), health_path="/up"),
            ProxyRoute("api", ("shop.test",), ("/api", "/api/v2")),
        ),
        "static": Folder("/static/", Layout(root, "shop").static),
        "media": Folder("/media/", Layout(root, "shop").media),
        "max_request_bytes": 100_000,
        "response_timeout_s": 3.0,
        "access_log": AccessLog(("User-Agent",), ("Content-Type",)),
    }
    return _site("shop", {**settings, **changes})


def _site(service: str, settings: dict[str, Any]) -> ProxySite:
    """Return a site; settings of a route are given to each of its routes."""
    of_site = {name: settings.pop(name) for name in ("static", "media", "error_pages") if name in settings}
    routes = tuple(replace(route, **settings) for route in settings.pop("routes"))
    return ProxySite(service, routes, **of_site)


def blog(**changes: object) -> ProxySite:
    settings: dict[str, Any] = {"routes": (ProxyRoute("web", ("blog.test",)),), **changes}
    return _site("blog", settings)


def live(proxy: Caddy | Nginx) -> dict[str, str]:
    answers = {name: run(command) for name, command in proxy.probes().items()}
    return dict(proxy.parse(answers).live)
