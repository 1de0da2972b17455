"""The page of a report in a real browser: it shows, and it asks for nothing."""

from __future__ import annotations

import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from shipway.cli.render.report_html import render_report_html
from tests.absent import absent
from tests.unit.cli.render.test_report_html import hostile

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)


def browse(place: Path, url: str, *options: str) -> bytes:
    words = (
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={place / 'profile'}",
        *options,
        url,
    )
    return subprocess.run(words, capture_output=True, timeout=120, check=True).stdout


def test_the_page_shows_and_asks_for_nothing(tmp_path: Path) -> None:
    if not CHROMIUM:
        absent("chromium is missing (on Debian: apt-get install chromium)")
    asked: list[str] = []
    body = render_report_html(hostile()).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200 if self.path == "/" else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body if self.path == "/" else b"")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/"
        try:
            dom = browse(tmp_path, url, "--dump-dom").decode()
            browse(tmp_path, url, f"--print-to-pdf={tmp_path / 'page.pdf'}")
        finally:
            server.shutdown()
            thread.join(30)
    assert set(asked) <= {"/", "/favicon.ico"}
    assert "&lt;script&gt;alert(1)" in dom
    assert dom.count("<script") == 0
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
