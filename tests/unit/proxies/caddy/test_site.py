from __future__ import annotations

import pytest

from shipway.core.errors import ConfigError
from shipway.core.layout import Layout
from shipway.proxies.caddy import AccessLog, Caddy, CaddyRoute, CaddyRun, CaddySite, Folder, Tls
from tests.unit.proxies.caddy.cases import LAYOUT

WEB = (CaddyRoute("web", ("shop.example",)),)
UNSAFE = {
    "a placeholder in a host": CaddySite("shop", (CaddyRoute("web", ("{env.HOME}",)),)),
    "a placeholder in a prefix": CaddySite("shop", (CaddyRoute("web", (), ("/{env.HOME}",)),)),
    "a placeholder in a health path": CaddySite("shop", (CaddyRoute("web", health_path="/{env.HOME}"),)),
    "a path in a role": CaddySite("shop", (CaddyRoute("../web"),)),
    "a path in a service": CaddySite("../shop", WEB),
    "a glob in a directory": CaddySite("shop", WEB, static=Folder("/static/", "/srv/*")),
    "a way out of a directory": CaddySite("shop", WEB, media=Folder("/media/", "/srv/../etc")),
    "an address as a folder": CaddySite("shop", WEB, static=Folder("https://cdn.example/", "/srv")),
    "a line in a header": CaddySite("shop", (CaddyRoute("web", access_log=AccessLog(("A\nB",))),)),
    "a path as an error page": CaddySite("shop", WEB, error_pages=(("../500.html", ""),)),
    "TLS without a name": CaddySite("shop", (CaddyRoute("web", tls=Tls("auto")),)),
}


@pytest.mark.parametrize("name", UNSAFE)
def test_what_caddy_would_read_otherwise_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        Caddy(LAYOUT, "web-1", UNSAFE[name], CaddyRun())


def test_a_root_with_a_placeholder_is_refused() -> None:
    with pytest.raises(ConfigError):
        Caddy(Layout("/srv/{env.HOME}", "shop"), "web-1", CaddySite("shop", WEB), CaddyRun())


@pytest.mark.parametrize(
    ("given", "prefixes"),
    [((), ("",)), (("/",), ("",)), (("api", "/v2/", "/v2"), ("/api", "/v2")), (("/", "/long/er"), ("/long/er", ""))],
)
def test_prefixes_are_written_in_one_way(given: tuple[str, ...], prefixes: tuple[str, ...]) -> None:
    assert CaddyRoute("web", path_prefixes=given).prefixes == prefixes
