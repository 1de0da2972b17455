"""Static and media files served by the proxy."""

from __future__ import annotations

import pathlib

import pytest

from tests.contract.proxy.rig import Rig

HASH = "d41d8cd98f00"


def put(host: Rig, folder: str, name: str, body: bytes = b"content") -> None:
    path = pathlib.Path(host.root, "public", "shop", folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)


def test_hashed_static_files_are_kept_for_ever(host: Rig) -> None:
    put(host, "static", f"css/site.{HASH}.css")
    put(host, "static", "css/site.css")
    hashed, plain = host.get(f"/static/css/site.{HASH}.css"), host.get("/static/css/site.css")
    assert hashed.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert plain.headers["Cache-Control"] == "public, max-age=60, must-revalidate"
    assert hashed.headers["Content-Type"].startswith("text/css")
    assert host.get("/static/css/site.css", headers={"If-None-Match": plain.headers["ETag"]}).status == 304
    missing = host.get(f"/static/css/gone.{HASH}.css")
    assert missing.status == 404
    assert "immutable" not in missing.headers["Cache-Control"]


def test_compressed_files_beside_are_served(host: Rig) -> None:
    put(host, "static", "app.js", b"plain")
    put(host, "static", "app.js.gz", b"gz")
    put(host, "static", "app.js.br", b"br")
    brotli = b"gz" if host.is_nginx else b"br"  # a module that Debian has in a package of its own
    for accepted, body in (("gzip", b"gz"), ("gzip, br", brotli), ("identity", b"plain")):
        answer = host.get("/static/app.js", headers={"Accept-Encoding": accepted})
        assert (answer.body, answer.headers["Vary"]) == (body, "Accept-Encoding")
        assert answer.headers["Content-Type"].split(";")[0] in ("text/javascript", "application/javascript")


@pytest.mark.parametrize(
    "path",
    ["/static/", "/static/css", "/static/../../proxy/caddy.json", "/static/%2e%2e/%2e%2e/proxy/caddy.json",
     "/static/..%2f..%2fproxy/caddy.json", "/static/.env", "/static/css/.hidden/x", "/static/%2eenv", "/static//.env",
     "/media/", "/media/../../proxy/caddy.json", "/static/..\\..\\proxy\\caddy.json", "/static/x%00.css"],
)  # fmt: skip
@pytest.mark.usefixtures("proxy")
def test_nothing_else_is_served(host: Rig, path: str) -> None:
    put(host, "static", "css/other.css")
    put(host, "static", ".env", b"SECRET")
    put(host, "static", "css/.hidden/x", b"SECRET")
    answer = host.get(path)
    assert answer.status in (400, 404) or answer.json["release"] == "r1"
    assert b"SECRET" not in answer.body
    assert b"other.css" not in answer.body
    assert b'"apps"' not in answer.body


def test_uploaded_files_are_never_run(host: Rig) -> None:
    for name in ("cat.png", "evil.html", "evil.svg", "EVIL.HTM", "noend"):
        put(host, "media", name, b"<script>alert(1)</script>")
    for name in ("evil.html", "evil.svg", "EVIL.HTM", "noend"):
        answer = host.get(f"/media/{name}")
        assert answer.status == 200
        assert answer.headers["Content-Disposition"] == "attachment"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    picture = host.get("/media/cat.png")
    assert (picture.headers["Content-Type"], picture.headers["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert picture.headers["Content-Disposition"] is None
    assert host.get("/media/cat.png", method="POST").status == 405
