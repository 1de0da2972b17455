"""What one service wants of nginx, as one file of JSON: texts, and who claims which requests.

nginx has one `server` block for a name, so services that share a name have to share it. Therefore a script on the host
(`sites_script.py`) puts the locations of all services in order, refuses what overlaps, and writes one include file.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from shipway.core.layout import Layout
from shipway.core.plan_codec import Json
from shipway.proxies.nginx import locations
from shipway.proxies.nginx.base import base_text
from shipway.proxies.nginx.locations import Location, Names
from shipway.proxies.nginx.run import NginxRun
from shipway.proxies.nginx.text import block, directive, regex
from shipway.proxies.site import AccessLog, ProxyRoute, ProxySite

_HTTPS = 443
_FIELDS = (
    '"ts":$msec,"request":{"remote_ip":"$remote_addr","proto":"$server_protocol","method":"$request_method",'
    '"host":"$host","uri":"$request_uri"},"status":$status,"size":$body_bytes_sent,"duration":$request_time'
)


def site_json(layout: Layout, site: ProxySite, run: NginxRun) -> str:
    """Return the file of one service: what `sites_script.py` reads. Equal sites give equal text."""
    body: dict[str, Json] = {
        "format": 1,
        "service": site.service,
        "base": base_text(),
        "http": _http_text(layout, site, run),
        "listen": {"http": _listen(run, run.http_port), "https": _listen(run, run.https_port)},
        "entries": [_entry(claim) for claim in _claims(layout, site, run)],
        "tls": [
            {"hosts": list(route.hosts), "certificate": route.tls.certificate, "key": route.tls.key}
            for route in site.routes
            if route.tls.is_on
        ],
        "roles": [route.role for route in site.routes],
    }
    return json.dumps(body, indent=1, sort_keys=True) + "\n"


def names_of(layout: Layout, site: ProxySite, run: NginxRun) -> Names:
    """Return the names of a service in nginx's configuration, where they may hold letters, digits and `_` only."""
    tag = f"{re.sub(r'[^A-Za-z0-9]', '_', site.service)}_{hashlib.sha256(site.service.encode()).hexdigest()[:6]}"
    return Names(layout, site.service, f"shipway_{tag}", f"{run.logs}/shipway-{site.service}.log")


def _listen(run: NginxRun, port: int) -> list[Json]:
    """Return addresses as nginx writes them; without an address of ours `[::]` too, where the host knows IPv6."""
    return [f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}" for ip in run.bind_ips] or [str(port), f"[::]:{port}"]


@dataclass(frozen=True, slots=True)
class _Claim:
    """Requests of one name and prefix on one listener, and the locations that answer them.

    `prefix` is None for what claims nothing.
    """

    server: str
    hosts: tuple[str, ...]
    prefix: str | None
    locations: tuple[Location, ...]


def _entry(claim: _Claim) -> Json:
    return {
        "server": claim.server,
        "hosts": list(claim.hosts),
        "prefix": claim.prefix,
        "locations": [{"head": one.head, "text": block(f"location {one.head}", one.lines)} for one in claim.locations],
    }


def _claims(layout: Layout, site: ProxySite, run: NginxRun) -> Iterator[_Claim]:
    """Yield the claims of a service, those of files first: of two claims for the same requests the first one wins."""
    names = names_of(layout, site, run)
    places = ((site.static, locations.static_lines), (site.media, locations.media_lines))
    for route in site.routes:
        for folder, lines in places:
            if folder:
                url = "/" + folder.url.strip("/")
                found = Location(f"^~ {url}/", tuple(lines(names, folder, route)))
                yield from _listeners(names, run, route, url, (found,))
    for route in site.routes:
        for prefix in route.prefixes:
            yield from _listeners(names, run, route, prefix, locations.role(names, route, prefix))


def _listeners(
    names: Names, run: NginxRun, route: ProxyRoute, prefix: str, found: tuple[Location, ...]
) -> Iterator[_Claim]:
    """Yield a claim for each listener; with TLS the plain one sends browsers to the other one."""
    for server in ("http", "https") if route.tls.is_on else ("http",):
        answers = found
        if server == "http" and route.tls.is_on and route.ssl_redirect:
            port = "" if run.https_port == _HTTPS else f":{run.https_port}"
            answers = tuple(locations.redirect(names, route, one.head, port) for one in found)
        yield _Claim(server, route.hosts, prefix, answers)
        yield _Claim(server, route.hosts, None, locations.inner(names, route))
        if server == "http":  # also without TLS: certbot asks for the first certificate then
            yield _Claim(server, route.hosts, None, locations.challenge(names.layout.acme, run.webroot))


def _http_text(layout: Layout, site: ProxySite, run: NginxRun) -> str:
    names = names_of(layout, site, run)
    parts = [
        # A link that is renamed onto itself: nginx follows it at each request, so a switch reloads nothing.
        block(
            f"upstream {names.upstream(route)}", (directive("server", f"unix:{names.live(route)}", "fail_timeout=0"),)
        )
        for route in site.routes
    ]
    parts += [_stripped(names, route) for route in site.routes if locations.strips(route)]
    logged = [route for route in site.routes if route.access_log is not None]
    parts += [_log_format(names, route, route.access_log) for route in logged if route.access_log]
    return "\n".join(parts)


def _stripped(names: Names, route: ProxyRoute) -> str:
    """Return the map from a request to what the application sees of it: as it was sent, without its prefix.

    What was sent in another spelling (`/%61pi/`) is "", which is refused: decoded text must not go into a request line.
    """
    lines = ['default "";']
    for prefix in route.prefixes:
        known = regex(prefix)
        lines += [directive(f'"~^{known}/(.*)$"', "/$1"), directive(f'"~^{known}(\\\\?.*)?$"', "/$1")]
    return block(f"map $request_uri ${names.stripped(route)}", lines)


def _log_format(names: Names, route: ProxyRoute, log: AccessLog) -> str:
    """Return the format of an access log: the fields of Caddy's, as far as nginx knows them."""
    fields = [_FIELDS, f'"request_id":"{locations.request_id(route)}"']
    for kind, variable, headers in (
        ("request", "http", log.request_headers),
        ("response", "sent_http", log.response_headers),
    ):
        names_there = ((name.lower(), name.lower().replace("-", "_")) for name in headers)
        fields += [f'"{kind}_{name}":"${{{variable}_{known}}}"' for name, known in names_there]
    line = "{" + ",".join(fields) + "}"
    return f"log_format {names.log_format(route)} escape=json '{line}';"
