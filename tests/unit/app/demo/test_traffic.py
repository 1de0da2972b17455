import asyncio
import time

import pytest

from shipway.app.demo.record import Recorder
from shipway.app.demo.report import render_table, rows, rows_by_kind
from shipway.app.demo.traffic import Load, traffic, verify_writes
from shipway.app.demo.visitors import Visit
from shipway.app.demo.websocket import serve_echo
from tests.unit.app.demo.fake_site import FakeSite, Fault, serving
from tests.unit.app.demo.listen import listening

LOAD = Load(readers=1, droppers=1, writers=1, slow=1, fetchers=1, pause_s=0.01)


async def until(condition, limit_s=10.0):
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110  it changes in other tasks, of code that knows no events
            await asyncio.sleep(0.005)


def run(site: FakeSite, *, load: Load = LOAD, enough=None, echo=None):
    """Let visitors come until `enough`, verify what they wrote; return the visit and what was kept."""

    async def main():
        async with serving(site):
            visit = Visit(site.address, Recorder(time.monotonic), tag="T")
            async with traffic(visit, load, echo):
                await until(lambda: enough(visit) if enough else len(visit.writes) >= 4)
            return visit, await verify_writes(visit, limit_s=0.2, every_s=0.01)

    return asyncio.run(main())


def by_kind(visit):
    return {row.phase: row for row in rows_by_kind(visit.recorder.samples)}


def test_a_good_site_loses_nothing():
    visit, kept = run(FakeSite(), enough=lambda v: len(v.writes) >= 12)
    assert rows(visit.recorder.samples)[-1].is_clean
    assert kept.written == kept.found == kept.inspected >= 12
    assert kept.photos >= 2
    assert set(by_kind(visit)) == {"page", "visit", "form", "post", "upload", "slow", "asset"}
    assert by_kind(visit)["page"].releases == ("r1",)


CASES = [
    # fault, kind of request it hits, failed, retried
    (Fault("close", "/"), None, 0, 1),
    (Fault("502", "/slow"), "slow", 1, 0),
    (Fault("cut", "/slow"), "slow", 1, 0),
    (Fault("garbage", "/slow"), "slow", 1, 0),
    (Fault("no release", "/slow"), "slow", 1, 0),
    (Fault("close", "/slow"), "slow", 0, 1),
    (Fault("close", "/slow", times=2), "slow", 1, 0),
    (Fault("close", "/slow", after=0), "slow", 1, 0),
    (Fault("502", "/static/a.1.css"), "asset", 1, 0),
    (Fault("other bytes", "/static/a.1.css"), "asset", 1, 0),
    (Fault("502", "/ships/new/"), "form", 1, 0),
    (Fault("close", "/ships/new/", "POST"), "post", 1, 0),
    (Fault("502", "/ships/new/", "POST"), "post", 1, 0),
    (Fault("cut", "/slow", times=3), "slow", 3, 0),
    (Fault("lose", "/ships/new/", "POST"), "post", 1, 0),
    (Fault("twice", "/ships/new/", "POST"), "post", 1, 0),
]


@pytest.mark.parametrize(("fault", "kind", "failed", "retried"), CASES)
def test_every_loss_is_seen(fault, kind, failed, retried):
    # One visitor only where it decides whether a closed connection was new or in use.
    load = LOAD if kind else Load(readers=1, droppers=0, writers=0, slow=0, fetchers=0, pause_s=0.01)
    site = FakeSite([fault])
    needed = fault.after + fault.times + 2
    visit, _ = run(site, load=load, enough=lambda _: site.seen[fault.method, fault.path] >= needed)
    row = by_kind(visit)[kind or "page"]
    assert (row.failed, row.retried) == (failed, retried), row.errors
    assert rows(visit.recorder.samples)[-1].failed == failed


def test_a_connection_closed_while_idle_is_no_loss_and_counted():
    site = FakeSite([Fault("close idle", "/slow", times=3)])
    visit, _ = run(site, enough=lambda _: site.seen["GET", "/slow"] >= 6)
    row = by_kind(visit)["slow"]
    assert not row.failed
    assert visit.reopened + row.retried >= 1


def test_a_post_on_a_closed_connection_is_never_sent_twice():
    site = FakeSite([Fault("close", "/ships/new/", "POST")])
    visit, kept = run(site, enough=lambda v: len(v.writes) >= 3)
    sent = sum(row.count for kind, row in by_kind(visit).items() if kind in {"post", "upload"})
    assert site.seen["POST", "/ships/new/"] == sent
    assert kept.found == kept.written == sent - 1


def test_files_of_the_old_page_are_still_asked_for():
    site = FakeSite()

    def enough(visit):
        if site.seen["GET", "/"] > 3:
            site.asset = "/static/a.2.css"
        return any(sample.kind == "old asset" for sample in visit.recorder.samples)

    visit, _ = run(site, enough=enough)
    assert by_kind(visit)["old asset"].is_clean
    assert site.seen["GET", "/static/a.1.css"] > 0


def test_the_worker_is_waited_for_in_vain():
    visit, kept = run(FakeSite(is_inspecting=False))
    assert kept.inspected == 0
    assert kept.found == len(visit.writes)


def test_a_register_that_cannot_be_read_loses_every_write():
    visit, kept = run(FakeSite([Fault("502", "/ships.csv", after=0, times=99)]))
    assert kept.unread
    assert by_kind(visit)["post"].failed == by_kind(visit)["post"].count


def test_a_cut_websocket_of_another_service_is_seen():
    writers = []

    async def serve(reader, writer):
        writers.append(writer)
        await serve_echo(reader, writer)

    async def main():
        async with serving(FakeSite()) as site, listening(serve) as echo:
            visit = Visit(site.address, Recorder(time.monotonic), tag="T")
            async with traffic(visit, Load(0, 0, 0, 0, 0, 0.01), echo):
                await until(lambda: len(visit.recorder.samples) > 2)
                writers[0].transport.abort()
                await until(lambda: len(writers) == 2)
        return visit

    row = by_kind(asyncio.run(main()))["websocket"]
    assert row.failed == 1
    assert row.count > 3


def test_requests_belong_to_the_phase_in_which_they_began():
    def enough(visit):
        if len(visit.recorder.samples) > 10:
            visit.recorder.phase = "second"
        return sum(s.phase == "second" for s in visit.recorder.samples) > 5

    visit, _ = run(FakeSite(), enough=enough)
    table = rows(visit.recorder.samples)
    assert [row.phase for row in table] == ["start", "second", "all"]
    assert table[0].count + table[1].count == table[2].count
    assert len(render_table(table).splitlines()) == 4
