"""The time after a switch in which traffic is compared with the time before it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from shipway.app.context import Context
from shipway.app.verification.processes import LOOKS
from shipway.app.verification.visitor import AGENT
from shipway.core.errors import ShipwayError
from shipway.core.ports import Request
from shipway.proxies.traffic import CountsTraffic, Moment, Seen, Traffic, parse_traffic, together
from shipway.verification.outcome import Answer, Check, CheckOutcome, failed, passed, skipped
from shipway.verification.watch import longer_times, more_errors

BEFORE_S = 600.0
"""How long before the switch the time begins that is compared: the same people, the same hour."""
WARM_S = 10.0
"""How long a new process warms up: its first answers are slow, and that passes."""
_LOOKS = 30
_SLOW_LOOKS = 3
"""How many looks in succession must find longer times; errors are believed at once."""
_LEAST_EVERY_S, _MOST_EVERY_S = 2.0, 10.0
CODE = "verify.watch"


@dataclass(frozen=True, slots=True)
class Watch:
    """Watches the traffic of all hosts for `limit_s`; the switch was at `since_s` of the clock."""

    context: Context
    since_s: float
    limit_s: float

    async def run(self) -> CheckOutcome:
        """Return what came of it: as soon as something is clearly worse, or at the end."""
        clock = self.context.clock
        begun_s = clock.monotonic()
        every_s = min(_MOST_EVERY_S, max(_LEAST_EVERY_S, self.limit_s / _LOOKS))
        answer, looks, slow = skipped("nothing was looked at"), 0, 0
        while True:
            left_s = begun_s + self.limit_s - clock.monotonic()
            if left_s > 0:
                await clock.sleep(min(every_s, left_s))
            answer, is_slow = await self._look()
            looks, slow = looks + 1, slow + 1 if is_slow else 0
            if is_slow and slow < _SLOW_LOOKS:  # a cache that fills, a report that somebody makes: that passes
                answer = passed(*answer.evidence)
            if answer.state == "failed" or left_s <= every_s:
                break
        check = Check(CODE, "traffic", limit_s=self.limit_s, retries=0)
        return CheckOutcome(check, answer, clock.monotonic() - begun_s, looks)

    async def _look(self) -> tuple[Answer, bool]:
        """Return whether traffic is worse now, that of all hosts together or of one; and whether by its times only."""
        moment = Moment(self.context.clock.monotonic() - self.since_s, BEFORE_S, WARM_S, AGENT)
        asked = {
            target.host: command
            for target in self.context.site.targets
            if (counts := _counting(target.proxy)) is not None
            and (command := counts.traffic_command(moment)) is not None
        }
        found = await asyncio.gather(*(self._ask(host, Request(command, "never")) for host, command in asked.items()))
        seen = {host: one for host, one in zip(asked, found, strict=True) if one is not None}
        if not asked:
            return skipped("no proxy writes requests down: `proxy.access_log` is off"), False
        if not seen:
            return skipped(f"the requests on {', '.join(asked)} could not be counted"), False
        return judge_traffic(seen)

    async def _ask(self, host: str, request: Request) -> Seen | None:
        try:
            (result,) = await self.context.transport.exchange(host, [request], track=LOOKS)
        except ShipwayError:
            return None
        return parse_traffic(result)


def judge_traffic(seen: dict[str, Seen]) -> tuple[Answer, bool]:
    """Return the answer for what the hosts counted, and whether longer times are all that is wrong."""
    all_hosts = together(seen.values())
    parts = [*([(f"{host}: ", one) for host, one in seen.items()] if len(seen) > 1 else []), ("", all_hosts)]
    for judge in (more_errors, longer_times):
        for name, one in parts:
            if problem := judge(one.before, one.since):
                answer = failed(f"{name}{problem}", _numbers(all_hosts), next="`shipway logs` has the errors")
                return answer, judge is longer_times
    return passed(_numbers(all_hosts)), False


def _counting(proxy: object) -> CountsTraffic | None:
    return proxy if isinstance(proxy, CountsTraffic) else None


def _numbers(seen: Seen) -> str:
    return f"before: {_words(seen.before)}; since: {_words(seen.since)}"


def _words(traffic: Traffic) -> str:
    half, most = traffic.quantile_ms(0.5), traffic.quantile_ms(0.9)
    return f"{traffic.requests} requests, {traffic.errors} errors, half in {half:.0f} ms, 90% in {most:.0f} ms"
