"""What Caddy listens on: the part of its configuration that belongs to the host."""

from __future__ import annotations

from dataclasses import replace

from shipway.core.plan_codec import Json
from shipway.proxies.caddy import pages
from shipway.proxies.caddy.site import CaddyRun
from shipway.proxies.pages import page

SECOND = 1_000_000_000
"""Caddy's durations are nanoseconds."""

# A slow sender of headers is cut (slowloris); bodies may take their time, as uploads from phones do. Caddy 2.11.7 by
# itself cuts only an upload or a download that stands still for a minute.
READ_HEADER_S = 15
KEEP_ALIVE_S = 120


def listen(run: CaddyRun, port: int) -> tuple[str, ...]:
    """Return the addresses of the host on which `port` is open."""
    return tuple(f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}" for ip in run.bind_ips) or (f":{port}",)


def servers(run: CaddyRun) -> dict[str, Json]:
    """Return Caddy's servers, without the routes of services.

    In a container they listen on all of its addresses: Docker opens the ports, on the asked addresses of the host.
    Metrics are for the container's network, or for the host itself.
    """
    inside = run if not run.keep.container else replace(run, bind_ips=())
    found: dict[str, Json] = {
        "http": _server(listen(inside, run.http_port), {"disable": True}),
        "https": {
            **_server(listen(inside, run.https_port), {"disable_redirects": True, "skip_certificates": []}),
            "tls_connection_policies": [{}],
        },
    }
    if run.metrics_port:
        metrics: Json = [{"match": [{"path": ["/metrics"]}], "handle": [{"handler": "metrics"}]}]
        at = ("" if run.keep.container else "127.0.0.1") + f":{run.metrics_port}"
        found["metrics"] = {"listen": [at], "automatic_https": {"disable": True}, "routes": metrics}
    return found


def _server(addresses: tuple[str, ...], automatic_https: Json) -> dict[str, Json]:
    nobody = pages.answer("404", page("Nothing here", "No site is configured for this address."))
    silent: Json = {"handler": "vars", "log_skip": True}
    return {
        "listen": list(addresses),
        "automatic_https": automatic_https,
        "read_header_timeout": READ_HEADER_S * SECOND,
        "idle_timeout": KEEP_ALIVE_S * SECOND,
        "logs": {},
        "named_routes": {},
        "routes": [{"handle": [silent, nobody]}],
        "errors": {"routes": [{"handle": [pages.answer("{http.error.status_code}", "")]}]},
    }
