"""`observe`: every host asked once, all at the same time; what they answer as plain facts. Changes nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from shipway.core.action import Command
from shipway.core.errors import ShipwayError, Unreachable
from shipway.core.facts import Facts, HostFacts
from shipway.core.ports import Clock, Request, Result, Transport
from shipway.engine.journal import parse_tail, tail
from shipway.planning.site import Target
from shipway.proxies.base import ProxyFacts
from shipway.runtimes.base import RuntimeFacts

T = TypeVar("T")

# The directory may not be there yet: its nearest parent is on the same disk.
FREE_SCRIPT = 'p=$1; while [ ! -e "$p" ]; do p=$(dirname -- "$p"); done; exec df -Pk -- "$p"'
_DF_LINE = re.compile(r"\s\d+\s+\d+\s+(\d+)\s+(?:\d+%|-)\s+/")
_LIMIT_S = 20.0
_NAME_CHARS = 200


@dataclass(slots=True)
class Look:
    """The questions to one host, to ride with something else that is asked of it, and what it answered to them."""

    target: Target
    clock: Clock
    results: tuple[Result, ...] = ()
    asked_at: datetime | None = None
    answered_at: datetime | None = None

    def requests(self) -> tuple[Request, ...]:
        """Return the questions; they are asked now."""
        self.asked_at = self.clock.now()
        return tuple(Request(command, "never") for probes in _probes(self.target) for command in probes.values())

    def take(self, results: Sequence[Result]) -> None:
        """Take in what came back; nothing where it is not all."""
        self.answered_at = self.clock.now()
        self.results = tuple(results) if len(results) == sum(map(len, _probes(self.target))) else ()

    def facts(self) -> HostFacts | None:
        """Return what the answers tell, None without answers."""
        if not self.results or self.asked_at is None or self.answered_at is None:
            return None
        return _facts_of(self.target, self.results, (self.asked_at, self.answered_at))


async def observe(targets: Sequence[Target], transport: Transport, clock: Clock, look: Look | None = None) -> Facts:
    """Return what is true on the hosts of `targets` (the primary first), one exchange per host.

    A host is not asked again where `look` has its answers. Raises one Unreachable that names every host that did not
    answer, and those that did.
    """
    known = look.facts() if look is not None else None
    asked = [target for target in targets if known is None or target.host != known.host]
    found = await all_or_unreachable({target.host: _observe_host(target, transport, clock) for target in asked})
    if known is not None:
        found[known.host] = known
    return Facts(tuple(found[target.host] for target in targets))


async def all_or_unreachable(asked: Mapping[str, Coroutine[None, None, T]]) -> dict[str, T]:
    """Return the answers by host. Raises one Unreachable for all hosts that failed, after all have ended."""
    answers: dict[str, T] = {}
    failed: dict[str, ShipwayError] = {}

    async def wait_for(host: str, answer: Coroutine[None, None, T]) -> None:
        try:
            answers[host] = await answer
        except ShipwayError as error:
            failed[host] = error

    async with asyncio.TaskGroup() as group:
        for host, answer in asked.items():
            group.create_task(wait_for(host, answer))
    if failed:
        raise _unreachable({host: failed[host] for host in asked if host in failed}, tuple(answers))
    return answers


def _unreachable(failed: Mapping[str, ShipwayError], answered: Sequence[str]) -> ShipwayError:
    first = next(iter(failed.values()))
    others = f"answered: {', '.join(answered)}" if answered else "no host answered"
    if len(failed) == 1:
        where = f"{first.where}; {others}" if first.where else others
        return Unreachable(first.code, str(first), where=where, said=first.said, next=first.next)
    codes = {error.code for error in failed.values()}
    return Unreachable(
        codes.pop() if len(codes) == 1 else "hosts.unreachable",
        f"could not reach {', '.join(failed)}",
        where=others,
        said="\n".join(
            f"{host}: {error}" + (f" ({error.said})" if error.said else "") for host, error in failed.items()
        ),
        next=first.next,
    )


def _base_probes(target: Target) -> dict[str, Command]:
    return {
        "date": Command(("date", "+%s"), limit_s=_LIMIT_S),
        "user": Command(("id", "-un"), limit_s=_LIMIT_S),
        "home": Command(("printenv", "HOME"), limit_s=_LIMIT_S),
        "system": Command(("uname", "-sm"), limit_s=_LIMIT_S),
        "free": Command(("sh", "-c", FREE_SCRIPT, "sh", target.layout.root), limit_s=_LIMIT_S),
        "ledger": tail(target.layout).command,
    }


async def _observe_host(target: Target, transport: Transport, clock: Clock) -> HostFacts:
    look = Look(target, clock)
    asked_at = clock.now()
    results = await transport.exchange(target.host, look.requests())
    return _facts_of(target, results, (asked_at, clock.now()))


def _probes(target: Target) -> tuple[Mapping[str, Command], Mapping[str, Command], Mapping[str, Command]]:
    return _base_probes(target), target.runtime.probes(), target.proxy.probes() if target.proxy else {}


def _facts_of(target: Target, results: Sequence[Result], asked: tuple[datetime, datetime]) -> HostFacts:
    base, runtime, proxy = _probes(target)
    rest = iter(results)
    answers = dict(zip(base, rest, strict=False))
    runs = target.runtime.parse(dict(zip(runtime, rest, strict=False)))
    serves = target.proxy.parse(dict(zip(proxy, rest, strict=False))) if target.proxy else ProxyFacts()
    return _facts(target.host, answers, asked, runs, serves)


def _facts(
    host: str,
    answers: Mapping[str, Result],
    asked: tuple[datetime, datetime],
    runs: RuntimeFacts,
    serves: ProxyFacts,
) -> HostFacts:
    ledger = answers.get("ledger")
    return HostFacts(
        host=host,
        user=_line(answers.get("user")),
        home=_line(answers.get("home")),
        system=_line(answers.get("system")),
        free_bytes=_free_bytes(answers.get("free")),
        clock_skew_s=skew_s(_line(answers.get("date")), asked),
        tools=runs.tools,
        releases=runs.releases,
        leftovers=runs.leftovers,
        running=runs.running,
        live=serves.live,
        is_keeper_up=runs.is_keeper_up,
        is_runtime_settled=runs.is_settled,
        trouble=runs.trouble,
        schedule=runs.schedule,
        schedule_hosts=runs.schedule_hosts,
        is_proxy_up=serves.is_proxy_up,
        is_proxy_settled=serves.is_settled,
        is_in_maintenance=serves.is_in_maintenance,
        proxy_config_hash=serves.config_hash,
        predecessor=serves.predecessor,
        neighbours=serves.neighbours,
        records=parse_tail(ledger) if ledger else (),
    )


def _line(result: Result | None) -> str:
    """Return the one line that a command printed, "" for any other answer."""
    if result is None or not result.ok:
        return ""
    lines = result.text.splitlines()
    return lines[0].strip()[:_NAME_CHARS] if len(lines) == 1 else ""


def _free_bytes(result: Result | None) -> int:
    found = _DF_LINE.findall(result.text) if result is not None and result.ok else []
    return int(found[-1]) * 1024 if found else -1


def skew_s(text: str, asked: tuple[datetime, datetime]) -> float:
    """Return how far the host's clock is off, 0 while it lies between the question and the answer.

    `text` is what `date +%s` printed there, `asked` the times of the question and the answer.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 12):  # noqa: PLR2004  seconds up to the year 33658
        return 0.0
    host_s, first_s, last_s = int(text), int(asked[0].timestamp()), asked[1].timestamp()
    return float(host_s - first_s) if host_s < first_s else max(0.0, host_s - last_s)
