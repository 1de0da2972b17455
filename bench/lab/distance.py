"""The way from here to the servers, and from every engine to the registry, made longer by relays of the lab."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab import relay
from tests.lab.fixtures import Lab, LabHost

REGISTRY_PORT = 5443
# Engines take a registry on the loopback network without asking for its certificate, so one address serves everywhere.
_SERVE = """
import sys
with run_relay(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), {port}):
    time.sleep(7200)
"""


@dataclass(frozen=True)
class Way:
    """How to reach the servers and the registry: an ssh configuration, and the registry's address."""

    ssh_config: str
    registry: str


@contextlib.contextmanager
def distance(lab: Lab, hosts: Sequence[LabHost], latency_ms: int, folder: Path) -> Iterator[Way]:
    """Give a way of this round-trip time; files go into `folder`."""
    if not latency_ms:
        yield Way(lab.ssh_config, lab.registry.server)
        return
    address, _, port = lab.registry.server.rpartition(":")
    with contextlib.ExitStack() as stack:
        lines = []
        for host in hosts:
            way = stack.enter_context(lab.relay(latency_ms, host))
            lines.append(
                f"Host {host.name}\n  HostName {way.address}\n  Port {way.port}\n  HostKeyAlias {host.address}\n"
            )
            _start_on(host, address, port, latency_ms)
            stack.callback(host.run, "sh", "-c", "kill $(cat /run/registry-relay.pid)")
        stack.enter_context(relay.run_relay(address, int(port), latency_ms, REGISTRY_PORT))
        config = folder / "ssh_config"
        config.write_text("".join(lines) + Path(lab.ssh_config).read_text())
        yield Way(str(config), f"127.0.0.1:{REGISTRY_PORT}")


def _start_on(host: LabHost, address: str, port: str, latency_ms: int) -> None:
    source = Path(relay.__file__).read_text() + _SERVE.format(port=REGISTRY_PORT)
    start = (
        'cat >/run/registry-relay.py; setsid python3 /run/registry-relay.py "$@" >/dev/null 2>&1 &'
        " echo $! >/run/registry-relay.pid"
    )
    answer = host.run("sh", "-c", start, "sh", address, port, str(latency_ms), stdin=source)
    if answer.status:
        raise SystemExit(f"no relay on {host.name}: {answer.err}")
