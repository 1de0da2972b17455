"""Continuous traffic on a site, and the question afterwards whether it kept what it promised."""

from __future__ import annotations

import asyncio
import csv
import io
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote

from shipway.app.demo.http import Address, Broken, KeepAlive, Request, Response
from shipway.app.demo.visitors import (
    PHOTO,
    Visit,
    Write,
    ask_slowly,
    drop_in,
    fetch_assets,
    hold_websocket,
    read_pages,
    register_ships,
)


@dataclass(frozen=True, slots=True)
class Load:
    """How many visitors of each kind there are, and how long each pauses between two turns.

    The default leaves most of two cores to the deploy that is watched: about 50 requests a second.
    """

    readers: int = 3
    droppers: int = 1
    writers: int = 2
    slow: int = 2
    fetchers: int = 1
    pause_s: float = 0.15


@dataclass(frozen=True, slots=True)
class Kept:
    """What was found of the ships that visitors had registered. `inspected`: the background worker had done its part.

    `unread`: why the register could not be read ("": it was read).
    """

    written: int
    found: int
    twice: int = 0
    inspected: int = 0
    photos: int = 0
    unread: str = ""


@asynccontextmanager
async def traffic(visit: Visit, load: Load, echo: Address | None = None) -> AsyncIterator[Visit]:
    """Let visitors come while the body runs; on leaving, wait until each has its last answer (no request is cut).

    `echo` is where another service of the same proxy answers WebSockets.
    """
    loops: list[Coroutine[object, object, None]] = []
    loops += [read_pages(visit, load.pause_s) for _ in range(load.readers)]
    loops += [drop_in(visit, load.pause_s) for _ in range(load.droppers)]
    loops += [register_ships(visit, chr(ord("a") + index), load.pause_s) for index in range(load.writers)]
    loops += [ask_slowly(visit, load.pause_s) for _ in range(load.slow)]
    loops += [fetch_assets(visit, load.pause_s) for _ in range(load.fetchers)]
    loops += [hold_websocket(visit, echo, load.pause_s)] if echo else []
    async with asyncio.TaskGroup() as group:
        for loop in loops:
            group.create_task(loop)
        try:
            yield visit
        finally:
            visit.stop.set()


async def verify_writes(visit: Visit, limit_s: float = 10.0, every_s: float = 0.3) -> Kept:
    """Look for every ship that the site said it had registered; a lost one makes its request a failed one.

    Waits up to `limit_s` for the background worker to have inspected all of them.
    """
    connection, deadline = KeepAlive(visit.address), visit.recorder.clock() + limit_s
    try:
        rows = await _register(connection, visit.tag)
        while any(row["inspected"] != "yes" for row in rows) and visit.recorder.clock() < deadline:
            await asyncio.sleep(every_s)
            rows = await _register(connection, visit.tag)
        photos = await _judge_photos(connection, visit, {row["name"]: row["photo"] for row in rows})
    except (Broken, KeyError, csv.Error) as error:
        for write in visit.writes:
            visit.recorder.fail(write.number, "the register could not be read afterwards")
        return Kept(len(visit.writes), 0, unread=str(error) or type(error).__name__)
    finally:
        connection.drop()
    return _judge(visit, rows, photos)


def _judge(visit: Visit, rows: list[dict[str, str]], photos: int) -> Kept:
    counts = Counter(row["name"] for row in rows)
    for write in visit.writes:
        if counts[write.name] != 1:
            visit.recorder.fail(write.number, "written twice" if counts[write.name] else "lost: no row afterwards")
    return Kept(
        written=len(visit.writes),
        found=sum(counts[write.name] > 0 for write in visit.writes),
        twice=sum(count > 1 for count in counts.values()),
        inspected=sum(row["inspected"] == "yes" for row in rows),
        photos=photos,
    )


async def _register(connection: KeepAlive, tag: str) -> list[dict[str, str]]:
    response = await _get(connection, f"/ships.csv?name={quote(tag)}")
    return list(csv.DictReader(io.StringIO(response.text)))


async def _get(connection: KeepAlive, target: str) -> Response:
    response = await connection.request(Request(target))
    if response.status != 200:  # noqa: PLR2004
        raise Broken(f"status {response.status} for {target}")
    return response


async def _judge_photos(connection: KeepAlive, visit: Visit, urls: dict[str, str]) -> int:
    good = 0
    for write in visit.writes:
        if write.has_photo and write.name in urls:
            problem = await _photo_problem(connection, write, urls[write.name])
            good += not problem
            if problem:
                visit.recorder.fail(write.number, problem)
    return good


async def _photo_problem(connection: KeepAlive, write: Write, url: str) -> str:
    try:
        response = await connection.request(Request(url or f"/no-photo-of/{quote(write.name)}"))
    except Broken as broken:
        return f"lost: {broken.why} for its photo"
    return "" if response.status == 200 and response.body == PHOTO else "lost: its photo is not there"  # noqa: PLR2004
