"""What a service asks of a proxy on one host: which requests are its own, and how they are treated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shipway.core.errors import ConfigError
from shipway.core.secret import Text

Proxies = Literal["caddy", "nginx"]
_TITLES: Mapping[Proxies, str] = {"caddy": "Caddy", "nginx": "nginx"}
Ssl = Literal["off", "internal", "auto", "files"]
"""No TLS; the proxy's own authority; a public one (ACME); a certificate that stands on the host."""

# Caddy expands {…} in nearly every string, matches files by glob patterns and cuts addresses at `|` (socket modes).
# nginx expands $… and ends words at blanks, `;` and braces. With such a character a word would mean something else.
_PATH = re.compile(r"/[A-Za-z0-9._/@+~-]*")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HOST = re.compile(r"(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[?[0-9A-Fa-f:]+\]?")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_URL = re.compile(
    r"https?://[A-Za-z0-9.:_-]+(/[A-Za-z0-9._/~-]*)?|https?://\[[0-9A-Fa-f:]+\](:[0-9]+)?/[A-Za-z0-9._/~-]*"
)
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+")
_PAGE = re.compile(r"[45]([0-9]{2}|xx)\.html")


@dataclass(frozen=True, slots=True)
class Tls:
    """How browsers reach a route.

    Mode `files`: `certificate` and `key` are paths on the host; where `pems` is there, it is what is put into them: the
    chain and its key. Mode `auto`: `email` is told to the certificate authority, `ca` is the address of its ACME
    directory ("": the proxy's own choice of public ones) and `ca_root` a path on the host to what it is trusted by.
    """

    mode: Ssl = "off"
    certificate: str = ""
    key: str = ""
    pems: tuple[Text, Text] | None = None
    email: str = ""
    ca: str = ""
    ca_root: str = ""

    @property
    def is_on(self) -> bool:
        """Whether the route is served over TLS."""
        return self.mode != "off"


@dataclass(frozen=True, slots=True)
class AccessLog:
    """One JSON line per request in the proxy's log directory, with these headers and no others."""

    request_headers: tuple[str, ...] = ()
    response_headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProxyRoute:
    """Which requests belong to a proxied role, those for `hosts` (none: any host) below `path_prefixes`, and how.

    `strip_path_prefix`: the application does not see its prefix. `health_path` is answered by the application in
    maintenance mode too ("" for none). `forward_headers` trusts the X-Forwarded-* of the client: only for a host behind
    another proxy. Zero bytes mean no limit (`max_request_bytes`) or no buffering; zero seconds no limit.
    """

    role: str
    hosts: tuple[str, ...] = ()
    path_prefixes: tuple[str, ...] = ("/",)
    strip_path_prefix: bool = True
    health_path: str = ""
    tls: Tls = Tls()
    ssl_redirect: bool = True
    forward_headers: bool = False
    response_timeout_s: float = 30.0
    max_request_bytes: int = 0
    buffer_request_bytes: int = 0
    buffer_response_bytes: int = 0
    access_log: AccessLog | None = None

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The prefixes without their last slash: "" is everything. The longest first."""
        found = {"/" + prefix.strip("/") if prefix.strip("/") else "" for prefix in self.path_prefixes or ("/",)}
        return tuple(sorted(found, key=lambda prefix: (-len(prefix), prefix)))


@dataclass(frozen=True, slots=True)
class Folder:
    """Files that the proxy serves itself: requests below `url` (`/static/`) from the directory `path`."""

    url: str
    path: str


@dataclass(frozen=True, slots=True)
class ProxySite:
    """One service behind a proxy.

    `static` and `media` are served for the hosts of all routes. `error_pages`: (`503.html` or `5xx.html`, HTML), for
    errors that the proxy itself answers. `ca_root`: the certificates (PEM) that a certificate authority of one's own is
    trusted by; they are put where `Tls.ca_root` says.
    """

    service: str
    routes: tuple[ProxyRoute, ...]
    static: Folder | None = None
    media: Folder | None = None
    error_pages: tuple[tuple[str, str], ...] = ()
    ca_root: str = ""


def refuse_unsafe(site: ProxySite, root: str, proxy: Proxies) -> None:
    """Raise ConfigError `proxy.unsafe_value` for a word that the proxy would not take literally.

    `proxy.host_missing` for TLS without a name.
    """
    files = [folder for folder in (site.static, site.media) if folder]
    logs = [route.access_log for route in site.routes if route.access_log]
    tls = [route.tls for route in site.routes]
    paths = [path for one in tls for path in (one.certificate, one.key, one.ca_root) if path]
    checks = (
        (_PATH, [root, *(folder.path for folder in files), *paths]),
        (_PATH, [*(folder.url for folder in files), *(p or "/" for route in site.routes for p in route.prefixes)]),
        (_PATH, [route.health_path or "/" for route in site.routes]),
        (_SERVICE, [site.service]),
        (_NAME, [route.role for route in site.routes]),
        (_HOST, [host for route in site.routes for host in route.hosts]),
        (_URL, [one.ca for one in tls if one.ca]),
        (_EMAIL, [one.email for one in tls if one.email]),
        (_HEADER, [name for log in logs for name in (*log.request_headers, *log.response_headers)]),
        (_PAGE, [name for name, _ in site.error_pages]),
    )
    for pattern, words in checks:
        for word in words:
            if not pattern.fullmatch(word) or "/../" in f"{word}/":
                raise ConfigError("proxy.unsafe_value", f"`{word}` cannot be given to {_TITLES[proxy]}", where="proxy")
    if any(route.tls.is_on and not route.hosts for route in site.routes):
        what = "TLS was asked for a role without a host name"
        raise ConfigError("proxy.host_missing", what, where="proxy.host")
