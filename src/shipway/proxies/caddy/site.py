"""What a service asks of Caddy on one host (`CaddySite`), and how Caddy runs there (`CaddyRun`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from shipway.core.action import Action
from shipway.core.errors import ConfigError

Ssl = Literal["off", "internal", "auto", "files"]
"""No TLS; Caddy's own authority; a public one (ACME); a certificate that stands on the host."""

# Caddy expands {…} in nearly every string, matches files by glob patterns and cuts addresses at `|` (socket modes), so
# a path or a name with such a character would mean something else to it.
_PATH = re.compile(r"/[A-Za-z0-9._/@+~-]*")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HOST = re.compile(r"(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[?[0-9A-Fa-f:]+\]?")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_PAGE = re.compile(r"[45]([0-9]{2}|xx)\.html")


@dataclass(frozen=True, slots=True)
class CaddyRoute:
    """Which requests belong to a proxied role: those for `hosts` (none: any host) below `path_prefixes`.

    `strip_path_prefix`: the application does not see its prefix. `health_path` is answered by the application in
    maintenance mode too ("" for none).
    """

    role: str
    hosts: tuple[str, ...] = ()
    path_prefixes: tuple[str, ...] = ("/",)
    strip_path_prefix: bool = True
    health_path: str = ""

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The prefixes without their last slash: "" is everything. The longest first."""
        found = {"/" + prefix.strip("/") if prefix.strip("/") else "" for prefix in self.path_prefixes or ("/",)}
        return tuple(sorted(found, key=lambda prefix: (-len(prefix), prefix)))


@dataclass(frozen=True, slots=True)
class Tls:
    """How browsers reach the service. `certificate` and `key` are paths on the host, for mode `files`.

    `email` is told to the certificate authority in mode `auto`.
    """

    mode: Ssl = "off"
    certificate: str = ""
    key: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Folder:
    """Files that Caddy serves itself: requests below `url` (`/static/`) from the directory `path`."""

    url: str
    path: str


@dataclass(frozen=True, slots=True)
class AccessLog:
    """One JSON line per request in the proxy's log directory, with these headers and no others."""

    request_headers: tuple[str, ...] = ()
    response_headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaddySite:
    """One service behind Caddy.

    `forward_headers` trusts the X-Forwarded-* of the client: only for a host behind another proxy. Zero bytes mean no
    limit (`max_request_bytes`) or no buffering. `error_pages`: (`503.html` or `5xx.html`, HTML), for errors that Caddy
    itself answers.
    """

    service: str
    routes: tuple[CaddyRoute, ...]
    tls: Tls = Tls()
    ssl_redirect: bool = True
    forward_headers: bool = False
    response_timeout_s: float = 30.0
    max_request_bytes: int = 0
    buffer_request_bytes: int = 0
    buffer_response_bytes: int = 0
    static: Folder | None = None
    media: Folder | None = None
    error_pages: tuple[tuple[str, str], ...] = ()
    access_log: AccessLog | None = None


@dataclass(frozen=True, slots=True)
class CaddyRun:
    """How Caddy runs on the host, as the user that deploys: the same for all services, or the second one is refused.

    `binary` is a path or a name on PATH. `bind_ips`: none means all addresses. `start`: what makes the keeper of the
    host's processes run `Caddy.program`; none starts it detached from everything, as nothing keeps it.
    """

    binary: str = "caddy"
    http_port: int = 80
    https_port: int = 443
    bind_ips: tuple[str, ...] = ()
    start: tuple[Action, ...] = ()
    python: str = "python3"


@dataclass(frozen=True, slots=True)
class CaddyProgram:
    """Caddy as a program for a keeper of processes. It reloads without a restart and ends softly on `stop_signal`."""

    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    directory: str
    log: str
    stop_signal: str = "TERM"
    stop_s: float = 40.0


def refuse_unsafe(site: CaddySite, root: str) -> None:
    """Raise ConfigError `caddy.unsafe_value` for a word that Caddy would not take literally."""
    files = [folder for folder in (site.static, site.media) if folder]
    log = site.access_log or AccessLog()
    checks = (
        (_PATH, [root, *(folder.path for folder in files), *(p for p in (site.tls.certificate, site.tls.key) if p)]),
        (_PATH, [*(folder.url for folder in files), *(p or "/" for route in site.routes for p in route.prefixes)]),
        (_PATH, [route.health_path or "/" for route in site.routes]),
        (_SERVICE, [site.service]),
        (_NAME, [route.role for route in site.routes]),
        (_HOST, [host for route in site.routes for host in route.hosts]),
        (_HEADER, [*log.request_headers, *log.response_headers]),
        (_PAGE, [name for name, _ in site.error_pages]),
    )
    for pattern, words in checks:
        for word in words:
            if not pattern.fullmatch(word) or "/../" in f"{word}/":
                raise ConfigError("caddy.unsafe_value", f"`{word}` cannot be given to Caddy", where="proxy")
    if site.tls.mode != "off" and not all(route.hosts for route in site.routes):
        raise ConfigError("caddy.host_missing", "TLS was asked for a role without a host name", where="proxy.host")
