"""Automatic HTTPS, with a certificate authority of one's own: Let's Encrypt's test server, pebble."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from shipway.proxies.site import ProxyRoute, ProxySite, Tls
from tests.contract.proxy.rig import LIMIT_S, Rig, do, free_port, rig
from tests.contract.proxy.sites import ONLY_CADDY

pytestmark = pytest.mark.skipif(
    not (shutil.which("pebble") and shutil.which("pebble-challtestsrv") and shutil.which("openssl")),
    reason="needs pebble and openssl (on Debian: apt-get install pebble openssl)",
)


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority: the address of its ACME directory, and the certificate that it is trusted by."""

    directory: str
    root: str


@contextlib.contextmanager
def authority(host: Rig) -> Iterator[Authority]:
    """Yield an authority that asks the proxy of `host` for every name in the world."""
    folder, at, port, dns = pathlib.Path(host.root), host.client, free_port(), free_port()
    certificate, key = folder / "authority.pem", folder / "authority.key"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=authority"]
    words += ["-addext", f"subjectAltName=IP:{at}", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(words, check=True, capture_output=True)
    settings = {
        "listenAddress": f"0.0.0.0:{port}",
        "managementListenAddress": f"127.0.0.1:{free_port()}",
        "certificate": str(certificate),
        "privateKey": str(key),
        "httpPort": host.http_port,
        "tlsPort": host.https_port,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
    }
    config = folder / "authority.json"
    config.write_text(json.dumps({"pebble": settings}))
    names = ["pebble-challtestsrv", "-dns01", f"127.0.0.1:{dns}", "-management", f"127.0.0.1:{free_port()}"]
    names += ["-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""]
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


def issuer(host: Rig, name: str) -> str:
    """Return who made the certificate that the proxy shows for a name."""
    context = ssl._create_unverified_context()  # noqa: S323
    with host.handshake(context, name) as connection:
        der = connection.getpeercert(binary_form=True) or b""
    words = ["openssl", "x509", "-inform", "der", "-noout", "-issuer"]
    return subprocess.run(words, input=der, capture_output=True, check=True).stdout.decode()


@ONLY_CADDY
def test_a_certificate_is_had_from_the_authority(form: str) -> None:
    with rig(form) as host, authority(host) as made:
        root = f"{host.layout('shop').certificate('acme-root')}.pem"
        tls = Tls("auto", email="ops@shop.test", ca=made.directory, ca_root=root)
        proxy = host.caddy(ProxySite("shop", (ProxyRoute("web", ("shop.test",), tls=tls),), ca_root=made.root))
        do(proxy.host_steps())
        do(proxy.switch_steps("web", host.start("shop", "r1"), ""))
        assert host.get_tls("/", host="shop.test").json["headers"]["X-Forwarded-Proto"] == "https"
        assert "Pebble" in issuer(host, "shop.test")
        assert host.get("/a").status == 301
