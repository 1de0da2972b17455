"""Releases that are containers: reached by name through Docker's DNS."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.contract.proxy import docker
from tests.contract.proxy.load import Load
from tests.contract.proxy.rig import Rig, do, rig
from tests.contract.proxy.sites import live, shop

IMAGE = "python:3.11-slim"
SWITCHES = 12
RELEASE = """
import json, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/slow":
            time.sleep(1)
        body = json.dumps({"release": sys.argv[1]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *words):
        pass

ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""
ANSWER = "import urllib.request as u; print(u.urlopen('http://localhost:8000/').status)"


@pytest.fixture
def host() -> Iterator[Rig]:
    """A host whose proxy is a container."""
    docker.need(IMAGE)
    with rig("container") as made:
        do(made.caddy(shop(made.root)).host_steps())
        try:
            yield made
        finally:
            names = docker.docker("ps", "--all", "--quiet", "--filter", f"network={made.network}").split()
            docker.docker("rm", "--force", *names)


def start(host: Rig, release: str) -> str:
    """Start a release as a container; return its endpoint when it answers."""
    name = f"{host.network}-web-{release}"
    words = ("--detach", "--init", "--name", name, "--network", host.network)
    assert docker.docker("run", *words, IMAGE, "python", "-c", RELEASE, release)
    for _ in range(100):
        if docker.docker("exec", name, "python", "-c", ANSWER) == "200":
            return f"{name}:8000"
        time.sleep(0.1)
    raise AssertionError(f"{name} does not answer")


def test_switches_between_containers_lose_nothing(host: Rig) -> None:
    proxy, before = host.caddy(shop(host.root)), start(host, "c0")
    do(proxy.switch_steps("web", before, ""))
    with Load(host, 6) as load:
        for n in range(1, SWITCHES + 1):
            endpoint = start(host, f"c{n}")
            do(proxy.switch_steps("web", endpoint, before))
            do(proxy.drain_steps("web", before, 10))
            assert docker.docker("stop", "--time", "5", before.partition(":")[0])
            before = endpoint
    assert live(proxy) == {"web": before}
    assert load.lost == []
    assert len(set(load.seen)) >= SWITCHES
    print(f"{len(load.seen)} requests, {SWITCHES} switches between containers, 0 lost")
