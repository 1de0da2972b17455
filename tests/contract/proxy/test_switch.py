"""Switching, draining and maintenance: what a deploy does to a proxy."""

from __future__ import annotations

import pathlib
import socket
import threading
import time

import pytest

from shipway.proxies.caddy import Caddy
from shipway.proxies.nginx import Nginx
from tests.contract.proxy.load import Load
from tests.contract.proxy.rig import LIMIT_S, Rig, do, run, undo
from tests.contract.proxy.sites import ONLY_CADDY, blog, live, shop


def test_twenty_switches_under_load_lose_nothing(host: Rig) -> None:
    proxy = host.proxy(shop(host.root))
    before = host.start("shop", "s0")
    do(proxy.switch_steps("web", before, ""))
    with Load(host, 6) as load:
        for n in range(1, 21):
            endpoint = host.start("shop", f"s{n}")
            do(proxy.switch_steps("web", endpoint, before))
            do(proxy.drain_steps("web", before, 10))
            host.stop("shop", f"s{n - 1}")
            before = endpoint
    host.stop("shop", "s20")
    assert load.lost == []
    assert len(set(load.seen)) >= 20
    print(f"{len(load.seen)} requests, 20 switches, 0 lost")


def test_undo_of_a_switch_sends_back_and_to_nothing(host: Rig, proxy: Caddy | Nginx) -> None:
    before = live(proxy)["web"]
    steps = proxy.switch_steps("web", host.start("shop", "r2"), before)
    do(steps)
    assert host.get("/").json["release"] == "r2"
    undo(steps)
    assert host.get("/").json["release"] == "r1"
    undo(proxy.switch_steps("web", before, ""))
    assert live(proxy) == {}
    answer = host.get("/")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
    assert b"No release is live" in answer.body
    host.stop("shop", "r2")


@ONLY_CADDY
@pytest.mark.parametrize("ending", ["", "\n"])
@pytest.mark.usefixtures("proxy")
def test_an_address_may_end_with_a_newline(host: Rig, ending: str) -> None:
    file = pathlib.Path(host.layout("shop").live("web"))
    file.write_text(file.read_text() + ending)
    assert host.get("/").status == 200


@ONLY_CADDY
@pytest.mark.usefixtures("proxy")
def test_an_empty_address_is_told_as_no_release(host: Rig) -> None:
    pathlib.Path(host.layout("shop").live("web")).write_text("")
    assert host.get("/").status == 503


@ONLY_CADDY
@pytest.mark.usefixtures("proxy")
def test_a_release_that_comes_back_within_two_seconds_is_waited_for(host: Rig) -> None:
    host.stop("shop", "r1")
    again = threading.Timer(0.5, host.start, ("shop", "r1"))
    again.start()
    assert host.get("/", method="POST", body=b"kept").json["received"] == 4
    again.join()


def test_a_dead_release_is_a_502_without_details(host: Rig, proxy: Caddy | Nginx) -> None:
    do(proxy.switch_steps("web", host.endpoint("shop", "gone"), ""))
    answer = host.get("/")
    assert answer.status == 502
    assert host.root.encode() not in answer.body
    assert answer.headers["X-Request-Id"].encode() in answer.body


def test_drain_waits_for_the_request_that_runs(host: Rig, proxy: Caddy | Nginx) -> None:
    old = live(proxy)["web"]
    answers: list[int] = []
    slow = threading.Thread(target=lambda: answers.append(host.get("/slow?2").status))
    slow.start()
    time.sleep(0.3)
    do(proxy.switch_steps("web", host.start("shop", "r3"), old))
    (step,) = proxy.drain_steps("web", old, 0.3)
    (command,) = step.do
    too_short = run(command)  # type: ignore[arg-type]
    assert too_short.ok
    assert "1 requests left" in too_short.text
    (step,) = proxy.drain_steps("web", old, 10)
    drained = run(step.do[0])  # type: ignore[arg-type]
    slow.join(0.5)
    assert answers == [200]
    assert "drained in" in drained.text
    host.stop("shop", "r3")


def test_maintenance_closes_the_site_but_not_its_health_or_its_neighbour(host: Rig, proxy: Caddy | Nginx) -> None:
    do(host.proxy(blog(forward_headers=True)).switch_steps("web", host.start("blog", "r1"), ""))
    on = proxy.maintenance_steps(on=True, message="Moving <to> {env.HOME}")
    assert do(on) == ["maintenance-on"]
    assert do(on) == []
    closed = host.get("/")
    assert (closed.status, closed.headers["Retry-After"], closed.headers["Cache-Control"]) == (503, "30", "no-store")
    assert b"Moving &lt;to&gt; {env.HOME}" in closed.body
    assert host.get("/up").status == 200
    assert host.get("/", host="blog.test").status == 200
    undo(proxy.maintenance_steps(on=True, message="another"))
    assert host.get("/").status == 200
    do(on)
    off = proxy.maintenance_steps(on=False)
    do(off)
    assert host.get("/").status == 200
    undo(off)
    assert b"Moving" in host.get("/").body
    do(off)
    host.stop("blog", "r1")


def test_a_websocket_stays_open_across_a_switch_and_a_reload(host: Rig, proxy: Caddy | Nginx) -> None:
    old = live(proxy)["web"]
    with socket.create_connection(("127.0.0.1", host.http_port), LIMIT_S) as client:
        hello = "GET /ws HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        client.sendall(
            f"{hello}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        file = client.makefile("rb")
        assert b"101" in file.readline()
        while file.readline().strip():
            pass
        for change in ("nothing", "switch", "reload"):
            if change == "switch":
                do(proxy.switch_steps("web", host.start("shop", "r4"), old))
            if change == "reload":
                assert do(host.proxy(blog(response_timeout_s=9.0)).host_steps()) == ["proxy-configure", "proxy-reload"]
            client.sendall(f"{change}\n".encode())
            assert file.readline() == f"r1 {change}\n".encode()
        assert host.get("/").json["release"] == "r4"
        (step,) = proxy.drain_steps("web", old, 0.3)
        assert "1 requests left" in run(step.do[0]).text  # type: ignore[arg-type]
    do(host.proxy(blog(forward_headers=True)).host_steps())
    host.stop("shop", "r4")
