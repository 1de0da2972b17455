"""Sites whose JSON is kept in tests/golden/caddy, by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shipway.core.layout import Layout
from shipway.proxies.caddy import Caddy, CaddyRun
from shipway.proxies.site import AccessLog, Folder, ProxyRoute, ProxySite, Tls

LAYOUT = Layout("/var/lib/shipway", "shop")
WEB = ProxyRoute("web", ("shop.example",), health_path="/up")
FULL: Any = {
    "tls": Tls("files", "/etc/shop/cert.pem", "/etc/shop/key.pem"),
    "ssl_redirect": False,
    "forward_headers": True,
    "response_timeout_s": 12.5,
    "max_request_bytes": 1_000_000,
    "buffer_request_bytes": 64_000,
    "buffer_response_bytes": 32_000,
    "access_log": AccessLog(("User-Agent",), ("Content-Type",)),
}
CASES = {
    "plain": (ProxySite("shop", (ProxyRoute("web"),)), CaddyRun(http_port=8080, bind_ips=("127.0.0.1",))),
    "internal": (ProxySite("shop", (replace(WEB, tls=Tls("internal")),)), CaddyRun()),
    "full": (
        ProxySite(
            "shop",
            (
                replace(WEB, **FULL),
                ProxyRoute("api", ("shop.example", "*.shop.example"), ("/api/", "/v2"), False, **FULL),
            ),
            static=Folder("/static/", LAYOUT.static),
            media=Folder("/media/", LAYOUT.media),
            error_pages=(("503.html", "<h1>soon</h1>"),),
        ),
        CaddyRun(http_port=8080, https_port=8443, bind_ips=("10.0.0.1", "fd00::1")),
    ),
    "auto": (ProxySite("shop", (replace(WEB, tls=Tls("auto", email="ops@shop.example")),)), CaddyRun()),
}


def caddy(name: str = "plain") -> Caddy:
    site, run = CASES[name]
    return Caddy(LAYOUT, "web-1", site, run)
