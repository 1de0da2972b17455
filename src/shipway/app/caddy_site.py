"""What a service asks of Caddy on one host, from the configuration."""

from __future__ import annotations

from dataclasses import replace

from shipway.app.kept_proxy import kept_proxy
from shipway.app.service import Service
from shipway.app.venv_settings import venv_settings_of
from shipway.config.model import Role
from shipway.config.proxy import Proxy
from shipway.core.errors import ConfigError
from shipway.core.layout import Layout
from shipway.proxies.caddy import AccessLog, Caddy, CaddyRoute, CaddyRun, CaddySite, Folder, Tls

_LOGGED = ("Cache-Control", "Last-Modified", "User-Agent")
_BUFFER_BYTES = 1_048_576
"""What is buffered where the configuration asks for it without a size: the default of kamal-proxy's --buffer-memory."""


def caddy_of(service: Service, host: str, layout: Layout, caddy: str) -> Caddy | None:
    """Return the proxy of a host, None where no role of it takes public traffic.

    `caddy` is the path of the host's own program ("": the one that Shipway installs). Raises ConfigError.
    """
    roles = [role for role in service.config.roles_on(host) if role.proxy is not None]
    if not roles:
        return None
    run = service.config.proxy_run(host)
    how = CaddyRun(
        binary=caddy or f"{layout.tools}/bin/caddy",
        http_port=(run.http_port if run else None) or 80,
        https_port=(run.https_port if run else None) or 443,
        bind_ips=(run.bind_ips if run else None) or (),
    )
    site = _site(service, roles, layout)
    python = venv_settings_of(service).python
    start = kept_proxy(Caddy(layout, host, site, how).program, layout, python)
    return Caddy(layout, host, site, replace(how, start=start))


def _site(service: Service, roles: list[Role], layout: Layout) -> CaddySite:
    django = service.config.django
    proxy = roles[0].proxy or Proxy()
    kept = proxy.buffering
    memory = (kept.memory if kept else None) or _BUFFER_BYTES
    forwards = proxy.forward_headers if proxy.forward_headers is not None else not proxy.is_tls
    return CaddySite(
        service=service.config.full_service,
        routes=tuple(_route(service, role, role.proxy) for role in roles if role.proxy is not None),
        tls=_tls(proxy),
        ssl_redirect=proxy.ssl_redirect is not False,
        forward_headers=forwards,
        response_timeout_s=float(proxy.response_timeout or 30),
        max_request_bytes=(kept.max_request_body if kept else None) or 0,
        buffer_request_bytes=memory if kept and kept.requests else 0,
        buffer_response_bytes=memory if kept and kept.responses else 0,
        static=Folder(django.static.url or "/static/", layout.static) if django.static.root else None,
        media=Folder(django.media.url or "/media/", layout.media) if django.media.root else None,
        error_pages=service.error_pages,
        access_log=_access_log(proxy),
    )


def _route(service: Service, role: Role, proxy: Proxy) -> CaddyRoute:
    asked = proxy.healthcheck.path if proxy.healthcheck else None
    return CaddyRoute(
        role=role.name,
        hosts=proxy.names(),
        path_prefixes=proxy.prefixes() or ("/",),
        strip_path_prefix=proxy.strip_path_prefix is not False,
        health_path=asked or service.config.django.health,
    )


def _tls(proxy: Proxy) -> Tls:
    if proxy.certificate is not None:
        raise ConfigError(
            "proxy.certificate_unavailable",
            "this version of Shipway cannot serve a certificate that is kept as a secret",
            where="proxy/ssl",
            next="write `ssl: true` for an automatic one, or `tls: internal`",
        )
    if proxy.tls == "internal":
        return Tls("internal")
    return Tls("auto") if proxy.is_tls else Tls()


def _access_log(proxy: Proxy) -> AccessLog | None:
    if proxy.access_log is False:
        return None
    asked = proxy.logging
    requests = asked.request_headers if asked and asked.request_headers is not None else _LOGGED
    return AccessLog(requests, (asked.response_headers if asked else None) or ())
