"""A server and a worker that can be made to fail in each of the usual ways. Standard library only."""

import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        host, is_https = self.headers["Host"], self.headers["X-Forwarded-Proto"] == "https"
        if self.path == "/moved" and not is_https:
            self.send_response(301)
            self.send_header("Location", f"https://{host}{self.path}")
            self.end_headers()
            return
        if not host.startswith(os.environ.get("ALLOWED_HOST", "shop.example")):
            status = 400
        else:
            status = {"/up": 200, "/moved": 200, "/broken": 500}.get(self.path, 404)
        self.send_response(status)
        self.send_header("X-Release", os.environ.get("SHIPWAY_RELEASE", ""))
        self.end_headers()
        self.wfile.write(os.environ["BUILT"].encode())

    def log_message(self, *words):
        pass


def main(verb, *words):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if verb == "serve":
        ThreadingHTTPServer((words[1] if len(words) > 1 else "0.0.0.0", int(words[0])), Answers).serve_forever()
    if verb == "need":
        os.environ[words[0]]
    if verb == "eat":
        kept = bytearray(int(words[0]) * 1_000_000)
        kept[::4096] = b"x" * len(kept[::4096])
    if verb == "end":
        sys.exit(int(words[0]))
    print("works", flush=True)
    sys.stderr.write("and tells it twice\n")
    while True:
        time.sleep(60)


main(*sys.argv[1:])
