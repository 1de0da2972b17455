"""The traffic that a proxy wrote down: how many requests, how many errors, and how long they took."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Protocol, runtime_checkable

from shipway.core.action import Command
from shipway.core.ports import Result

BASE = 1.2
"""Times are counted by powers of this (traffic_script.py): a quantile is as exact as 10%."""
_MOST_ROWS = 200
_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests in some time. `times` counts them by the power of `BASE` under which their milliseconds are."""

    requests: int = 0
    errors: int = 0
    times: Mapping[int, int] = field(default_factory=dict)

    def quantile_ms(self, share: float) -> float:
        """Return the time in which `share` of the requests were answered; 0 without requests."""
        left = math.ceil(sum(self.times.values()) * share)
        for power in sorted(self.times):
            left -= self.times[power]
            if left <= 0:
                return float(BASE**power)
        return 0.0


@dataclass(frozen=True, slots=True)
class Seen:
    """The traffic before a moment, and since."""

    before: Traffic = field(default_factory=Traffic)
    since: Traffic = field(default_factory=Traffic)


@dataclass(frozen=True, slots=True)
class Moment:
    """The moment of a switch, as what asks a log needs it: `ago_s` seconds ago.

    The `window_s` before it are what is compared with; the first `skip_s` after it are left out, in which a new process
    warms up. Lines with the word `own` are requests of ours.
    """

    ago_s: float
    window_s: float
    skip_s: float
    own: str


@runtime_checkable
class CountsTraffic(Protocol):
    """A proxy that writes its requests down."""

    def traffic_command(self, moment: Moment) -> Command | None:
        """Return what counts requests on the host, for `parse_traffic`; None where none are written down."""
        ...


def count_requests(python: str, path: str, moment: Moment) -> Command:
    """Return the command that counts the requests in a log of JSON lines as Caddy writes them."""
    words = (f"{moment.ago_s:.1f}", f"{moment.window_s:.1f}", f"{moment.skip_s:.1f}", moment.own)
    return Command((python, "-I", "-S", "-", path, *words), (_source(),), limit_s=_LIMIT_S)


@functools.cache
def _source() -> str:
    return resources.files("shipway.proxies").joinpath("traffic_script.py").read_text(encoding="utf-8")


def parse_traffic(result: Result) -> Seen | None:
    """Return what a host counted; None where it could not."""
    try:
        body = json.loads(result.stdout) if result.ok else None
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return None
    before, since = _traffic(body.get("before")), _traffic(body.get("since"))
    return Seen(before, since) if before is not None and since is not None else None


def _traffic(body: object) -> Traffic | None:
    if not isinstance(body, dict):
        return None
    requests, errors, times = body.get("requests"), body.get("errors"), body.get("times")
    if not isinstance(requests, int) or not isinstance(errors, int) or not isinstance(times, dict):
        return None
    rows = [(power, n) for power, n in times.items() if isinstance(n, int) and str(power).isdecimal()][:_MOST_ROWS]
    return Traffic(requests, min(errors, requests), {int(power): n for power, n in rows if int(power) < _MOST_ROWS})


def together(seen: Iterable[Seen]) -> Seen:
    """Return the traffic of several hosts as one."""
    found = tuple(seen)
    return Seen(_sum(one.before for one in found), _sum(one.since for one in found))


def _sum(parts: Iterable[Traffic]) -> Traffic:
    times: dict[int, int] = {}
    requests = errors = 0
    for part in parts:
        requests, errors = requests + part.requests, errors + part.errors
        for power, n in part.times.items():
            times[power] = times.get(power, 0) + n
    return Traffic(requests, errors, times)
