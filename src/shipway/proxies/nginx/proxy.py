"""nginx as a `Proxy`: pure builders of steps, and the reader of what a host answers."""

from __future__ import annotations

import re
from collections.abc import Mapping

from shipway.core.action import Command
from shipway.core.errors import Bug, ConfigError
from shipway.core.layout import Layout
from shipway.core.logs import LogsAsked
from shipway.core.ports import Result
from shipway.core.step import Step
from shipway.proxies.answer import document, proxy_facts
from shipway.proxies.base import Proxy, ProxyFacts
from shipway.proxies.nginx.on_host import OnHost
from shipway.proxies.nginx.run import NginxRun
from shipway.proxies.site import ProxySite, refuse_unsafe
from shipway.proxies.steps import sha256

# The new link stands beside the old one and is renamed onto it: a request follows the one or the other.
SWITCH_SCRIPT = (
    'mkdir -p -- "$(dirname -- "$1")" && ln -sfn -- "$2" "$1.shipway-new" && mv -fT -- "$1.shipway-new" "$1"'
    ' || { s=$?; rm -f -- "$1.shipway-new"; exit $s; }'
)
POINTS_SCRIPT = '[ "$(readlink -- "$1")" = "$2" ]'
NOTHING = "."
"""Where the link of a role leads without a release: to its own directory, which nginx can tell from a socket."""
MAX_SOCKET_BYTES = 107
"""unix(7), less the closing zero."""

_ENDPOINT = re.compile(r"unix/(/[A-Za-z0-9._/@+~-]{1,107})")
_HEADER = re.compile(r"[A-Za-z0-9-]+")


class Nginx:
    """nginx for one service on one host. Raises ConfigError for what nginx cannot do, or would not take literally.

    nginx reads no file per request, but it connects to a unix socket by its path, so that a link is followed at each
    request: a switch is the rename of a link, and reloads nothing. Maintenance mode is the presence of a file.
    """

    def __init__(self, layout: Layout, host: str, site: ProxySite, run: NginxRun) -> None:
        refuse_unsafe(site, layout.root, "nginx")
        refuse_impossible(site, layout)
        self._layout, self._host, self._site = layout, host, site
        self._on_host = OnHost(layout, host, site, run)

    @property
    def site_text(self) -> str:
        """The file of this service that is put on the host."""
        return self._on_host.site_text

    @property
    def config_hash(self) -> str:
        """What `ProxyFacts.config_hash` is on a host that has this configuration."""
        return sha256(self.site_text)[:12]

    def probes(self) -> Mapping[str, Command]:
        """Return one read-only command: what is live, whether nginx is up, maintenance, which configuration."""
        return {"nginx": self._on_host.script("facts", self._layout.proxy, self._site.service, self._on_host.wanted)}

    def parse(self, answers: Mapping[str, Result]) -> ProxyFacts:
        """Return what the answer tells. Malformed or missing answers are read as "nothing there"."""
        roles = {route.role for route in self._site.routes}
        return proxy_facts(document(answers.get("nginx")), roles, _is_endpoint)

    def host_steps(self) -> tuple[Step, ...]:
        """Return what makes nginx serve this service's site. On a host that has it all, every step is done."""
        return (*self._on_host.prepare(), *self._on_host.begin())

    def prepare_steps(self) -> tuple[Step, ...]:
        """Return all of `host_steps` but the start and the reload of nginx."""
        return self._on_host.prepare()

    def take_over_steps(self, predecessor: str, live: Mapping[str, str]) -> tuple[Step, ...]:
        """Raise Bug: nginx is chosen without containers, where no other tool's proxy is looked for."""
        raise Bug("nginx.take_over", f"{predecessor} was to be replaced by nginx, for {', '.join(live)}")

    def upkeep_steps(self) -> tuple[Step, ...]:
        """Return the certificates that come from secrets: nothing on the host tells whether the secrets are newer."""
        return tuple(self._on_host.certificate(route) for route in self._site.routes if route.tls.pems)

    def remove_steps(self) -> tuple[Step, ...]:
        """Return the steps that take this service out of nginx, and our include file where it was the last one."""
        return (self._on_host.forget(), self._on_host.end())

    def stop_steps(self) -> tuple[Step, ...]:
        """Return the step that stops nginx for everything that it serves."""
        return (self._on_host.stop(),)

    def log_command(self, asked: LogsAsked) -> Command:
        """Return what prints nginx's error log. Raises ValueError for what it cannot tell."""
        return self._on_host.log(asked)

    def switch_steps(self, role: str, endpoint: str, before: str) -> tuple[Step, ...]:
        """Return the step that sends `role`'s traffic to `endpoint`. Raises Bug for what is no unix socket."""
        live, to = self._layout.live(role), _socket(endpoint)
        back = _socket(before) if before else NOTHING
        do, undo = (Command(("sh", "-c", SWITCH_SCRIPT, "sh", live, target)) for target in (to, back))
        done = Command(("sh", "-c", POINTS_SCRIPT, "sh", live, to))
        return (self._on_host.common.switch("switch", (role, endpoint), do, done, undo),)

    def drain_steps(self, role: str, endpoint: str, limit_s: float) -> tuple[Step, ...]:
        """Return the step that waits until `endpoint` holds no request, or `limit_s` is over (not a failure)."""
        wait = self._on_host.script("drain", _socket(endpoint), f"{limit_s:g}", limit_s=limit_s + 60)
        return (self._on_host.common.drain(role, endpoint, wait),)

    def maintenance_steps(self, *, on: bool, message: str = "") -> tuple[Step, ...]:
        """Return the step that shows visitors a page (503, Retry-After) instead of the site, or no longer does."""
        return (self._on_host.common.maintenance(on=on, message=message),)


def _is_endpoint(word: str) -> bool:
    return _ENDPOINT.fullmatch(word) is not None


def _socket(endpoint: str) -> str:
    found = _ENDPOINT.fullmatch(endpoint)
    if not found:
        raise Bug("nginx.endpoint", f"`{endpoint}` was given as an endpoint and is no unix socket")
    return found[1]


def refuse_impossible(site: ProxySite, layout: Layout) -> None:
    """Raise ConfigError for what nginx cannot do."""
    for route in site.routes:
        if route.tls.mode == "internal":
            raise ConfigError(
                "nginx.no_authority",
                "nginx makes no certificates, and `tls: internal` was asked for",
                where="proxy/tls",
                next="name files on the server: `ssl: {certificate_file: …, private_key_file: …}`",
            )
        if route.tls.mode == "auto":
            raise ConfigError(
                "nginx.no_acme",
                "nginx asks no authority for certificates, and `acme` was configured",
                where="proxy/acme",
                next="remove `acme`, and give these to certbot: `certbot certonly --webroot --server …`",
            )
        log = route.access_log
        for name in (*log.request_headers, *log.response_headers) if log else ():
            if not _HEADER.fullmatch(name):
                raise ConfigError("nginx.header", f"nginx cannot log the header `{name}`", where="proxy/logging")
        if len(layout.live(route.role)) > MAX_SOCKET_BYTES:
            raise ConfigError(
                "nginx.long_path",
                f"`{layout.live(route.role)}` has more than the {MAX_SOCKET_BYTES} bytes of a socket's path",
                where="state_directory",
                next="set a shorter `state_directory`",
            )


_: type[Proxy] = Nginx
