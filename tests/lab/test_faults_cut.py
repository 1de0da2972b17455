"""A deploy that is cut off from a server, and one that somebody stops, or two people begin: one release serves."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab.fault_site import HOME, FaultSite
from tests.lab.relay import Relay
from tests.live.site import Ran
from tests.live.test_bad_input import assert_told
from tests.live.test_signals import assert_told_left


@contextmanager
def by_relay(shop: FaultSite) -> Iterator[Relay]:
    """The way to the second server leads through a relay while the block runs."""
    two = shop.hosts[1]
    with shop.lab.relay(0, two) as relay:
        shop.route({two.name: f"  HostName 127.0.0.1\n  Port {relay.port}\n  HostKeyAlias {two.name}"})
        yield relay
    shop.route({})


def settled(shop: FaultSite, ran: Ran, before: str) -> None:
    """What the command said is what is: the new release serves, or the one before, or `resume` decides which."""
    if ran.code == 0:
        shop.assert_serves(ran.report["release"])
    elif ran.code == 10:
        assert f"{before} serves" in ran.error["now"], ran.text
        shop.assert_serves(before)
    else:
        assert ran.code == 11, ran.text
        assert "shipway resume" in ran.error["next"], ran.error
        after = shop("resume", "--json")
        assert after.code in (0, 10), after.text
        shop.serving()


CUTS = (("step.begin", "/fetch-"), ("step.begin", "/start-worker"), ("step.begin", "/stop-web"))


@pytest.mark.parametrize(("kind", "step"), CUTS, ids=[step for _, step in CUTS])
def test_a_connection_that_is_cut(shop: FaultSite, kind: str, step: str) -> None:
    """The next one is made at once, and what the first one left at work is waited for."""
    before, two = shop.serving(), shop.hosts[1]
    with shop.visited(), by_relay(shop) as relay:
        with shop.start("redeploy", "--json") as running:
            running.wait_for(kind, f"{two.name}{step}")
            relay.cut()
            ran = running.wait()
        settled(shop, ran, before)


@pytest.mark.parametrize("step", ["/start-web", "/stop-web"])
def test_a_server_that_does_not_come_back(shop: FaultSite, step: str) -> None:
    """The other server is taken back before the commit; afterwards the new release is what all go forward to."""
    before, two = shop.serving(), shop.hosts[1]
    with shop.visited():
        with by_relay(shop) as relay, shop.start("redeploy", "--json") as running:
            running.wait_for("step.begin", f"{two.name}{step}")
            relay.close()
            ran = running.wait()
        assert ran.code == 11, ran.text
        error = assert_told(ran, 11, ran.error["code"], now=True)
        assert two.name in str(error), error
        after = shop("resume", "--json")
    assert after.code in (0, 10), after.text
    serves = shop.serving()
    assert serves == before if step == "/start-web" else serves != before


def test_ctrl_c_before_the_commit(shop: FaultSite) -> None:
    before = shop.serving()
    with shop.visited(), shop.start("redeploy", "--json") as running:
        running.wait_for("step.begin", "/start-web")
        running.signal()
        ran = running.wait()
    error = assert_told(ran, 10, "run.interrupted", now=True)
    assert f"{before} serves" in error["now"]
    shop.assert_serves(before)


def test_ctrl_c_while_the_image_is_built(shop: FaultSite) -> None:
    before = shop.serving()
    shop.write("Dockerfile", "FROM python:3.11-slim\nRUN sleep 300\n")
    shop.commit()
    with shop.visited(), shop.start("deploy", "--json") as running:
        running.wait_for("step.begin", "here/build")
        running.signal()
        ran = running.wait()
    assert ran.code == 130, ran.text
    assert "nothing was changed" in ran.error["now"]
    shop.assert_serves(before)


def test_ctrl_c_after_the_commit(shop: FaultSite) -> None:
    before = shop.serving()
    with shop.visited():
        with shop.start("redeploy", "--json") as running:
            running.wait_for("run.commit")
            running.signal()
            ran = running.wait()
        assert ran.code == 11, ran.text
        assert "shipway resume" in ran.error["next"]
        after = shop("resume", "--json")
    assert after.code == 0, after.text
    assert shop.serving() != before


def test_ctrl_c_twice(shop: FaultSite) -> None:
    """The second one leaves in the middle; whoever settles the run waits for what is at work on the hosts."""
    before = shop.serving()
    with shop.visited():
        with shop.start("redeploy", "--json") as running:
            running.wait_for("step.begin", "/fetch-")
            running.signal()
            time.sleep(0.3)
            running.signal(signal.SIGINT)
            ran = running.wait()
        if ran.code != 10:  # it was quick enough to take everything back
            assert_told_left(ran.code, ran.error)
        again = shop.redeploy()
    assert again.code == 0, again.text
    assert shop.serving() == again.report["release"] != before


def test_two_operators_at_once(shop: FaultSite, tmp_path: Path) -> None:
    """Each on a machine of his own, as far as the servers know: nobody but the lock stands between them."""
    other = shop.clone(tmp_path / "other")
    shop.serving()
    with shop.visited(), shop.start("redeploy", "--json") as running:
        running.wait_for("step.begin", "/start-web")
        error = assert_told(other.redeploy(), 6, "lock.held")
        ran = running.wait()
    assert ran.code == 0, ran.text
    assert ran.report["run"] in error["what"]
    shop.assert_serves(ran.report["release"])
    back = other("rollback", "--yes", "--json")
    assert back.code == 0, back.text
    assert other.serving() == ran.report["base"]
    for host in shop.hosts:
        assert host.run("test", "-e", f"{HOME}/lock/held").status == 1
