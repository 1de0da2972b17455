"""Many deploys in a row on a real server, under load: python bench/lab_under_load.py [--deploys 50] [--rate 100]

In the lab (`bin/lab up 3`; `--host N` takes another server than the first), with the example in containers: web and a
Celery worker behind Caddy, PostgreSQL and Redis. Visitors ask 100 times a second: pages over kept and over new
connections, and POSTs that leave parcels; besides, four 2-second pages are always under way, and eight WebSockets are
held open. Each deploy commits a change, builds, pushes and releases it with the command itself.

Lost is a request without its whole and right answer at the first attempt, a parcel that is not there exactly once and
weighed at the end, an echo that does not come, and a WebSocket that ends without a close frame. A WebSocket stays with
the old release until the drain timeout (here 5 s) and is then closed with such a frame. Exit code 1 when one is lost.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.lab.crowd import Crowd, crowd
from bench.lab.distance import distance
from bench.lab.site import NAME, Site, workplace
from shipway.app.demo.http import Address
from shipway.app.demo.record import Recorder
from shipway.app.demo.report import render_table, rows, rows_by_kind
from tests.lab.fixtures import LabHost, open_lab

DRAIN_S = 5
WEIGHED_WITHIN_S = 60.0
_QUERY = "select label, count(*), count(weighed_at) from parcels_parcel group by label"


class LoadedSite(Site):
    """The same project; WebSockets may stay with the old release for a few seconds only, so that a run has an end."""

    def _config(self, config: dict[str, Any]) -> dict[str, Any]:
        return {**super()._config(config), "drain_timeout": DRAIN_S}


async def deploys_under_load(site: Site, seen: Crowd, count: int) -> list[float]:
    """Deploy `count` times; return how long each took."""
    took = []
    for number in range(1, count + 1):
        seen.visit.recorder.phase = f"deploy {number}"
        before = await asyncio.to_thread(site.release)
        await asyncio.to_thread(site.commit_change, number)
        took.append((await asyncio.to_thread(site.deploy)).took_s)
        now = await asyncio.to_thread(site.release)
        if now in ("", before):
            raise SystemExit(f"deploy {number} is done, and {now or 'nothing'} answers")
        print(f"deploy {number}: {now} serves, {took[-1]:.1f} s", flush=True)
    return took


def parcels(host: LabHost) -> dict[str, tuple[int, int]]:
    """Return, for each label, how many parcels have it and how many of them were weighed."""
    answer = host.docker("exec", "pier-db", "psql", "-U", "pier", "-tAF", "\t", "-c", _QUERY)
    lines = (line.split("\t") for line in answer.out.splitlines())
    return {label: (int(there), int(weighed)) for label, there, weighed in lines}


def verify(host: LabHost, labels: Mapping[str, int], recorder: Recorder) -> str:
    """Wait until every parcel is weighed, or long enough; a request whose parcel is not as promised has failed."""
    limit = time.monotonic() + WEIGHED_WITHIN_S
    while True:
        found = parcels(host)
        wrong = {label: found.get(label, (0, 0)) for label in labels if found.get(label) != (1, 1)}
        if not wrong or time.monotonic() > limit:
            break
        time.sleep(1)
    for label, (there, _) in wrong.items():
        missed = "never weighed" if there == 1 else "taken in twice" if there else "lost: no parcel"
        recorder.fail(labels[label], missed)
    return f"{len(labels)} parcels were taken in, {len(wrong)} of them are not there exactly once and weighed"


async def main(asked: argparse.Namespace) -> int:
    lab = open_lab()
    host = lab.host(asked.host)
    host.wipe()
    recorder = Recorder(time.monotonic)
    with (
        workplace() as folder,
        distance(lab, [host], 0, Path(folder)) as way,
        LoadedSite(lab, [host], way, Path(folder), "private") as site,
    ):
        site.setup()
        begun = time.monotonic()
        async with crowd(Address(host.address, 80, NAME), recorder, asked.rate) as seen:
            took = await deploys_under_load(site, seen, asked.deploys)
            await asyncio.sleep(1)
            lasted = time.monotonic() - begun
        kept = verify(host, seen.labels, recorder)
    table = rows(recorder.samples)
    print(render_table(table[-1:]))
    print(render_table(rows_by_kind(recorder.samples)))
    asks = sum(sample.kind not in {"websocket", "slow"} for sample in recorder.samples)
    lost = table[-1].failed + table[-1].retried
    print(f"{kept}\n{seen.closed} WebSockets were closed in order and opened again; {seen.late} visitors came late")
    print(
        f"{asked.deploys} deploys, {statistics.median(took):.1f} s in the median, {max(took):.1f} s at most, under load"
    )
    print(f"{table[-1].count} requests and echoes, {asks / lasted:.0f} requests a second, {lost} lost")
    return 1 if lost else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--deploys", type=int, default=50)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--host", type=int, default=1)
    sys.exit(asyncio.run(main(parser.parse_args())))
