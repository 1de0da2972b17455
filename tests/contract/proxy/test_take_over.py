"""Taking the ports over from another tool's proxy, and giving them back."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from typing import Self

import pytest

from tests.contract.proxy import docker
from tests.contract.proxy.rig import LIMIT_S, Rig, do, rig, undo
from tests.contract.proxy.sites import live, shop
from tests.contract.proxy.stand_in import IMAGE, STAND_IN


class Visitors:
    """One visitor after the other, each with its own connection; `pause_s` is the longest time without an answer."""

    def __init__(self, host: Rig) -> None:
        self.host, self.over, self.pause_s, self.failed = host, threading.Event(), 0.0, 0
        self.thread = threading.Thread(target=self.visit)

    def visit(self) -> None:
        last = time.monotonic()
        while not self.over.is_set():
            try:
                assert self.host.get("/").status == 200
                now = time.monotonic()
                self.pause_s, last = max(self.pause_s, now - last), now
            except (OSError, AssertionError, http.client.HTTPException):
                self.failed += 1
                time.sleep(0.005)

    def __enter__(self) -> Self:
        self.thread.start()
        time.sleep(0.2)
        return self

    def __exit__(self, *_: object) -> None:
        time.sleep(0.2)
        self.over.set()
        self.thread.join(LIMIT_S)


@pytest.fixture
def kamals() -> Iterator[Rig]:
    """A host on which another tool's proxy has the ports and sends to its release."""
    docker.need(IMAGE)
    with rig("container") as made:
        name, at = f"{made.network}-old", made.start("shop", "kamal-abc").split(":")
        ports = ("--publish", f"127.0.0.1:{made.http_port}:{made.http_port}")
        words = ("--detach", "--init", "--name", name, "--network", made.network, "--restart", "unless-stopped", *ports)
        try:
            assert docker.docker("run", *words, IMAGE, "python", "-c", STAND_IN, str(made.http_port), *at)
            yield made
        finally:
            docker.docker("rm", "--force", name)


def test_the_ports_change_hands_in_one_short_step_and_back(kamals: Rig) -> None:
    proxy, old = kamals.caddy(shop(kamals.root)), f"{kamals.network}-old"
    before = kamals.endpoint("shop", "kamal-abc")
    with Visitors(kamals) as visitors:
        do(proxy.prepare_steps())
        visitors.pause_s = 0.0
        steps = proxy.take_over_steps(old, {"web": before})
        assert do(steps) == ["aim-web", "take-over"]
        assert do(steps) == []
    print(f"taken over: {visitors.pause_s * 1000:.0f} ms without an answer")
    assert live(proxy) == {"web": before}
    answer = kamals.get("/")
    assert answer.json["release"] == "kamal-abc"
    assert answer.headers["Via"], "Caddy answers now"
    assert docker.docker("inspect", "--format", "{{.State.Status}}", old) == "exited"
    assert do(proxy.host_steps()) == []
    with Visitors(kamals) as visitors:
        undo(steps)
    print(f"given back: {visitors.pause_s * 1000:.0f} ms without an answer")
    assert kamals.get("/").headers["Via"] is None
    assert live(proxy) == {}
