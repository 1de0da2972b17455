"""Caddy as a `Proxy`: pure builders of steps, and the reader of what a host answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from shipway.core.action import Command
from shipway.core.errors import Bug
from shipway.core.layout import Layout
from shipway.core.logs import LogsAsked
from shipway.core.ports import Result
from shipway.core.step import Step
from shipway.proxies.answer import document, proxy_facts
from shipway.proxies.base import Proxy, ProxyFacts
from shipway.proxies.caddy.config import admin_socket
from shipway.proxies.caddy.on_host import OnHost
from shipway.proxies.caddy.site import CaddyRun
from shipway.proxies.site import ProxySite, refuse_unsafe
from shipway.proxies.steps import sha256
from shipway.proxies.traffic import CountsTraffic, Moment, count_requests

# The new address stands beside the old one and is renamed onto it: a request reads the one or the other, whole.
SWITCH_SCRIPT = (
    'umask 022; mkdir -p -- "$(dirname -- "$1")" && printf %s "$2" >"$1.shipway-new"'
    ' && mv -f -- "$1.shipway-new" "$1" || { s=$?; rm -f -- "$1.shipway-new"; exit $s; }'
)
POINTS_SCRIPT = '[ "$(cat -- "$1" 2>/dev/null)" = "$2" ]'

_ENDPOINT = re.compile(
    r"unix//[A-Za-z0-9._/@+~-]{1,107}|[A-Za-z0-9._-]{1,255}:[0-9]{1,5}|\[[0-9A-Fa-f:]{2,45}\]:[0-9]{1,5}"
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


class Caddy:
    """Caddy for one service on one host. Raises ConfigError for values that Caddy would not take literally.

    A switch is the rename of a file that Caddy reads at each request, and maintenance mode is the presence of one, so
    neither reloads it. The price is Caddy's own time for a request: 0.1 ms for a bare upstream, 0.2 ms with all that
    stands here (both files, headers, request id), measured with a static answer on 2 shared cores.
    """

    def __init__(self, layout: Layout, host: str, site: ProxySite, run: CaddyRun) -> None:
        refuse_unsafe(site, layout.root, "caddy")
        self._layout, self._host, self._site, self._run = layout, host, site, run
        self._admin = admin_socket(layout)
        self._on_host = OnHost(layout, host, site, run)

    @property
    def site_text(self) -> str:
        """The file of this service that is put on the host."""
        return self._on_host.site_text

    @property
    def config_hash(self) -> str:
        """What `ProxyFacts.config_hash` is on a host that has this configuration."""
        return sha256(self.site_text)[:12]

    def beside(self, layout: Layout, site: ProxySite) -> Caddy:
        """Return Caddy for another service on the same host, run in the same way."""
        return Caddy(layout, self._host, site, self._run)

    def probes(self) -> Mapping[str, Command]:
        """Return one read-only command: what is live, whether Caddy is up, maintenance, which configuration."""
        words = (self._layout.proxy, self._site.service, self._admin, self._on_host.wanted)
        return {"caddy": self._on_host.script("facts", *words)}

    def parse(self, answers: Mapping[str, Result]) -> ProxyFacts:
        """Return what the answer tells. Malformed or missing answers are read as "nothing there"."""
        body = document(answers.get("caddy"))
        return replace(
            proxy_facts(body, {route.role for route in self._site.routes}, _is_endpoint),
            predecessor=_name(body.get("predecessor")),
            neighbours=tuple(filter(None, map(_name, _list(body.get("neighbours"))))),
        )

    def host_steps(self) -> tuple[Step, ...]:
        """Return what makes Caddy run with this service's site. On a host that has it all, every step is done."""
        return (*self._on_host.prepare(), *self._on_host.begin())

    def prepare_steps(self) -> tuple[Step, ...]:
        """Return all of `host_steps` but the start of Caddy."""
        return self._on_host.prepare()

    def take_over_steps(self, predecessor: str, live: Mapping[str, str]) -> tuple[Step, ...]:
        """Return: aim at the releases that serve, then one step in which the ports change hands."""
        if not self._run.keep.replace:
            raise Bug("caddy.take_over", f"{predecessor} was to be replaced by a proxy that is no container")
        aim = [self._switch("aim", role, endpoint, "") for role, endpoint in sorted(live.items())]
        return (*aim, self._on_host.take_over(predecessor))

    def upkeep_steps(self) -> tuple[Step, ...]:
        """Return the certificates that come from secrets: nothing on the host tells whether the secrets are newer."""
        return tuple(self._on_host.certificate(route) for route in self._site.routes if route.tls.pems)

    def remove_steps(self) -> tuple[Step, ...]:
        """Return the steps that take this service out of Caddy, and end Caddy where it was the last one."""
        return (self._on_host.forget(), self._on_host.end())

    def stop_steps(self) -> tuple[Step, ...]:
        """Return the step that stops Caddy for every service of the host."""
        return (self._on_host.stop(),)

    def log_command(self, asked: LogsAsked) -> Command:
        """Return what prints Caddy's own log. Raises ValueError for what it cannot tell."""
        return self._on_host.log(asked)

    def traffic_command(self, moment: Moment) -> Command | None:
        """Return what counts the requests of this service, None where a role does not log them."""
        if not any(route.access_log for route in self._site.routes):
            return None
        return count_requests(self._run.python, f"{self._layout.proxy}/log/{self._site.service}.log", moment)

    def switch_steps(self, role: str, endpoint: str, before: str) -> tuple[Step, ...]:
        """Return the step that sends `role`'s traffic to `endpoint`. Raises Bug for what is no endpoint."""
        return (self._switch("switch", role, endpoint, before),)

    def _switch(self, verb: str, role: str, endpoint: str, before: str) -> Step:
        for address in (endpoint, before or endpoint):
            if not _is_endpoint(address):
                raise Bug("caddy.endpoint", f"`{address}` was given as an endpoint and is none")
        live = self._layout.live(role)
        do = Command(("sh", "-c", SWITCH_SCRIPT, "sh", live, endpoint))
        done = Command(("sh", "-c", POINTS_SCRIPT, "sh", live, endpoint))
        back = ("sh", "-c", SWITCH_SCRIPT, "sh", live, before) if before else ("rm", "-f", "--", live)
        return self._on_host.common.switch(verb, (role, endpoint), do, done, Command(back))

    def drain_steps(self, role: str, endpoint: str, limit_s: float) -> tuple[Step, ...]:
        """Return the step that waits until `endpoint` holds no request, or `limit_s` is over (not a failure)."""
        if not _is_endpoint(endpoint):
            raise Bug("caddy.endpoint", f"`{endpoint}` was given as an endpoint and is none")
        # Caddy counts by what it dialled: `unix//run/a.sock` is counted as `/run/a.sock`.
        address = endpoint.removeprefix("unix/")
        wait = self._on_host.script("drain", self._admin, address, f"{limit_s:g}", limit_s=limit_s + 60)
        return (self._on_host.common.drain(role, endpoint, wait),)

    def maintenance_steps(self, *, on: bool, message: str = "") -> tuple[Step, ...]:
        """Return the step that shows visitors a page (503, Retry-After) instead of the site, or no longer does."""
        return (self._on_host.common.maintenance(on=on, message=message),)


def _name(word: object) -> str:
    return word if isinstance(word, str) and _NAME.fullmatch(word) else ""


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _is_endpoint(word: str) -> bool:
    return _ENDPOINT.fullmatch(word) is not None


_: type[Proxy] = Caddy
__: type[CountsTraffic] = Caddy
