"""Plays the acts: each is told, done under traffic, and judged. Knows the app's use cases only as a `Site`."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Protocol

from shipway.app.demo.http import Address, Broken, KeepAlive, Request
from shipway.app.demo.record import Recorder
from shipway.app.demo.report import Row, rows, rows_by_kind, summarize
from shipway.app.demo.story import LOST_NOTHING, Act, Claim, Evidence, Outcome, Seen
from shipway.app.demo.traffic import Kept, Load, traffic, verify_writes
from shipway.app.demo.visitors import Visit
from shipway.core.errors import Exit

_HEADING = re.compile(r"<h1>([^<]*)</h1>")


class Site(Protocol):
    """The site under demonstration, and the use cases that change it. Failures are outcomes, not exceptions."""

    @property
    def address(self) -> Address:
        """Where visitors reach it."""
        ...

    @property
    def echo(self) -> Address | None:
        """Where another service of the same proxy answers WebSockets; None when there is none."""
        ...

    async def deploy(self, version: str) -> Outcome:
        """Commit `version` of the example and deploy it."""
        ...

    async def rollback(self) -> Outcome:
        """Go back to the release before."""
        ...


class Teller(Protocol):
    """Who tells the story: the terminal, or JSON. The events of each run reach it another way (`core.events`)."""

    def act_begins(self, act: Act, number: int, of: int) -> None:
        """Tell what comes now."""
        ...

    def act_ends(self, act: Act, outcome: Outcome, row: Row | None) -> None:
        """Tell what came of it."""
        ...

    def claim(self, claim: Claim, problem: str) -> None:
        """Tell whether a claim holds (`problem` is "" when it does)."""
        ...


@dataclass(slots=True)
class Played:
    """What the demo came to. `broken` are the claims that did not hold, with what was found instead."""

    table: tuple[Row, ...] = ()
    kinds: tuple[Row, ...] = ()
    kept: Kept | None = None
    reopened: int = 0
    broken: list[tuple[str, str]] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether every claim held."""
        return not self.broken


@dataclass(frozen=True, slots=True)
class Staging:
    """How the acts are played: the load, and how long traffic goes on before the first and after each act."""

    load: Load = field(default_factory=Load)
    watch_s: float = 3.0
    settle_s: float = 1.0
    inspect_s: float = 15.0


async def play(acts: Sequence[Act], site: Site, teller: Teller, staging: Staging) -> Played:
    """Play `acts` in order and return what they came to.

    Ends after the first act whose outcome is not what its claims say, since the later ones build on it; the traffic's
    table and its last claims are there in any case.
    """
    played, earlier = Played(), dict[str, Seen]()
    visit = Visit(site.address, Recorder(time.monotonic), tag="Demo")
    async with AsyncExitStack() as stack:
        has_traffic = False
        for number, act in enumerate(acts, 1):
            teller.act_begins(act, number, len(acts))
            visit.recorder.phase = act.name
            if act.is_under_load and not has_traffic:
                await stack.enter_async_context(traffic(visit, staging.load, site.echo))
                has_traffic = True
            evidence = await _perform(act, site, visit, staging, earlier)
            earlier[act.name] = evidence.after
            teller.act_ends(act, evidence.outcome, evidence.row)
            if not _judge(act.claims, evidence, teller, played):
                break
    if visit.recorder.samples:
        await _conclude(visit, staging, teller, played)
    return played


async def _conclude(visit: Visit, staging: Staging, teller: Teller, played: Played) -> None:
    played.kept = await verify_writes(visit, staging.inspect_s)
    played.reopened = visit.reopened
    played.table, played.kinds = rows(visit.recorder.samples), rows_by_kind(visit.recorder.samples)
    _judge(final_claims(played), Evidence(Outcome(Exit.OK), Seen(), Seen(), played.table[-1]), teller, played)


async def _perform(act: Act, site: Site, visit: Visit, staging: Staging, earlier: dict[str, Seen]) -> Evidence:
    before = await look(site.address)
    outcome = Outcome(Exit.OK, before.release)
    match act.do:
        case "deploy":
            outcome = await site.deploy(act.version)
        case "rollback":
            outcome = await site.rollback()
        case "watch":
            await asyncio.sleep(staging.watch_s)
    row = None
    if act.is_under_load:
        await asyncio.sleep(staging.settle_s)
        samples = visit.recorder.samples
        row = summarize(act.name, (sample for sample in samples if sample.phase == act.name))
    return Evidence(outcome, before, await look(site.address), row, dict(earlier))


def _judge(claims: Sequence[Claim], evidence: Evidence, teller: Teller, played: Played) -> bool:
    problems = [(claim, claim.judge(evidence)) for claim in claims]
    for claim, problem in problems:
        teller.claim(claim, problem)
        if problem:
            played.broken.append((claim.words, problem))
    return not any(problem for _, problem in problems)


async def look(address: Address) -> Seen:
    """Return what a visitor sees now on a connection of its own; nothing where nobody answers."""
    connection = KeepAlive(address)
    try:
        page = await connection.request(Request("/", limit_s=10.0))
    except Broken:
        return Seen()
    finally:
        connection.drop()
    heading = _HEADING.search(page.text)
    return Seen(page.headers.get("x-release", ""), heading.group(1) if heading else "")


def final_claims(played: Played) -> tuple[Claim, ...]:
    """Return the claims about all of it: requests that began in one act and ended in the next count here."""
    kept = played.kept or Kept(0, 0, unread="nobody looked")

    def all_kept(_: Evidence) -> str:
        if kept.unread:
            return f"the register could not be read: {kept.unread}"
        if kept.written == kept.found and not kept.twice and kept.written:
            return ""
        return f"{kept.written} written, {kept.found} found, {kept.twice} twice"

    def all_inspected(_: Evidence) -> str:
        return "" if kept.inspected >= kept.written else f"{kept.inspected} of {kept.written}"

    return (
        Claim("every request was answered, by a release, at the first attempt", LOST_NOTHING.judge),
        Claim("every ship that was registered is in the register, once", all_kept),
        Claim("the background worker has inspected each of them", all_inspected),
    )
