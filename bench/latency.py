"""What the way to a host costs a redeploy: SSH through a relay that delays, with one web role and an unchanged lock.

    PYTHONPATH=src:. python bench/latency.py [--runs 5] [--rtt-ms 0 50] [--roles web] [--source src] [--source NEW/src]

Each source tree that is named takes its turn, so that versions can be compared on one site. Figures are medians. A turn
is counted where the client speaks after the server; connecting takes some eight of them.
Needs an sshd program (Debian: openssh-server); it is started on a free port and ended again.
"""

from __future__ import annotations

import argparse
import os
import queue
import re
import socket
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.contract.sshd import Sshd, run_sshd
from tests.live.machine import new_machine
from tests.live.site import Site, new_site

HANDED_ON = "PATH|SSL_CERT_.*|REQUESTS_CA_BUNDLE|UV_.*|PIP_.*|(HTTPS?|ALL|NO)_PROXY"


class Relay:
    """A TCP port that leads to another one, with `delay_s` each way; it counts connections and turns."""

    def __init__(self, port: int) -> None:
        self.delay_s = 0.0
        self.connections = self.turns = 0
        self._to = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._has_client_spoken: dict[int, bool] = {}
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                self.connections += 1
                server = socket.create_connection(("127.0.0.1", self._to))
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for source, sink, is_client in ((client, server, True), (server, client, False)):
                    self._copy(source, sink, self.connections, is_client=is_client)

    def _copy(self, source: socket.socket, sink: socket.socket, number: int, *, is_client: bool) -> None:
        late: queue.Queue[tuple[float, bytes]] = queue.Queue()

        def read() -> None:
            with suppress(OSError):
                while data := source.recv(65_536):
                    self.turns += is_client and self._has_client_spoken.get(number) is False
                    self._has_client_spoken[number] = is_client
                    late.put((time.monotonic() + self.delay_s, data))
            late.put((0.0, b""))

        def write() -> None:
            with suppress(OSError):
                while (item := late.get())[1]:
                    time.sleep(max(0.0, item[0] - time.monotonic()))
                    sink.sendall(item[1])
                sink.shutdown(socket.SHUT_RDWR)

        for work in (read, write):
            threading.Thread(target=work, daemon=True).start()


@contextmanager
def remote_site(roles: list[str]) -> Iterator[tuple[Site, Relay]]:
    """Give a site on a host behind a relay, with these roles of the example; nothing is deployed."""
    given = {name: value for name, value in os.environ.items() if re.fullmatch(HANDED_ON, name, re.IGNORECASE)}
    with run_sshd("SetEnv " + " ".join(f'"{k}={v}"' for k, v in given.items())) as server, new_machine() as machine:
        relay = Relay(server.port)
        known = server.known_hosts.read_text()
        server.known_hosts.write_text(known + known.replace(f":{server.port}", f":{relay.port}"))
        site = new_site(machine, "latency")
        site.configure(lambda config: _reach(config, server, relay, roles))
        site.commit()
        yield site, relay


def _reach(config: dict[str, Any], server: Sshd, relay: Relay, roles: list[str]) -> None:
    del config["transport"]
    config["servers"] = {
        name: role | {"hosts": ["127.0.0.1"]} for name, role in config["servers"].items() if name in roles
    }
    config["ssh"] = {"user": server.user, "port": relay.port, "keys": [str(server.key)], "config": server.config}


def deploy(site: Site, source: Path, number: int) -> float:
    """Deploy a change of one file with the code of `source`; return how long it took."""
    site.write("latency.txt", f"{number}\n")
    site.commit()
    begun = time.monotonic()
    ran = site("deploy", "--json", env={"PYTHONPATH": str(source.resolve())})
    took_s = time.monotonic() - begun
    assert ran.code == 0, ran.text
    return took_s


def main(args: argparse.Namespace) -> int:
    with remote_site(args.roles) as (site, relay):
        for number in range(2):  # the first installs, the second is the first with a way back
            deploy(site, args.source[0], number)
        for rtt_ms in args.rtt_ms:
            relay.delay_s = rtt_ms / 2000
            times: dict[Path, list[float]] = {source: [] for source in args.source}
            turns: dict[Path, list[int]] = {source: [] for source in args.source}
            for number in range(args.runs):
                for source in args.source:
                    before, connections = relay.turns, relay.connections
                    times[source].append(deploy(site, source, 1000 * rtt_ms + number))
                    turns[source].append(relay.turns - before)
                    assert relay.connections == connections + 1, "one connection"
            for source in args.source:
                median_s, spoken = statistics.median(times[source]), statistics.median(turns[source])
                print(f"{rtt_ms:3} ms round trip  {median_s:6.2f} s  {spoken:3.0f} turns  {source}")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rtt-ms", type=int, nargs="+", default=[0, 50])
    parser.add_argument("--roles", nargs="+", default=["web"])
    parser.add_argument("--source", type=Path, action="append")
    options = parser.parse_args()
    options.source = options.source or [Path("src")]
    sys.exit(main(options))
