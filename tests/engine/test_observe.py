from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from shipway.core.action import Command
from shipway.core.errors import Unreachable
from shipway.core.facts import Facts
from shipway.core.ports import Result
from shipway.engine.observe import FREE_SCRIPT, _free_bytes, _line, observe, skew_s
from tests.engine.client import installed, world_of
from tests.engine.real_shell import run_here
from tests.engine.sim_runtime import sim_site
from tests.engine.sim_transport import SimTransport

HOSTS = ["app-1", "app-2", "app-3"]


def look(*, unreachable: tuple[str, ...] = ()) -> tuple[Facts, SimTransport]:
    site = sim_site(HOSTS)
    world = world_of(site, installed(site))
    assert isinstance(world.transport, SimTransport)
    world.transport.switch.unreachable.update(unreachable)
    return asyncio.run(observe(site.targets, world.transport, world.clock)), world.transport


def test_every_host_is_asked_once_and_all_at_the_same_time() -> None:
    facts, transport = look()
    assert sorted(host for host, _ in transport.exchanges) == HOSTS
    assert transport.open_most == 3
    assert [host.host for host in facts.hosts] == HOSTS
    first = facts.primary
    assert first.running == {("web", "r1"), ("worker", "r1")}
    assert (first.live, first.releases, first.is_proxy_up) == ({"web": "web-r1"}, ("r1",), True)
    assert (first.user, first.home, first.clock_skew_s, first.free_bytes) == ("sim", "sim", 0.0, 8192)
    assert first.records[0].kind == "run.begin"


@pytest.mark.parametrize("gone", [("app-2",), ("app-1", "app-3"), tuple(HOSTS)])
def test_all_hosts_that_do_not_answer_are_told_at_once(gone: tuple[str, ...]) -> None:
    with pytest.raises(Unreachable) as caught:
        look(unreachable=gone)
    text = f"{caught.value} {caught.value.said}"
    assert all(host in text for host in gone)
    answered = [host for host in HOSTS if host not in gone]
    assert all(host in caught.value.where for host in answered)
    assert caught.value.code == "ssh.unreachable"


@pytest.mark.parametrize(
    ("text", "free"),
    [
        ("Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 100 40 60 40% /\n", 61440),
        ("Filesystem 1K-blocks Used Available Use% Mounted on\nmy disk 100 40 60 40% /my mount 7 8 9 1% x\n", 61440),
        ("Filesystem\noverlay 9 9 0 - /\n", 0),
        ("", -1),
        ("df: no such thing\n", -1),
    ],
)
def test_free_space(text: str, free: int) -> None:
    assert _free_bytes(Result(0, text.encode())) == free


def test_free_space_of_a_directory_that_is_not_there_yet() -> None:
    assert _free_bytes(run_here(Command(("sh", "-c", FREE_SCRIPT, "sh", "/no such/place at all")))) > 0


@pytest.mark.parametrize(
    ("text", "skew"),
    [("1000", 0.0), ("1002", 0.0), ("1062", 60.0), ("940", -60.0), ("", 0.0), ("soon", 0.0), ("9" * 40, 0.0)],
)
def test_clock_skew_is_what_the_time_of_asking_cannot_explain(text: str, skew: float) -> None:
    asked = (datetime.fromtimestamp(1000, UTC), datetime.fromtimestamp(1002, UTC))
    assert skew_s(text, asked) == skew


@pytest.mark.parametrize("result", [None, Result(1, b"x"), Result(0, b"two\nlines"), Result(0, b"")])
def test_an_answer_that_is_no_line_is_nothing(result: Result | None) -> None:
    assert _line(result) == ""
