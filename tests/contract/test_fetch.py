"""Requests to a given address under a given name, from here and from a host itself, against a real server."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from shipway.adapters.fetch import Fetcher
from shipway.adapters.local import local_transport
from shipway.app.verification.visitor import MOST_REDIRECTS, Visitor
from shipway.verification.place import Place

NAME = "shop.example"


class Shop(BaseHTTPRequestHandler):
    """A site with a login, a chain of redirects, a page that never ends, and one that breaks off."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path
        if path == "/endless":
            return self._endless()
        if path == "/broken":
            return self._answer(200, b"x", length=100)
        if path.startswith("/round"):
            return self._answer(302, Location="/round")
        if path == "/old":
            return self._answer(301, Location="/new?a=1")
        if path == "/away":
            return self._answer(302, Location="https://other.example/")
        got = self.headers
        told = f"{got['Host']} {path} {got.get('Cookie', '-')} {got.get('X-Forwarded-Proto', '-')}"
        return self._answer(200, told.encode(), **{"Set-Cookie": "session=s1; Path=/; HttpOnly"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Origin"] != f"http://{NAME}:{self.server.server_address[1]}":
            return self._answer(403)
        return self._answer(303, Location=f"/home?{body.decode()}")

    def _answer(self, status: int, body: bytes = b"", *, length: int = -1, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length < 0 else length))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = length >= 0

    def _endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        try:
            while True:
                self.wfile.write(b"x" * 65_536)
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Silent:
    """No secrets."""

    def reveal(self, name: str) -> str:
        raise KeyError(name)

    def names(self) -> tuple[str, ...]:
        return ()


@pytest.fixture
def shop() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@pytest.fixture(params=["here", "there"])
def visit(request: pytest.FixtureRequest, shop: int) -> Callable[[Callable[[Visitor], Any]], Any]:
    """Return what lets a visitor do something: asked from this machine, or from a host by a shell on it."""

    def run(what: Callable[[Visitor], Any]) -> Any:
        async def main() -> Any:
            transport = local_transport(Silent())
            fetch = Fetcher("h", "127.0.0.1", "127.0.0.1", transport, is_far=request.param == "there")
            place = Place("h", "web", NAME, (NAME,), http_port=shop)
            try:
                return await what(Visitor(place, fetch, 5.0))
            finally:
                await transport.close()

        return asyncio.run(main())

    return run


def test_the_name_is_sent_and_the_address_is_used(visit: Any, shop: int) -> None:
    page = visit(lambda visitor: visitor.ask(f"http://{NAME}:{shop}/a?b=1"))
    assert page.status == 200
    assert page.text == f"{NAME}:{shop} /a?b=1 - -"
    assert page.took_ms > 0
    assert visit(lambda visitor: visitor.ask(f"http://{NAME}:{shop}/", host="stranger.invalid")).text.startswith(
        "stranger"
    )


def test_redirects_are_followed_with_cookies(visit: Any, shop: int) -> None:
    async def walk(visitor: Visitor) -> Any:
        await visitor.ask(f"http://{NAME}:{shop}/")
        return await visitor.follow(f"http://{NAME}:{shop}/old")

    pages = visit(walk)
    assert [page.status for page in pages] == [301, 200]
    assert pages[-1].text == f"{NAME}:{shop} /new?a=1 session=s1 -"


def test_another_site_is_not_followed_and_a_circle_ends(visit: Any, shop: int) -> None:
    (page,) = visit(lambda visitor: visitor.follow(f"http://{NAME}:{shop}/away"))
    assert page.location == "https://other.example/"
    pages = visit(lambda visitor: visitor.follow(f"http://{NAME}:{shop}/round"))
    assert len(pages) == MOST_REDIRECTS + 1
    assert "on and on" in pages[-1].trouble


def test_a_form_is_sent_with_its_origin(visit: Any, shop: int) -> None:
    url = f"http://{NAME}:{shop}/login"
    pages = visit(lambda visitor: visitor.follow(url, method="POST", body="user=ann", referer=url))
    assert [page.status for page in pages] == [303, 200]
    assert "/home?user=ann" in pages[-1].text


def test_where_tls_ends_at_a_load_balancer_we_say_what_it_would(visit: Any, shop: int) -> None:
    page = visit(lambda visitor: visitor.ask(f"https://{NAME}/secure"))
    assert page.text.endswith("- https")


def test_a_page_that_does_not_end_is_cut(visit: Any, shop: int) -> None:
    page = visit(lambda visitor: visitor.ask(f"http://{NAME}:{shop}/endless"))
    assert page.is_cut
    assert len(page.body) >= 600_000


def test_what_breaks_off_or_refuses_is_trouble(visit: Any, shop: int) -> None:
    assert "broken off" in visit(lambda visitor: visitor.ask(f"http://{NAME}:{shop}/broken")).trouble

    async def refused(visitor: Visitor) -> Any:
        visitor.place = Place("h", "web", NAME, (NAME,), http_port=1)
        return await visitor.ask(f"http://{NAME}/")

    assert "refused" in visit(refused).trouble


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[int, str]]:
    """A TLS server with a certificate of its own for 30 days, and that certificate as text."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    words = (
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "30",
    )
    more = (
        "-keyout",
        str(key),
        "-out",
        str(certificate),
        "-subj",
        f"/CN={NAME}",
        "-addext",
        f"subjectAltName=DNS:{NAME}",
    )
    subprocess.run((*words, *more), check=True, capture_output=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], certificate.read_text()
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def certificate(port: int, name: str, ca: str = "") -> Mapping[str, Any]:
    asked = {"certificate": True, "port": port, "tls": True, "name": name, "ca": ca, "limit_s": 5.0}
    return asyncio.run(Fetcher("h", "127.0.0.1", "", local_transport(Silent()))(asked))


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_certificates_are_told_apart(secure: tuple[int, str]) -> None:
    port, text = secure
    trusted = certificate(port, NAME, text)
    assert trusted["problem"] == ""
    assert 29 <= trusted["days"] <= 30
    own = certificate(port, NAME)
    assert "self-signed" in own["problem"].replace("self signed", "self-signed")
    assert 29 <= own["days"] <= 30
    assert certificate(port, "other.example", text)["problem"]
    assert certificate(1, NAME)["trouble"] == "refused"
