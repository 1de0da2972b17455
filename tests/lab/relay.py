"""A distance between operator and server: a TCP relay of our own, since the kernel may have no netem."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_CHUNK_BYTES = 65536
_END = b""


@dataclass
class Relay:
    """Stands before one address and holds each packet for half of the round-trip time, in either direction."""

    target: tuple[str, int]
    latency_ms: float
    listener: socket.socket
    connections: int = 0  # how many were made since the start
    _open: list[socket.socket] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def address(self) -> str:
        return str(self.listener.getsockname()[0])

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def cut(self) -> None:
        """Cut every connection that is open now: neither end hears more of the other."""
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def close(self) -> None:
        """Accept no more, cut what is open, and wait for the end of both."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept(); a close does not
        self.listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)

    def serve(self) -> None:
        """Accept until the listener is closed."""
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self._threads.append(_run(self._connect, near))

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
        with near, far:
            ways = [self._carry(near, far), self._carry(far, near)]
            for way in ways:
                way.join()

    def _carry(self, source: socket.socket, sink: socket.socket) -> threading.Thread:
        """One direction; its thread ends when everything has arrived."""
        held: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        _run(self._read, source, held)
        return _run(_write, sink, held)

    def _read(self, source: socket.socket, held: queue.SimpleQueue[tuple[float, bytes]]) -> None:
        data = b"begin"
        while data:
            try:
                data = source.recv(_CHUNK_BYTES)
            except OSError:
                data = _END
            held.put((time.monotonic() + self.latency_ms / 2000, data))


def _run(work: Callable[..., None], *values: object) -> threading.Thread:
    thread = threading.Thread(target=work, args=values, daemon=True)
    thread.start()
    return thread


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
def run_relay(address: str, port: int, latency_ms: float, own_port: int = 0) -> Iterator[Relay]:
    """Relay from a port of the loopback interface (a free one unless it is named) until the block ends."""
    relay = Relay((address, port), latency_ms, socket.create_server(("127.0.0.1", own_port), backlog=100))
    server = _run(relay.serve)
    try:
        yield relay
    finally:
        relay.close()
        server.join(5)
