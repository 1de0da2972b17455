from __future__ import annotations

import pytest

from shipway.core.errors import ConfigError
from shipway.core.layout import Layout
from shipway.proxies.caddy import Caddy, CaddyRun
from shipway.proxies.site import AccessLog, Folder, ProxyRoute, ProxySite, Tls
from tests.unit.proxies.caddy.cases import LAYOUT

WEB = (ProxyRoute("web", ("shop.example",)),)
UNSAFE = {
    "a placeholder in a host": ProxySite("shop", (ProxyRoute("web", ("{env.HOME}",)),)),
    "a placeholder in a prefix": ProxySite("shop", (ProxyRoute("web", (), ("/{env.HOME}",)),)),
    "a placeholder in a health path": ProxySite("shop", (ProxyRoute("web", health_path="/{env.HOME}"),)),
    "a path in a role": ProxySite("shop", (ProxyRoute("../web"),)),
    "a path in a service": ProxySite("../shop", WEB),
    "a glob in a directory": ProxySite("shop", WEB, static=Folder("/static/", "/srv/*")),
    "a way out of a directory": ProxySite("shop", WEB, media=Folder("/media/", "/srv/../etc")),
    "an address as a folder": ProxySite("shop", WEB, static=Folder("https://cdn.example/", "/srv")),
    "a line in a header": ProxySite("shop", (ProxyRoute("web", access_log=AccessLog(("A\nB",))),)),
    "a path as an error page": ProxySite("shop", WEB, error_pages=(("../500.html", ""),)),
    "TLS without a name": ProxySite("shop", (ProxyRoute("web", tls=Tls("auto")),)),
}


@pytest.mark.parametrize("name", UNSAFE)
def test_what_caddy_would_read_otherwise_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        Caddy(LAYOUT, "web-1", UNSAFE[name], CaddyRun())


def test_a_root_with_a_placeholder_is_refused() -> None:
    with pytest.raises(ConfigError):
        Caddy(Layout("/srv/{env.HOME}", "shop"), "web-1", ProxySite("shop", WEB), CaddyRun())


@pytest.mark.parametrize(
    ("given", "prefixes"),
    [((), ("",)), (("/",), ("",)), (("api", "/v2/", "/v2"), ("/api", "/v2")), (("/", "/long/er"), ("/long/er", ""))],
)
def test_prefixes_are_written_in_one_way(given: tuple[str, ...], prefixes: tuple[str, ...]) -> None:
    assert ProxyRoute("web", path_prefixes=given).prefixes == prefixes
