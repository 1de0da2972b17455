"""`proxy.run`: how the proxy of a host itself is run."""

from __future__ import annotations

from dataclasses import dataclass

from shipway.config.keys import ListOf, key
from shipway.config.kinds import Boolean, Integer, Text
from shipway.config.options import Options, OptionsKind
from shipway.config.report import Report
from shipway.config.tree import Path, locate

_MAX_PORT = 65_535


def _check_ip(text: str) -> str:
    import ipaddress

    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return f"Invalid publish IP address: {text}"
    return ""


def _port() -> Integer:
    return Integer(least=1, most=_MAX_PORT)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyRun:
    """How the proxy of a host is run. All roles and accessories of a host must agree."""

    http_port: int | None = key(_port(), "The port for HTTP.", default="80")
    https_port: int | None = key(_port(), "The port for HTTPS.", default="443")
    metrics_port: int | None = key(_port(), "The port for metrics.", default="none")
    debug: bool | None = key(Boolean(), "Whether the proxy logs in detail.", default="false")
    log_max_size: str | None = key(Text(), "How large the proxy's log may grow.", default="10m")
    publish: bool | None = key(Boolean(), "Whether the ports are open on the host.", default="true")
    bind_ips: tuple[str, ...] | None = key(ListOf(Text(check=_check_ip)), "The addresses to listen on.", default="all")
    program: str | None = key(
        Text(choices=("caddy", "nginx")),
        "Caddy, or nginx where releases run in virtualenvs (Shipway's key).",
        default="caddy",
    )
    image: str | None = key(
        Text(), "The proxy's image where it is a container: Caddy 2.11.7 or newer (Shipway's key).", default="caddy:2"
    )
    registry: str | None = key(Text(), "The registry of the proxy's image.", default="Docker Hub")
    repository: str | None = key(Text(), "The name of kamal-proxy's image: without effect, see `image`.")
    version: str | None = key(Text(), "The version of kamal-proxy: without effect, see `image`.")
    options: Options | None = key(OptionsKind(has_restart=False), "Further flags of `docker run` for the proxy.")


def check_proxy_run(run: ProxyRun, path: Path, report: Report) -> None:
    """Report ports of a proxy that publishes none; the path is the proxy's, as in Kamal's message."""
    if run.publish is False and (run.bind_ips or run.http_port or run.https_port):
        what = "Cannot set http_port, https_port or bind_ips when publish is false"
        mark = locate(report.root, path)
        report.add("conflict", path[:-1], what, next="remove them, or `publish: false`", mark=mark)
