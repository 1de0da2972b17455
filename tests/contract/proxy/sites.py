"""Two services as they are configured in these tests."""

from __future__ import annotations

from shipway.proxies.caddy import AccessLog, Caddy, CaddyRoute, CaddySite, Folder
from tests.contract.proxy.rig import run


def shop(root: str, **changes: object) -> CaddySite:
    settings: dict[str, object] = {
        "routes": (
            CaddyRoute("web", ("shop.test",), health_path="/up"),
            CaddyRoute("api", ("shop.test",), ("/api", "/api/v2")),
        ),
        "static": Folder("/static/", f"{root}/shop/static"),
        "media": Folder("/media/", f"{root}/shop/media"),
        "max_request_bytes": 100_000,
        "response_timeout_s": 3.0,
        "access_log": AccessLog(("User-Agent",), ("Content-Type",)),
    }
    return CaddySite("shop", **{**settings, **changes})  # type: ignore[arg-type]


def blog(**changes: object) -> CaddySite:
    settings: dict[str, object] = {"routes": (CaddyRoute("web", ("blog.test",)),), **changes}
    return CaddySite("blog", **settings)  # type: ignore[arg-type]


def live(proxy: Caddy) -> dict[str, str]:
    answers = {name: run(command) for name, command in proxy.probes().items()}
    return dict(proxy.parse(answers).live)
