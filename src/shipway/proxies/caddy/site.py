"""What a service asks of Caddy on one host (`CaddySite`), and how Caddy runs there (`CaddyRun`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from shipway.core.action import Action, Command
from shipway.core.errors import ConfigError
from shipway.core.layout import Layout
from shipway.core.logs import LogsAsked
from shipway.core.secret import Text
from shipway.core.step import Step

Ssl = Literal["off", "internal", "auto", "files"]
"""No TLS; Caddy's own authority; a public one (ACME); a certificate that stands on the host."""

# Caddy expands {…} in nearly every string, matches files by glob patterns and cuts addresses at `|` (socket modes), so
# a path or a name with such a character would mean something else to it.
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
    directory ("": Caddy's own choice of public ones) and `ca_root` a path on the host to what it is trusted by.
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
class CaddyRoute:
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
    """Files that Caddy serves itself: requests below `url` (`/static/`) from the directory `path`."""

    url: str
    path: str


@dataclass(frozen=True, slots=True)
class CaddySite:
    """One service behind Caddy.

    `static` and `media` are served for the hosts of all routes. `error_pages`: (`503.html` or `5xx.html`, HTML), for
    errors that Caddy itself answers. `ca_root`: the certificates (PEM) that a certificate authority of one's own is
    trusted by; they are put where `Tls.ca_root` says.
    """

    service: str
    routes: tuple[CaddyRoute, ...]
    static: Folder | None = None
    media: Folder | None = None
    error_pages: tuple[tuple[str, str], ...] = ()
    ca_root: str = ""


@dataclass(frozen=True, slots=True)
class Keep:
    """What keeps Caddy running on a host, as values: nothing (detached), a keeper of processes, or a container.

    `tool`: the words that run Caddy once, before its arguments (`validate …`). `before`: steps that the host needs
    first (an image). `start` makes it run, in place of one that was run in another way; `stop` ends it and whatever
    would start it again. `replace` and `restore`, with the name of another tool's proxy for a last word, put Caddy in
    its place and take that back. `log` prints the end of what it said, `logs` what is asked of it (None: it is a file).
    A container has a name, and a `definition` that changes with the way it is run; elsewhere that is a file which
    stands while the keeper keeps it.
    """

    tool: tuple[str, ...] = ("caddy",)
    before: tuple[Step, ...] = ()
    start: tuple[Action, ...] = ()
    stop: tuple[Command, ...] = ()
    replace: tuple[Command, ...] = ()
    restore: tuple[Command, ...] = ()
    log: tuple[str, ...] = ()
    logs: Callable[[LogsAsked], Command] | None = None
    container: str = ""
    definition: str = ""


@dataclass(frozen=True, slots=True)
class CaddyRun:
    """How Caddy runs on the host, as the user that deploys: the same for all services, or the second one is refused.

    `bind_ips`: none means all addresses. `publish` off: a container's ports are not opened on the host.
    `metrics_port` 0: no metrics.
    """

    http_port: int = 80
    https_port: int = 443
    bind_ips: tuple[str, ...] = ()
    publish: bool = True
    metrics_port: int = 0
    debug: bool = False
    python: str = "python3"
    keep: Keep = Keep()


@dataclass(frozen=True, slots=True)
class CaddyProgram:
    """Caddy as a program for a keeper of processes. It reloads without a restart and ends softly on `stop_signal`."""

    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    directory: str
    log: str
    stop_signal: str = "TERM"
    stop_s: float = 40.0


def caddy_program(layout: Layout, binary: str) -> CaddyProgram:
    """Return Caddy as it has to be run on a host; `binary` is a path or a name on PATH."""
    state = f"{layout.proxy}/tls"
    return CaddyProgram(
        argv=(binary, "run", "--config", f"{layout.proxy}/caddy.json"),
        env=(("HOME", state), ("XDG_CONFIG_HOME", state), ("XDG_DATA_HOME", state)),
        directory=layout.proxy,
        log=f"{layout.proxy}/log/caddy.log",
    )


def refuse_unsafe(site: CaddySite, root: str) -> None:
    """Raise ConfigError `caddy.unsafe_value` for a word that Caddy would not take literally."""
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
                raise ConfigError("caddy.unsafe_value", f"`{word}` cannot be given to Caddy", where="proxy")
    if any(route.tls.is_on and not route.hosts for route in site.routes):
        raise ConfigError("caddy.host_missing", "TLS was asked for a role without a host name", where="proxy.host")
