"""Caddy's JSON for one service, built from objects.

Caddy's JSON has no import, and a Caddyfile refuses two site blocks with the same host, so two services could not share
a host name by path. Therefore each service has one file of its own (`site_json`): the part of the host's configuration
that belongs to the host (`base`), and its routes, each with the hosts and the prefix that it claims (an "entry"). A
script on the host (`sites_script.py`) puts the files of all services in order and refuses what overlaps.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from shipway.core.layout import Layout
from shipway.core.plan_codec import Json
from shipway.proxies.caddy import files, pages
from shipway.proxies.caddy.listeners import SECOND, servers
from shipway.proxies.caddy.site import CaddyRun
from shipway.proxies.site import AccessLog, ProxyRoute, ProxySite, Tls

# gunicorn closes an idle connection after 2 s (`keepalive`), uvicorn after 5. A POST sent in that very moment cannot be
# sent again, so Caddy lets go first. Rare: 302 POSTs at such pauses lost none either way. Busy connections are reused.
UPSTREAM_IDLE_S = 1
DIAL_TIMEOUT_S = 3
# A dial that fails is tried again with the live file read anew: it covers a release that went away between the two,
# and the second in which a keeper starts a crashed process again. Nothing has been sent by then, so POST is safe too.
TRY_S = 2
TRY_EVERY_S = 0.1
# A reload (only a changed proxy section needs one) would cut every WebSocket of every service at once. The end of the
# process does not wait for this (measured: SIGTERM with an open WebSocket takes under a second).
STREAM_CLOSE_S = 3600
GRACE_S = 30

# Headers by which a client could pose as a proxy. gunicorn reads X-Forwarded-Protocol and -Ssl too.
_FORGEABLE = ("X-Forwarded-*", "Forwarded", "X-Real-Ip", "X-Scheme", "X-Url-Scheme", "Front-End-Https", "X-Request-Id")
_EVERYBODY = ("0.0.0.0/0", "::/0")


def site_json(layout: Layout, site: ProxySite, run: CaddyRun) -> str:
    """Return the file of one service: what `sites_script.py` reads. Equal sites give equal text."""
    own = [route for route in site.routes if route.tls.mode == "files"]
    pairs = dict.fromkeys((route.tls.certificate, route.tls.key) for route in own)
    body: dict[str, Json] = {
        "format": 1,
        "service": site.service,
        "base": base(layout, run),
        "definition": run.keep.definition,
        "entries": _entries(layout, site),
        "named": _named(layout, site, run),
        "logs": _logs(layout, site),
        "skip_certificates": list(dict.fromkeys(host for route in own for host in route.hosts)),
        "policies": _policies(site),
        "load_files": [{"certificate": certificate, "key": key} for certificate, key in pairs],
    }
    return json.dumps(body, indent=1, sort_keys=True) + "\n"


def admin_socket(layout: Layout) -> str:
    """Return the path of the admin API: a socket, since every user of a host may connect to a port on localhost."""
    return f"{layout.proxy}/admin.sock"


def base(layout: Layout, run: CaddyRun) -> dict[str, Json]:
    """Return what belongs to the host, with the answer to requests that no service claims.

    Both servers stand here; the script leaves out the one with TLS while no service uses it.
    """
    http: dict[str, Json] = {
        "http_port": run.http_port,
        "https_port": run.https_port,
        "grace_period": GRACE_S * SECOND,
        "servers": servers(run),
    }
    if run.metrics_port:
        http["metrics"] = {"per_host": True}
    return {
        "admin": {"listen": f"unix/{admin_socket(layout)}|0600", "config": {"persist": False}},
        "storage": {"module": "file_system", "root": f"{layout.proxy}/tls"},
        # The admin API is asked twenty times a second in a drain, and each question would be a line.
        "logging": {"logs": {"default": {"level": "DEBUG" if run.debug else "INFO", "exclude": ["admin.api"]}}},
        "apps": {
            "http": http,
            # Without this Caddy would ask for root, to make this machine trust its own authority.
            "pki": {"certificate_authorities": {"local": {"install_trust": False}}},
            "tls": {"automation": {"policies": []}, "certificates": {"load_files": []}},
        },
    }


def _entry(server: str, hosts: tuple[str, ...], prefix: str, routes: tuple[str, str]) -> Json:
    """Return one claim; `routes` are the names of what it does, and of what it does after an error."""
    match: dict[str, Json] = {}
    if hosts:
        match["host"] = list(hosts)
    if prefix:
        match["path"] = [prefix, f"{prefix}/*"]
    where: dict[str, Json] = {"match": [match]} if match else {}
    handle: list[Json] = [{"handler": "invoke", "name": routes[0]}]
    errors: list[Json] = [{"handler": "invoke", "name": routes[1]}]
    return {
        "server": server,
        "hosts": list(hosts),
        "prefix": prefix,
        "route": {**where, "handle": handle, "terminal": True},
        "errors": {**where, "handle": errors, "terminal": True},
    }


@dataclass(frozen=True, slots=True)
class _Claim:
    """Requests, and by the name of a route what happens to them. `live`: the file of their release ("" for files)."""

    name: str
    at: ProxyRoute
    does: list[Json]
    live: str = ""


def _claims(layout: Layout, site: ProxySite) -> list[_Claim]:
    places = (("static", site.static, files.static_routes), ("media", site.media, files.media_routes))
    served = [
        _Claim(f"{site.service}/files/{name}", at, [_log_route(site, at), *routes(folder)])
        for name, folder, routes in places
        if folder
        for at in _file_places(site, folder.url)
    ]
    live = {route.role: layout.live(route.role) for route in site.routes}
    return served + [
        _Claim(f"{site.service}/{route.role}", route, _role_routes(layout, site, route), live[route.role])
        for route in site.routes
    ]


def _file_places(site: ProxySite, url: str) -> list[ProxyRoute]:
    """Return where files are served: under the names of every route, each in the way of the first that has it."""
    first: dict[str, ProxyRoute] = {}
    for route in site.routes:
        for host in route.hosts or ("",):
            first.setdefault(host, route)
    groups: dict[tuple[bool, bool, AccessLog | None], list[str]] = {}
    for host, at in first.items():
        groups.setdefault((at.tls.is_on, at.ssl_redirect, at.access_log), []).append(host)
    return [
        replace(first[hosts[0]], hosts=tuple(filter(None, hosts)), path_prefixes=(url,)) for hosts in groups.values()
    ]


def _entries(layout: Layout, site: ProxySite) -> list[Json]:
    """Return one entry per prefix and listener; with TLS the plain listener sends browsers to the other one."""
    found: list[Json] = []
    for claim in _claims(layout, site):
        at = claim.at
        servers = {"http": claim.name, "https": claim.name} if at.tls.is_on else {"http": claim.name}
        if at.tls.is_on and at.ssl_redirect:
            servers["http"] = f"{site.service}/redirect"
        found += [
            _entry(server, at.hosts, prefix, (does, f"{claim.name}/errors"))
            for prefix in at.prefixes
            for server, does in servers.items()
        ]
    return found


def _named(layout: Layout, site: ProxySite, run: CaddyRun) -> dict[str, Json]:
    """Return Caddy's "named routes": what entries share stands once."""
    errors = f"{site.service}/errors"
    named: dict[str, Json] = {errors: _route(pages.error_routes(layout.errors))}
    for claim in _claims(layout, site):
        named[claim.name] = _route(claim.does)
        shared: Json = {"handle": [{"handler": "invoke", "name": errors}]}
        named[f"{claim.name}/errors"] = _route([*pages.empty_address_routes(claim.live), shared])
    port = "" if run.https_port == 443 else f":{run.https_port}"  # noqa: PLR2004  the port of https
    to: Json = {"Location": [f"https://{{http.request.host}}{port}{{http.request.uri}}"]}
    # 301, as Django's SecurityMiddleware and kamal-proxy answer.
    redirect: Json = {"handle": [{"handler": "static_response", "status_code": "301", "headers": to}]}
    redirected = next((route for route in site.routes if route.tls.is_on and route.ssl_redirect), None)
    if redirected:
        named[f"{site.service}/redirect"] = _route([_log_route(site, redirected), redirect])
    return named


def _route(routes: list[Json]) -> Json:
    return {"handle": [{"handler": "subroute", "routes": routes}]}


def _role_routes(layout: Layout, site: ProxySite, route: ProxyRoute) -> list[Json]:
    """Return what happens to a request for a role, in order."""
    closed: dict[str, Json] = {"file": {"root": "/", "try_files": [layout.maintenance]}}
    if route.health_path:
        closed["not"] = [{"path": [route.health_path]}]
    page = pages.answer("503", f"{{file.{layout.maintenance}}}", retry=True)
    routes: list[Json] = [_log_route(site, route), *_id_routes(route)]
    routes.append({"match": [closed], "handle": [page], "terminal": True})
    # Without this Caddy would dial "" and try again for TRY_S before it gives up with 502.
    live: Json = {"file": {"root": "/", "try_files": [layout.live(route.role)]}}
    routes.append({"match": [{"not": [live]}], "handle": pages.no_release(), "terminal": True})
    handle: list[Json] = []
    if route.max_request_bytes:
        handle.append({"handler": "request_body", "max_size": route.max_request_bytes})
    if route.strip_path_prefix:
        routes += [_strip(prefix) for prefix in route.prefixes if prefix]
    return [*routes, {"handle": [*handle, _proxy(layout, route)]}]


def _strip(prefix: str) -> Json:
    """Take a prefix off; of a group only the first that matches does so, and the longest stands first."""
    rewrite: Json = {"handler": "rewrite", "strip_path_prefix": prefix}
    return {"group": "strip", "match": [{"path": [prefix, f"{prefix}/*"]}], "handle": [rewrite]}


def _id_routes(route: ProxyRoute) -> list[Json]:
    """Give the request an id, in the request, the answer and the log; a client's own only where it is trusted."""
    reply: Json = {"set": {"X-Request-Id": ["{http.request.header.X-Request-Id}"]}, "deferred": True}
    name: Json = {"set": {"X-Request-Id": ["{http.request.uuid}"]}}
    fresh: dict[str, Json] = {"handle": [{"handler": "headers", "request": name}]}
    answered: Json = {"handle": [{"handler": "headers", "response": reply}]}
    if route.forward_headers:
        return [{"match": [{"not": [{"header": {"X-Request-Id": ["*"]}}]}], **fresh}, answered]
    forged: Json = {"handle": [{"handler": "headers", "request": {"delete": list(_FORGEABLE)}}]}
    return [forged, fresh, answered]


def _proxy(layout: Layout, route: ProxyRoute) -> Json:
    """Return the handler that sends a request to the live release of a role.

    Caddy sets X-Forwarded-For, -Proto and -Host itself. `compression` off keeps Caddy from asking the application for
    gzip in the name of a client that did not.
    """
    handler: dict[str, Json] = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": f"{{file.{layout.live(route.role)}}}"}],
        "load_balancing": {"try_duration": TRY_S * SECOND, "try_interval": int(TRY_EVERY_S * SECOND)},
        "stream_close_delay": STREAM_CLOSE_S * SECOND,
        "transport": {
            "protocol": "http",
            "compression": False,
            "dial_timeout": DIAL_TIMEOUT_S * SECOND,
            "response_header_timeout": int(route.response_timeout_s * SECOND),
            "keep_alive": {"enabled": True, "idle_timeout": UPSTREAM_IDLE_S * SECOND},
        },
    }
    if route.buffer_request_bytes:
        handler["request_buffers"] = route.buffer_request_bytes
    if route.buffer_response_bytes:
        handler["response_buffers"] = route.buffer_response_bytes
    if route.forward_headers:
        handler["trusted_proxies"] = list(_EVERYBODY)
    return handler


def _log_route(site: ProxySite, route: ProxyRoute) -> Json:
    """Say where the request is logged. Caddy logs all headers or none, so chosen ones are added one by one."""
    if route.access_log is None:
        return {"handle": [{"handler": "vars", "log_skip": True}]}
    handle: list[Json] = [{"handler": "vars", "access_logger_names": [_log_name(site)]}]
    for kind, names in _logged(route.access_log):
        for name in names:
            value = f"{{http.{kind}.header.{name}}}"
            handle.append({"handler": "log_append", "key": f"{kind}_{name.lower()}", "value": value})
    return {"handle": handle}


def _logged(log: AccessLog) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (("request", log.request_headers), ("response", log.response_headers))


def _log_name(site: ProxySite) -> str:
    return f"site-{site.service}"


def _logs(layout: Layout, site: ProxySite) -> Json:
    """Return the access log of the service, without the headers that nobody asked for (they carry sessions)."""
    if not any(route.access_log for route in site.routes):
        return {}
    writer: Json = {
        "output": "file",
        "filename": f"{layout.proxy}/log/{site.service}.log",
        "mode": "0640",
        "roll_size_mb": 50,
        "roll_keep": 5,
    }
    drop: Json = {name: {"filter": "delete"} for name in ("request>headers", "request>tls", "resp_headers")}
    encoder: Json = {"format": "filter", "wrap": {"format": "json"}, "fields": drop}
    include: Json = [f"http.log.access.{_log_name(site)}"]
    return {_log_name(site): {"writer": writer, "encoder": encoder, "include": include}}


def _policies(site: ProxySite) -> list[Json]:
    """Return who makes the certificates of which names; Caddy's own choice of authorities needs no word."""
    names: dict[Tls, list[str]] = {}
    for route in site.routes:
        names.setdefault(route.tls, []).extend(route.hosts)
    found: list[Json] = []
    for tls, hosts in names.items():
        issuer: dict[str, Json] = {"module": "internal"}
        if tls.mode == "auto" and (tls.email or tls.ca):
            issuer = {"module": "acme"}
            issuer |= {"email": tls.email} if tls.email else {}
            issuer |= {"ca": tls.ca} if tls.ca else {}
            issuer |= {"trusted_roots_pem_files": [tls.ca_root]} if tls.ca_root else {}
        elif tls.mode != "internal":
            continue
        subjects: list[Json] = list(dict.fromkeys(hosts))
        found.append({"subjects": subjects, "issuers": [issuer]})
    return found
