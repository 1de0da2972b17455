"""A distance between operator and server: a TCP relay of our own, since the kernel may have no netem."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

_CHUNK_BYTES = 65536
_END = b""


@dataclass
class Relay:
    """Stands before one address and holds each packet for half of the round-trip time, in either direction."""

    target: tuple[str, int]
    latency_ms: float
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0), backlog=100))
    connections: int = 0  # how many were made since the start
    _open: list[socket.socket] = field(default_factory=list)

    @property
    def address(self) -> str:
        return str(self.listener.getsockname()[0])

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def cut(self) -> None:
        """Cut every connection that is open now, as a network does: without a word to the server."""
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def serve(self) -> None:
        """Accept until the listener is closed."""
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        time.sleep(self.latency_ms / 1000)  # the handshake
        try:
            far = socket.create_connection(self.target, timeout=10)
        except OSError:
            near.close()
            return
        far.settimeout(None)
        for each in (near, far):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open += [near, far]
        for source, sink in ((near, far), (far, near)):
            held: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
            threading.Thread(target=self._read, args=(source, held), daemon=True).start()
            threading.Thread(target=_write, args=(sink, held), daemon=True).start()

    def _read(self, source: socket.socket, held: queue.SimpleQueue[tuple[float, bytes]]) -> None:
        data = b"begin"
        while data:
            try:
                data = source.recv(_CHUNK_BYTES)
            except OSError:
                data = _END
            held.put((time.monotonic() + self.latency_ms / 2000, data))


def _write(sink: socket.socket, held: queue.SimpleQueue[tuple[float, bytes]]) -> None:
    while True:
        due, data = held.get()
        time.sleep(max(0.0, due - time.monotonic()))
        try:
            if data == _END:
                sink.shutdown(socket.SHUT_WR)
                return
            sink.sendall(data)
        except OSError:
            return


@contextlib.contextmanager
def run_relay(address: str, port: int, latency_ms: float) -> Iterator[Relay]:
    """Relay from a free port of the loopback interface until the block ends."""
    relay = Relay((address, port), latency_ms)
    server = threading.Thread(target=relay.serve, daemon=True)
    server.start()
    try:
        yield relay
    finally:
        # A thread that waits in accept() is woken by a shutdown, not by a close.
        with contextlib.suppress(OSError):
            relay.listener.shutdown(socket.SHUT_RDWR)
        relay.listener.close()
        relay.cut()
        server.join(5)
