"""What a service asks of its proxy on one host, from the configuration: Caddy, or nginx."""

from __future__ import annotations

from dataclasses import replace

from shipway.app.hosts import HostBasics
from shipway.app.kept_proxy import kept_proxy
from shipway.app.service import Service
from shipway.app.venv_settings import venv_settings_of
from shipway.config.model import Accessory, Config, Role
from shipway.config.options import Options
from shipway.config.proxy import Acme, Certificate, Proxy
from shipway.config.proxy_run import ProxyRun
from shipway.core.errors import ConfigError
from shipway.core.layout import Layout
from shipway.core.secret import SecretRef
from shipway.proxies.base import Proxy as HostProxy
from shipway.proxies.caddy import Caddy, CaddyContainer, CaddyRun, keep_in_container
from shipway.proxies.nginx import Nginx, NginxRun
from shipway.proxies.site import AccessLog, Folder, ProxyRoute, ProxySite, Tls
from shipway.runtimes.venv import keeper_of

_LOGGED = ("Cache-Control", "Last-Modified", "User-Agent")
_BUFFER_BYTES = 1_048_576
"""What is buffered where the configuration asks for it without a size: the default of kamal-proxy's --buffer-memory."""
_IMAGE = "caddy:2"
_CERTBOT = "/etc/letsencrypt/live"
"""Where certbot keeps the certificates in force, in a directory named by the first name (its documentation)."""
_HTTP, _HTTPS = 80, 443
_PORT = 80
"""The port of an application in a container where `app_port` does not say it: Kamal's default."""


def proxy_of(service: Service, host: str, layout: Layout, basics: HostBasics) -> HostProxy | None:
    """Return the proxy of a host, None where no role of it takes public traffic. Raises ConfigError."""
    roles = [role for role in service.config.roles_on(host) if role.proxy is not None]
    if not roles:
        return None
    by_nginx = is_nginx(service.config, host)
    site = _site(service, roles, layout, by_certbot=by_nginx)
    if by_nginx:
        return Nginx(layout, host, site, _nginx_run(service, host, basics))
    return Caddy(layout, host, site, run_of(service, host, layout, basics))


def is_nginx(config: Config, host: str) -> bool:
    """Return whether nginx is the proxy of a host."""
    run = config.proxy_run(host)
    return run is not None and run.program == "nginx"


def _nginx_run(service: Service, host: str, basics: HostBasics) -> NginxRun:
    asked = service.config.proxy_run(host) or ProxyRun()
    return NginxRun(
        http_port=asked.http_port or _HTTP,
        https_port=asked.https_port or _HTTPS,
        bind_ips=tuple(ip.strip("[]") for ip in asked.bind_ips or ()),
        sudo=not basics.is_root,
        python=venv_settings_of(service).python,
    )


def accessory_caddy(service: Service, accessory: Accessory, host: str, basics: HostBasics) -> Caddy | None:
    """Return the proxy of a host for an accessory, None where it takes no public traffic. Raises ConfigError.

    It is a service of its own for the proxy, with one role: `host_steps` configure it, and `switch_steps` with its name
    and `accessory_endpoint` send the traffic to it, once, after it runs.
    """
    if accessory.proxy is None:
        return None
    layout = Layout(basics.state, f"{accessory.service}.accessory")
    route = _route(service, layout, accessory.name, accessory.proxy)
    site = ProxySite(layout.service, (replace(route, health_path=""),), ca_root=_ca_root(service, [accessory.proxy]))
    return Caddy(layout, host, site, run_of(service, host, layout, basics))


def accessory_endpoint(accessory: Accessory) -> str:
    """Return where the proxy reaches an accessory: its container, by Docker's DNS."""
    return f"{accessory.service}:{(accessory.proxy.app_port if accessory.proxy else None) or _PORT}"


def run_of(service: Service, host: str, layout: Layout, basics: HostBasics) -> CaddyRun:
    """Return how Caddy is run on a host: as a container with `runtime: docker`, else kept like all processes."""
    asked = service.config.proxy_run(host) or ProxyRun()
    run = CaddyRun(
        http_port=asked.http_port or _HTTP,
        https_port=asked.https_port or _HTTPS,
        bind_ips=tuple(ip.strip("[]") for ip in asked.bind_ips or ()),
        publish=asked.publish is not False,
        metrics_port=asked.metrics_port or 0,
        debug=bool(asked.debug),
    )
    if service.config.runtime == "docker":
        image = asked.image or _IMAGE
        how = CaddyContainer(
            image=f"{asked.registry}/{image}" if asked.registry else image,
            user=f"{basics.uid}:{basics.gid}",
            log_max_size=asked.log_max_size or "10m",
            options=_flags(asked.options or {}),
        )
        return replace(run, keep=keep_in_container(layout, host, run, how))
    python = venv_settings_of(service).python
    keeper = keeper_of(service.config.venv.keeper, layout, host, python, basics.keepers)
    return replace(run, keep=kept_proxy(layout, basics.caddy or f"{layout.tools}/bin/caddy", python, keeper))


def _flags(options: Options) -> tuple[str, ...]:
    """Return `docker run` flags as Kamal writes them: `true` is the bare flag, a list repeats it."""
    words: list[str] = []
    for name, value in options.items():
        for one in value if isinstance(value, tuple) else (value,):
            words += [f"--{name}"] if one is True else [f"--{name}", str(one).lower() if one is False else str(one)]
    return tuple(words)


def _site(service: Service, roles: list[Role], layout: Layout, *, by_certbot: bool) -> ProxySite:
    django = service.config.django
    proxies = [(role.name, role.proxy) for role in roles if role.proxy is not None]
    return ProxySite(
        service=service.config.full_service,
        routes=tuple(_route(service, layout, name, proxy, by_certbot=by_certbot) for name, proxy in proxies),
        static=Folder(django.static.url or "/static/", layout.static) if django.static.root else None,
        media=Folder(django.media.url or "/media/", layout.media) if django.media.root else None,
        error_pages=service.error_pages,
        ca_root=_ca_root(service, [proxy for _, proxy in proxies]),
    )


def _route(service: Service, layout: Layout, role: str, proxy: Proxy, *, by_certbot: bool = False) -> ProxyRoute:
    kept = proxy.buffering
    memory = (kept.memory if kept else None) or _BUFFER_BYTES
    asked = proxy.healthcheck.path if proxy.healthcheck else None
    return ProxyRoute(
        role=role,
        hosts=proxy.names(),
        path_prefixes=proxy.prefixes() or ("/",),
        strip_path_prefix=proxy.strip_path_prefix is not False,
        health_path=asked or service.config.django.health,
        tls=_tls(proxy, layout, role, by_certbot=by_certbot),
        ssl_redirect=proxy.ssl_redirect is not False,
        forward_headers=proxy.forward_headers if proxy.forward_headers is not None else not proxy.is_tls,
        response_timeout_s=30.0 if proxy.response_timeout is None else float(proxy.response_timeout),
        max_request_bytes=(kept.max_request_body if kept else None) or 0,
        buffer_request_bytes=memory if kept and kept.requests else 0,
        buffer_response_bytes=memory if kept and kept.responses else 0,
        access_log=_access_log(proxy),
    )


def _tls(proxy: Proxy, layout: Layout, role: str, *, by_certbot: bool) -> Tls:
    own = proxy.certificate
    if own is not None:
        return _own_certificate(own, layout, role)
    if proxy.tls == "internal":
        return Tls("internal")
    if not proxy.is_tls:
        return Tls()
    if by_certbot:
        where = f"{_CERTBOT}/{proxy.names()[0]}"
        return Tls("files", f"{where}/fullchain.pem", f"{where}/privkey.pem")
    acme = proxy.acme or Acme()
    root = _ca_root_path(layout) if acme.ca_root else ""
    return Tls("auto", email=acme.email or "", ca=acme.ca or "", ca_root=root)


def _own_certificate(own: Certificate, layout: Layout, role: str) -> Tls:
    """Return where a certificate of one's own is on the host, and the secrets that it is made of, if it is."""
    if own.certificate_file and own.private_key_file:
        return Tls("files", own.certificate_file, own.private_key_file)
    where = layout.certificate(role)
    pems = ((SecretRef(own.certificate_pem or ""),), (SecretRef(own.private_key_pem or ""),))
    return Tls("files", f"{where}/cert.pem", f"{where}/key.pem", pems)


def _ca_root_path(layout: Layout) -> str:
    return f"{layout.certificate('acme-root')}.pem"


def _ca_root(service: Service, proxies: list[Proxy]) -> str:
    """Return the certificates that the authority of one's own is trusted by; "" where the public ones are used."""
    paths = {proxy.acme.ca_root for proxy in proxies if proxy.acme and proxy.acme.ca_root}
    if len(paths) > 1:
        raise ConfigError(
            "config.conflict",
            f"roles on one host trust their certificate authority by different files: {', '.join(sorted(paths))}",
            where="proxy/acme/ca_root",
            next="put all certificates into one file",
        )
    return service.read(paths.pop()) if paths else ""


def _access_log(proxy: Proxy) -> AccessLog | None:
    if proxy.access_log is False:
        return None
    asked = proxy.logging
    requests = asked.request_headers if asked and asked.request_headers is not None else _LOGGED
    return AccessLog(requests, (asked.response_headers if asked else None) or ())
