"""A certificate authority of one's own: Let's Encrypt's test server, pebble."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.absent import IS_CI
from tests.contract.proxy.rig import LIMIT_S, free_port

needs_authority = pytest.mark.skipif(
    not IS_CI and not (shutil.which("pebble") and shutil.which("pebble-challtestsrv") and shutil.which("openssl")),
    reason="needs pebble and openssl (on Debian: apt-get install pebble openssl)",
)


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority: the address of its ACME directory, and the certificate that it is trusted by."""

    directory: str
    root: str


@contextlib.contextmanager
def authority(folder: Path, at: str, leads_to: str, ports: tuple[int, int]) -> Iterator[Authority]:
    """Yield an authority, reached at `at`, for which every name in the world leads to `leads_to`.

    `ports` are those of HTTP and HTTPS there. Its files are in `folder`.
    """
    port, dns = free_port(), free_port()
    certificate, key = folder / "authority.pem", folder / "authority.key"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=authority"]
    words += ["-addext", f"subjectAltName=IP:{at}", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(words, check=True, capture_output=True)
    settings = {
        "listenAddress": f"0.0.0.0:{port}",
        "managementListenAddress": f"127.0.0.1:{free_port()}",
        "certificate": str(certificate),
        "privateKey": str(key),
        "httpPort": ports[0],
        "tlsPort": ports[1],
        "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
    }
    config = folder / "authority.json"
    config.write_text(json.dumps({"pebble": settings}))
    names = ["pebble-challtestsrv", "-dns01", f"127.0.0.1:{dns}", "-management", f"127.0.0.1:{free_port()}"]
    names += ["-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv4", leads_to, "-defaultIPv6", ""]
    asks = ["pebble", "-config", str(config), "-dnsserver", f"127.0.0.1:{dns}"]
    environ = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
    with contextlib.ExitStack() as stack:
        for command in (names, asks):
            process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(process.wait, LIMIT_S)
            stack.callback(process.terminate)
        wait_for(port)
        yield Authority(f"https://{at}:{port}/dir", certificate.read_text())


def wait_for(port: int) -> None:
    """Return when somebody listens."""
    until = time.monotonic() + LIMIT_S
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError("the certificate authority did not come up")


def issuer(der: bytes) -> str:
    """Return who made a certificate (DER)."""
    words = ["openssl", "x509", "-inform", "der", "-noout", "-issuer"]
    return subprocess.run(words, input=der, capture_output=True, check=True).stdout.decode()
