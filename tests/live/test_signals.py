"""Ctrl-C, SIGTERM, and two people at once."""

from __future__ import annotations

import signal
import time

import pytest

from tests.live.site import Site
from tests.live.test_bad_input import assert_told

SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize("number", SIGNALS)
def test_before_a_change(moving: Site, number: signal.Signals):
    before, trace = moving.serving(), moving.trace()
    with moving.start("deploy", "--json") as running:
        running.wait_for("run.begin")
        running.signal(number)
        ran = running.wait()
    # The first step may be done before the signal arrives: the operator's machine is not asked between two steps.
    expected = (10, "everything was taken back") if '"step.undone"' in ran.text else (130, "nothing was changed")
    assert (ran.code, ran.error["code"]) == (expected[0], "run.interrupted"), ran.text
    assert expected[1] in ran.error["now"]
    moving.assert_serves(before)
    assert moving.trace() == trace


@pytest.mark.parametrize("number", SIGNALS)
def test_before_the_commit(moving: Site, number: signal.Signals):
    before, trace = moving.serving(), moving.trace()
    with moving.start("deploy", "--json") as running:
        running.wait_for("step.begin", "start-web" if number == signal.SIGINT else "install-packages")
        running.signal(number)
        ran = running.wait()
    assert (ran.code, ran.error["code"]) == (10, "run.interrupted"), ran.text
    assert number.name in ran.error["what"]
    assert f"{before} serves" in ran.error["now"]
    moving.assert_serves(before)
    assert moving.trace() == trace


@pytest.mark.parametrize("number", SIGNALS)
def test_after_the_commit(moving: Site, number: signal.Signals):
    moving.serving()
    with moving.start("deploy", "--json") as running:
        running.wait_for("run.commit")
        running.signal(number)
        ran = running.wait()
    assert ran.code == 11, ran.text
    assert "shipway resume" in ran.error["next"]
    assert moving("resume", "--json").code == 0
    moving.serving()


def test_twice(moving: Site):
    """The second one leaves in the middle; what runs on the host then is waited for by whoever settles the run."""
    before = moving.serving()
    with moving.start("deploy", "--json") as running:
        running.wait_for("step.begin", "check-")
        running.signal()
        time.sleep(0.3)
        running.signal()
        ran = running.wait()
    assert_told_left(ran.code, ran.error)
    ran = moving("rollback", "--yes", "--json")
    assert ran.code == 0, ran.text
    moving.assert_serves(before)


def assert_told_left(code: int, error: dict[str, str]) -> None:
    assert (code, error["code"]) == (11, "run.abandoned"), error
    assert "shipway resume" in error["next"]


def test_two_deploys_at_once(moving: Site):
    moving.serving()
    with moving.start("deploy", "--json") as first:
        first.wait_for("step.begin", "install-packages")
        second = assert_told(moving.deploy(), 6, "lock.held")
        ran = first.wait()
    assert ran.code == 0, ran.text
    assert ran.report["run"] in second["what"], "it names the other run"
    moving.assert_serves(ran.report["release"])
