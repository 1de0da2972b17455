"""Many deploys in a row under continuous traffic: python bench/under_load.py [--deploys 20]

Deploys the example, lets visitors come (kept and new connections, forms, uploads, 2-second pages, static files, and a
WebSocket of another service behind the same proxy), and deploys a changed version N times with the command itself. The
last lines are what counts: requests lost, which must be 0 (exit code 1 otherwise), and how long the deploys took.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from shipway.app.demo.local_site import LocalSite, Watcher
from shipway.app.demo.record import Recorder
from shipway.app.demo.report import render_table, rows
from shipway.app.demo.runner import look
from shipway.app.demo.traffic import Load, traffic, verify_writes
from shipway.app.demo.visitors import Visit
from shipway.app.demo.websocket import echo_service
from shipway.app.demo.workspace import workspace
from shipway.core.errors import Exit
from shipway.core.events import Event

SETTLE_S = 1.0
STARTS = ("start harbor-",)


class Stopwatch:
    """Adds up the time in which the application itself was starting."""

    def __init__(self) -> None:
        self.start_s = 0.0

    def listen(self, event: Event) -> None:
        if event.kind == "step.done" and event.title.startswith(STARTS):
            self.start_s += event.took_s


async def main(deploys: int) -> int:
    took: list[float] = []
    watch = Stopwatch()

    @contextmanager
    def display() -> Iterator[Watcher]:
        yield watch

    async with workspace() as place, echo_service() as neighbour:
        site = LocalSite(place.project, neighbour, display)
        first = await site.deploy("first")
        if first.exit is not Exit.OK:
            print(f"the first deploy failed: {first.what}")
            return 1
        visit = Visit(site.address, Recorder(time.monotonic), tag="Bench")
        async with traffic(visit, Load(), site.echo):
            for number in range(1, deploys + 1):
                visit.recorder.phase = f"deploy {number}"
                await asyncio.to_thread(place.project.commit_change, number)
                begun = time.monotonic()
                outcome = await site.deploy_head()
                took.append(time.monotonic() - begun)
                await asyncio.sleep(SETTLE_S)
                seen = await look(site.address)
                if outcome.exit is not Exit.OK or seen.release != outcome.release:
                    print(f"deploy {number} ended with {outcome.exit!r} {outcome.what}; {seen.release} answers")
                    return 1
                print(f"deploy {number}: {outcome.release} serves, {took[-1]:.1f} s", flush=True)
        kept = await verify_writes(visit, 15.0)
    table = rows(visit.recorder.samples)
    print(render_table(table))
    lost = table[-1].failed + table[-1].retried
    print(f"{kept.found} of {kept.written} ships that were registered are there, {kept.twice} of them twice")
    print(f"{deploys} deploys, {statistics.median(took):.1f} s in the median, {max(took):.1f} s at most, under load")
    print(f"{table[-1].count} requests, {lost} lost")
    return 1 if lost or kept.twice or kept.found != kept.written else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--deploys", type=int, default=20)
    sys.exit(asyncio.run(main(parser.parse_args().deploys)))
