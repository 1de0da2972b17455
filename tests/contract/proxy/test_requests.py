"""What a request meets on its way: headers, limits, streams, prefixes."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from shipway.proxies.caddy import Caddy
from shipway.proxies.nginx import Nginx
from tests.contract.proxy.rig import Rig, do
from tests.contract.proxy.sites import blog, live


@pytest.mark.usefixtures("proxy")
def test_a_client_cannot_pose_as_a_proxy(host: Rig) -> None:
    forged = {
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.test",
        "X-Forwarded-Ssl": "on",
        "X-Forwarded-Protocol": "ssl",
        "X_Forwarded_Proto": "https",
        "Forwarded": "for=6.6.6.6;proto=https",
        "X-Real-Ip": "6.6.6.6",
        "X-Request-Id": "mine",
    }
    answer = host.get("/", headers=forged)
    seen = {name.lower(): value for name, value in answer.json["headers"].items()}
    assert seen["x-forwarded-for"] == host.client
    assert seen["x-forwarded-proto"] == "http"
    assert seen["x-forwarded-host"] == "shop.test"
    assert seen["host"] == "shop.test"
    assert not {"x-forwarded-ssl", "x-forwarded-protocol", "x_forwarded_proto", "forwarded", "x-real-ip"} & set(seen)
    assert seen["x-request-id"] == answer.headers["X-Request-Id"] != "mine"


def test_a_trusted_proxy_in_front_is_believed(host: Rig) -> None:
    do(host.proxy(blog(forward_headers=True)).switch_steps("web", host.start("blog", "r1"), ""))
    sent = {"X-Forwarded-For": "9.9.9.9", "X-Forwarded-Proto": "https", "X-Request-Id": "front-1"}
    answer = host.get("/", host="blog.test", headers=sent)
    seen = answer.json["headers"]
    assert seen["X-Forwarded-For"] == f"9.9.9.9, {host.client}"
    assert seen["X-Forwarded-Proto"] == "https"
    assert seen["X-Request-Id"] == answer.headers["X-Request-Id"] == "front-1"
    assert host.get("/", host="blog.test").headers["X-Request-Id"] not in ("", "front-1")
    host.stop("blog", "r1")


@pytest.mark.usefixtures("proxy")
def test_a_body_over_the_limit_is_a_413(host: Rig) -> None:
    assert host.get("/", method="POST", body=b"x" * 100_000).json["received"] == 100_000
    assert host.get("/", method="POST", body=b"x" * 100_001).status == 413
    chunks = (b"y" * 1000 for _ in range(101))
    assert (
        host.get("/", method="POST", body=chunks, encode_chunked=True, headers={"Transfer-Encoding": "chunked"}).status
        == 413
    )


@pytest.mark.usefixtures("proxy")
def test_a_slow_upload_passes_and_a_slow_answer_is_a_504(host: Rig) -> None:
    def drops() -> Iterator[bytes]:
        for _ in range(8):
            time.sleep(0.5)
            yield b"drop"

    upload = host.get("/", method="POST", body=drops(), headers={"Content-Length": "32"})
    assert upload.json["received"] == 32
    assert host.get("/slow?5").status == 504


@pytest.mark.usefixtures("proxy")
def test_events_arrive_as_they_are_sent(host: Rig) -> None:
    connection = host.connect()
    connection.request("GET", "/stream", headers={"Host": "shop.test"})
    response = connection.getresponse()
    begin = time.monotonic()
    assert response.readline() == b"data: 0\n"
    first = time.monotonic() - begin
    response.read()
    assert first < (time.monotonic() - begin) / 2
    connection.close()


def test_a_prefix_is_stripped_and_has_its_own_release(host: Rig, proxy: Caddy | Nginx) -> None:
    do(proxy.switch_steps("api", host.start("shop", "a1"), ""))
    assert host.get("/api/items?x=1").json | {"headers": 0} == {
        "release": "a1",
        "path": "/items?x=1",
        "headers": 0,
        "received": 0,
    }
    assert host.get("/api/v2/api/x").json["path"] == "/api/x"
    assert host.get("/api").json["path"] == "/"
    assert host.get("/apish").json["release"] == "r1"
    assert set(live(proxy)) == {"web", "api"}
    host.stop("shop", "a1")
