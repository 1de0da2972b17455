"""Caddy's JSON for one service, built from objects.

Caddy's JSON has no import, and a Caddyfile refuses two site blocks with the same host, so two services could not share
a host name by path. Therefore each service has one file of its own (`site_json`): the part of the host's configuration
that belongs to the host (`base`), and its routes, each with the hosts and the prefix that it claims (an "entry"). A
script on the host (`host_script.py`) puts the files of all services in order and refuses what overlaps.
"""

from __future__ import annotations

import json

from shipway.core.layout import Layout
from shipway.core.plan_codec import Json
from shipway.proxies.caddy import files, pages
from shipway.proxies.caddy.site import AccessLog, CaddyRoute, CaddyRun, CaddySite

SECOND = 1_000_000_000
"""Caddy's durations are nanoseconds."""

# A slow sender of headers is cut (slowloris); bodies may take their time, as uploads from phones do. Caddy 2.11.7 by
# itself cuts only an upload or a download that stands still for a minute.
READ_HEADER_S = 15
KEEP_ALIVE_S = 120
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


def site_json(layout: Layout, site: CaddySite, run: CaddyRun) -> str:
    """Return the file of one service: what `host_script.py` reads. Equal sites give equal text."""
    hosts = site_hosts(site)
    body: dict[str, Json] = {
        "format": 1,
        "service": site.service,
        "base": base(layout, run),
        "entries": _entries(layout, site),
        "named": _named(layout, site, run),
        "logs": _logs(layout, site),
        "skip_certificates": list(hosts) if site.tls.mode == "files" else [],
        "policies": _policies(site, hosts),
        "load_files": [],
    }
    if site.tls.mode == "files":
        body["load_files"] = [{"certificate": site.tls.certificate, "key": site.tls.key}]
    return json.dumps(body, indent=1, sort_keys=True) + "\n"


def site_hosts(site: CaddySite) -> tuple[str, ...]:
    """Return the host names of all roles, each once."""
    return tuple(dict.fromkeys(host for route in site.routes for host in route.hosts))


def listen(run: CaddyRun, port: int) -> tuple[str, ...]:
    """Return the addresses that Caddy listens on for `port`."""
    return tuple(f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}" for ip in run.bind_ips) or (f":{port}",)


def admin_socket(layout: Layout) -> str:
    """Return the path of the admin API: a socket, since every user of a host may connect to a port on localhost."""
    return f"{layout.proxy}/admin.sock"


def base(layout: Layout, run: CaddyRun) -> dict[str, Json]:
    """Return what belongs to the host, with the answer to requests that no service claims.

    Both servers stand here; the script leaves out the one with TLS while no service uses it.
    """
    return {
        "admin": {"listen": f"unix/{admin_socket(layout)}|0600", "config": {"persist": False}},
        "storage": {"module": "file_system", "root": f"{layout.proxy}/tls"},
        # The admin API is asked twenty times a second in a drain, and each question would be a line.
        "logging": {"logs": {"default": {"level": "INFO", "exclude": ["admin.api"]}}},
        "apps": {
            "http": {
                "http_port": run.http_port,
                "https_port": run.https_port,
                "grace_period": GRACE_S * SECOND,
                "servers": {
                    "http": _server(listen(run, run.http_port), {"disable": True}),
                    "https": {
                        **_server(listen(run, run.https_port), {"disable_redirects": True, "skip_certificates": []}),
                        "tls_connection_policies": [{}],
                    },
                },
            },
            # Without this Caddy would ask for root, to make this machine trust its own authority.
            "pki": {"certificate_authorities": {"local": {"install_trust": False}}},
            "tls": {"automation": {"policies": []}, "certificates": {"load_files": []}},
        },
    }


def _server(addresses: tuple[str, ...], automatic_https: Json) -> dict[str, Json]:
    nobody = pages.answer("404", pages.page("Nothing here", "No site is configured for this address."))
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


def _claims(layout: Layout, site: CaddySite) -> dict[str, tuple[CaddyRoute, list[Json], str]]:
    """Return by name: which requests, what happens to them, and the live file of their release ("" for files)."""
    hosts = site_hosts(site)
    found: dict[str, tuple[CaddyRoute, list[Json], str]] = {}
    for name, folder, routes in (
        ("static", site.static, files.static_routes),
        ("media", site.media, files.media_routes),
    ):
        if folder:
            at = CaddyRoute("files", hosts, (folder.url,))
            found[f"{site.service}/files/{name}"] = (at, [_log_route(site), *routes(folder)], "")
    for route in site.routes:
        found[f"{site.service}/{route.role}"] = (route, _role_routes(layout, site, route), layout.live(route.role))
    return found


def _entries(layout: Layout, site: CaddySite) -> list[Json]:
    """Return one entry per prefix and listener; with TLS the plain listener sends browsers to the other one."""
    found: list[Json] = []
    for name, (at, _, _) in _claims(layout, site).items():
        servers = {"http": name} if site.tls.mode == "off" else {"http": name, "https": name}
        if site.tls.mode != "off" and site.ssl_redirect:
            servers["http"] = f"{site.service}/redirect"
        found += [
            _entry(server, at.hosts, prefix, (does, f"{name}/errors"))
            for prefix in at.prefixes
            for server, does in servers.items()
        ]
    return found


def _named(layout: Layout, site: CaddySite, run: CaddyRun) -> dict[str, Json]:
    """Return Caddy's "named routes": what entries share stands once."""
    errors = f"{site.service}/errors"
    named: dict[str, Json] = {errors: _route(pages.error_routes(layout.errors))}
    for name, (_, handle, live) in _claims(layout, site).items():
        named[name] = _route(handle)
        shared: Json = {"handle": [{"handler": "invoke", "name": errors}]}
        named[f"{name}/errors"] = _route([*pages.empty_address_routes(live), shared])
    port = "" if run.https_port == 443 else f":{run.https_port}"  # noqa: PLR2004  the port of https
    to: Json = {"Location": [f"https://{{http.request.host}}{port}{{http.request.uri}}"]}
    # 301, as Django's SecurityMiddleware and kamal-proxy answer.
    redirect: Json = {"handle": [{"handler": "static_response", "status_code": "301", "headers": to}]}
    if site.tls.mode != "off" and site.ssl_redirect:
        named[f"{site.service}/redirect"] = _route([_log_route(site), redirect])
    return named


def _route(routes: list[Json]) -> Json:
    return {"handle": [{"handler": "subroute", "routes": routes}]}


def _role_routes(layout: Layout, site: CaddySite, route: CaddyRoute) -> list[Json]:
    """Return what happens to a request for a role, in order."""
    closed: dict[str, Json] = {"file": {"root": "/", "try_files": [layout.maintenance]}}
    if route.health_path:
        closed["not"] = [{"path": [route.health_path]}]
    page = pages.answer("503", f"{{file.{layout.maintenance}}}", retry=True)
    routes: list[Json] = [_log_route(site), *_id_routes(site)]
    routes.append({"match": [closed], "handle": [page], "terminal": True})
    # Without this Caddy would dial "" and try again for TRY_S before it gives up with 502.
    live: Json = {"file": {"root": "/", "try_files": [layout.live(route.role)]}}
    routes.append({"match": [{"not": [live]}], "handle": pages.no_release(), "terminal": True})
    handle: list[Json] = []
    if site.max_request_bytes:
        handle.append({"handler": "request_body", "max_size": site.max_request_bytes})
    if route.strip_path_prefix:
        routes += [_strip(prefix) for prefix in route.prefixes if prefix]
    return [*routes, {"handle": [*handle, _proxy(layout, site, route)]}]


def _strip(prefix: str) -> Json:
    """Take a prefix off; of a group only the first that matches does so, and the longest stands first."""
    rewrite: Json = {"handler": "rewrite", "strip_path_prefix": prefix}
    return {"group": "strip", "match": [{"path": [prefix, f"{prefix}/*"]}], "handle": [rewrite]}


def _id_routes(site: CaddySite) -> list[Json]:
    """Give the request an id, in the request, the answer and the log; a client's own only where it is trusted."""
    reply: Json = {"set": {"X-Request-Id": ["{http.request.header.X-Request-Id}"]}, "deferred": True}
    name: Json = {"set": {"X-Request-Id": ["{http.request.uuid}"]}}
    fresh: dict[str, Json] = {"handle": [{"handler": "headers", "request": name}]}
    answered: Json = {"handle": [{"handler": "headers", "response": reply}]}
    if site.forward_headers:
        return [{"match": [{"not": [{"header": {"X-Request-Id": ["*"]}}]}], **fresh}, answered]
    forged: Json = {"handle": [{"handler": "headers", "request": {"delete": list(_FORGEABLE)}}]}
    return [forged, fresh, answered]


def _proxy(layout: Layout, site: CaddySite, route: CaddyRoute) -> Json:
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
            "response_header_timeout": int(site.response_timeout_s * SECOND),
            "keep_alive": {"enabled": True, "idle_timeout": UPSTREAM_IDLE_S * SECOND},
        },
    }
    if site.buffer_request_bytes:
        handler["request_buffers"] = site.buffer_request_bytes
    if site.buffer_response_bytes:
        handler["response_buffers"] = site.buffer_response_bytes
    if site.forward_headers:
        handler["trusted_proxies"] = list(_EVERYBODY)
    return handler


def _log_route(site: CaddySite) -> Json:
    """Say where the request is logged. Caddy logs all headers or none, so chosen ones are added one by one."""
    if site.access_log is None:
        return {"handle": [{"handler": "vars", "log_skip": True}]}
    handle: list[Json] = [{"handler": "vars", "access_logger_names": [_log_name(site)]}]
    for kind, names in _logged(site.access_log):
        for name in names:
            value = f"{{http.{kind}.header.{name}}}"
            handle.append({"handler": "log_append", "key": f"{kind}_{name.lower()}", "value": value})
    return {"handle": handle}


def _logged(log: AccessLog) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (("request", log.request_headers), ("response", log.response_headers))


def _log_name(site: CaddySite) -> str:
    return f"site-{site.service}"


def _logs(layout: Layout, site: CaddySite) -> Json:
    """Return the access log of the service, without the headers that nobody asked for (they carry sessions)."""
    if site.access_log is None:
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


def _policies(site: CaddySite, hosts: tuple[str, ...]) -> list[Json]:
    if site.tls.mode == "internal":
        return [{"subjects": list(hosts), "issuers": [{"module": "internal"}]}]
    if site.tls.mode == "auto" and site.tls.email:
        return [{"subjects": list(hosts), "issuers": [{"module": "acme", "email": site.tls.email}]}]
    return []
