"""nginx's locations: the application, files, errors of nginx's own, and the questions of certificate authorities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shipway.core.layout import Layout
from shipway.proxies.nginx.text import directive
from shipway.proxies.pages import NO_RELEASE, NO_STORE, RETRY_AFTER_S, page
from shipway.proxies.rules import MEDIA_CACHE
from shipway.proxies.site import Folder, ProxyRoute

# Statuses that nobody uses, for what happens inside of nginx only.
CLOSED, NO_LIVE, UPGRADE = 590, 591, 592
ERRORS = (400, 403, 404, 405, 408, 411, 413, 414, 416, 421, 429, 500, 501, 502, 503, 504)
DIAL_TIMEOUT_S = 3
NO_LIMIT_S = 86_400
"""For a WebSocket that is silent, and for a response timeout of 0."""
_BUFFER_BYTES = 32_768
"""Room for the headers of an answer. nginx's own 4 KB are too little for Django with some cookies and a policy."""
# Headers by which a client could pose as a proxy; nginx cannot remove `X-Forwarded-*` by a pattern.
_FORGEABLE = (
    "X-Forwarded-Port", "X-Forwarded-Ssl", "X-Forwarded-Protocol", "X-Forwarded-Server", "X-Forwarded-Scheme",
    "X-Forwarded-Prefix", "X-Forwarded-Path", "X-Forwarded-By", "X-Forwarded-User", "X-Forwarded-Email",
    "X-Forwarded-Groups", "X-Forwarded-Preferred-Username", "X-Forwarded-Access-Token", "X-Forwarded-Client-Cert",
    "Forwarded", "X-Real-Ip", "X-Scheme", "X-Url-Scheme", "Front-End-Https",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Location:
    """What stands behind `location`, and the lines in its block."""

    head: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one service. `tag` begins them all, `log` is its access log."""

    layout: Layout
    service: str
    tag: str
    log: str

    def of(self, route: ProxyRoute) -> str:
        """Return the beginning of all names of a role."""
        return f"{self.tag}_{route.role.replace('-', '__')}"

    def upstream(self, route: ProxyRoute) -> str:
        """Return the name of the role's upstream."""
        return self.of(route)

    def stripped(self, route: ProxyRoute) -> str:
        """Return the variable with a request's address without its prefix."""
        return f"{self.of(route)}_uri"

    def log_format(self, route: ProxyRoute) -> str:
        """Return the name of the role's log format."""
        return f"{self.of(route)}_log"

    def live(self, route: ProxyRoute) -> str:
        """Return the link to the socket of the release that serves the role; to its own directory for none."""
        return self.layout.live(route.role)

    @property
    def inside(self) -> str:
        """The addresses that only nginx itself may ask for."""
        return f"/.shipway/{self.service}"

    @property
    def page(self) -> str:
        """The location that makes up a page for an error."""
        return f"@{self.tag}_page"


def strips(route: ProxyRoute) -> bool:
    """Return whether the application does not see the route's prefix."""
    return route.strip_path_prefix and any(route.prefixes)


def request_id(route: ProxyRoute) -> str:
    """Return the variable with the id of a request; a client's own only where it is trusted."""
    return "$shipway_trusted_id" if route.forward_headers else "$request_id"


def role(names: Names, route: ProxyRoute, prefix: str) -> tuple[Location, ...]:
    """Return the locations of a role below `prefix`; those of WebSockets are reached from the others only."""
    closed = (f"if (-f {names.layout.maintenance}) {{ return {CLOSED}; }}",)
    socket = f"@{names.of(route)}_socket" + ("_prefix" if prefix else "")
    common = tuple(_proxied(names, route, prefix, socket))
    found = [Location(head, (*closed, *common)) for head in ([f"= {prefix}"] if prefix else [])]
    found.append(Location(f"^~ {prefix}/" if prefix else "/", (*closed, *common)))
    covering = next((p for p in route.prefixes if (route.health_path + "/").startswith(p + "/")), None)
    if route.health_path and covering == prefix:
        found.insert(0, Location(f"= {route.health_path}", common))
    found.append(Location(socket, tuple(_upgraded(names, route, prefix))))
    return tuple(found)


def _proxied(names: Names, route: ProxyRoute, prefix: str, socket: str) -> Iterator[str]:
    yield f"if (-d {names.live(route)}) {{ return {NO_LIVE}; }}"
    if strips(route) and prefix:
        yield f'if (${names.stripped(route)} = "") {{ return 400; }}'
    yield f"if ($shipway_upgrade) {{ return {UPGRADE}; }}"
    yield from _errors(names)
    yield directive("error_page", str(UPGRADE), "=", socket)
    yield from _logged(names, route)
    yield directive("client_max_body_size", str(route.max_request_bytes))
    yield from _buffers(route)
    limit = f"{round((route.response_timeout_s or NO_LIMIT_S) * 1000)}ms"
    yield from (directive(f"proxy_{name}_timeout", limit) for name in ("read", "send"))
    yield from _passed(names, route, prefix, {"Connection": "close", "Upgrade": ""})


def _upgraded(names: Names, route: ProxyRoute, prefix: str) -> Iterator[str]:
    yield from _logged(names, route)
    yield from (directive(f"proxy_{name}_timeout", f"{NO_LIMIT_S}s") for name in ("read", "send"))
    yield "proxy_buffering off;"
    yield from _passed(names, route, prefix, {"Connection": "upgrade", "Upgrade": "$http_upgrade"})


def _buffers(route: ProxyRoute) -> Iterator[str]:
    asked, answered = route.buffer_request_bytes, route.buffer_response_bytes
    yield directive("proxy_request_buffering", "on" if asked else "off")
    if asked:
        yield directive("client_body_buffer_size", str(asked))
    yield directive("proxy_buffering", "on" if answered else "off")
    yield directive("proxy_buffer_size", str(_BUFFER_BYTES))
    yield directive("proxy_buffers", str(max(4, answered // _BUFFER_BYTES)), str(_BUFFER_BYTES))
    yield directive("proxy_busy_buffers_size", str(2 * _BUFFER_BYTES))


def _passed(names: Names, route: ProxyRoute, prefix: str, hop: dict[str, str]) -> Iterator[str]:
    """Yield how a request goes to the application. Every connection is a new one, on a socket of the same machine.

    A kept one would go on leading to the release before: nginx keeps them by the path of the link.
    """
    trusts = route.forward_headers
    headers = {
        "Host": "$shipway_host",
        "X-Forwarded-For": "$proxy_add_x_forwarded_for" if trusts else "$remote_addr",
        "X-Forwarded-Proto": "$shipway_proto" if trusts else "$scheme",
        "X-Forwarded-Host": "$shipway_forwarded_host" if trusts else "$shipway_host",
        "X-Request-Id": request_id(route),
        **hop,
        **({} if trusts else dict.fromkeys(_FORGEABLE, "")),
    }
    yield "proxy_http_version 1.1;"
    yield from (directive("proxy_set_header", name, value) for name, value in headers.items())
    yield "proxy_hide_header X-Request-Id;"
    yield directive("add_header", "X-Request-Id", request_id(route), "always")
    yield directive("proxy_connect_timeout", f"{DIAL_TIMEOUT_S}s")
    yield "proxy_next_upstream off;"
    yield "proxy_intercept_errors off;"
    yield "proxy_redirect off;"
    # Without an address behind the name the request goes on exactly as it came.
    uri = f"${names.stripped(route)}" if strips(route) and prefix else ""
    yield f"proxy_pass http://{names.upstream(route)}{uri};"


def _errors(names: Names) -> Iterator[str]:
    yield from (directive("error_page", str(status), f"{names.inside}/{status}") for status in ERRORS)
    yield directive("error_page", str(CLOSED), "=503", f"{names.inside}/closed")
    yield directive("error_page", str(NO_LIVE), "=503", f"{names.inside}/none")


def _logged(names: Names, route: ProxyRoute) -> Iterator[str]:
    yield directive("access_log", names.log, names.log_format(route)) if route.access_log else "access_log off;"


def redirect(names: Names, route: ProxyRoute, head: str, port: str) -> Location:
    """Return the location that sends browsers to HTTPS: 301, as Django's SecurityMiddleware and kamal-proxy answer."""
    if head.startswith("@"):
        return Location(head, ("return 400;",))
    return Location(head, (*_logged(names, route), f"return 301 https://$host{port}$request_uri;"))


def inner(names: Names, route: ProxyRoute) -> tuple[Location, ...]:
    """Return what answers an error of nginx's own: the service's page for it, or a plain one."""
    no_store = directive("add_header", "Cache-Control", NO_STORE, "always")
    named = directive("add_header", "X-Request-Id", "$request_id", "always")
    retry = directive("add_header", "Retry-After", str(RETRY_AFTER_S), "always")
    html = ("internal;", "types { }", "default_type text/html;", "charset utf-8;", *_logged(names, route))
    errors, reference = names.layout.errors, "<p><small>{} · $request_id</small></p>"
    made = page("$shipway_title", "$shipway_words", extra=reference.format("$status"))
    none = page(*NO_RELEASE, extra=reference.format("503"))
    own = (f"root {errors};", f"try_files /$shipway_code.html /${{shipway_class}}xx.html {names.page};")
    numbered = rf'~ "^{names.inside}/(?<shipway_code>(?<shipway_class>[45])[0-9][0-9])$"'.replace(".", r"\.")
    return (
        Location(numbered, (*html, no_store, named, *own)),
        Location(names.page, (*html, no_store, named, directive("return", "200", made))),
        Location(f"= {names.inside}/none", (*html, no_store, named, retry, directive("return", "200", none))),
        Location(f"= {names.inside}/closed", (*html, no_store, retry, f"alias {names.layout.maintenance};")),
    )


def challenge(folder: str, webroot: str) -> tuple[Location, ...]:
    """Return what answers a certificate authority (RFC 8555, 8.3): files of ours, or those of the usual directory."""
    plain = ("types { }", "default_type text/plain;", "access_log off;")
    return (
        Location("^~ /.well-known/acme-challenge/", (*plain, f"root {folder};", "try_files $uri @shipway_challenge;")),
        Location("@shipway_challenge", (*plain, f"root {webroot};", "try_files $uri =404;")),
    )


def static_lines(names: Names, folder: Folder, route: ProxyRoute) -> Iterator[str]:
    """Yield what serves collected static files: hashed names for ever, others for a minute."""
    yield from _files(names, folder, route)
    yield directive("add_header", "Cache-Control", "$shipway_static_cache")


def media_lines(names: Names, folder: Folder, route: ProxyRoute) -> Iterator[str]:
    """Yield what serves uploaded files, of which none is ever run by a browser or by the server."""
    yield from _files(names, folder, route)
    yield directive("add_header", "Cache-Control", MEDIA_CACHE)
    yield directive("add_header", "Content-Disposition", "$shipway_disposition")
    yield directive("add_header", "Content-Security-Policy", "$shipway_sandbox")


def _files(names: Names, folder: Folder, route: ProxyRoute) -> Iterator[str]:
    """No listing, no index page, nothing that begins with a dot. A header with no value is not sent by nginx."""
    yield "if ($shipway_hidden) { return 404; }"
    yield from _errors(names)
    yield from _logged(names, route)
    yield f"alias {folder.path.rstrip('/')}/;"
    yield "try_files $uri =404;"
    yield "gzip_static on;"
    yield "gzip_vary on;"
    yield directive("add_header", "X-Content-Type-Options", "nosniff", "always")
