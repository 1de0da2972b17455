"""Automatic HTTPS, with a certificate authority of one's own."""

from __future__ import annotations

import ssl
from pathlib import Path

from shipway.proxies.site import ProxyRoute, ProxySite, Tls
from tests.contract.proxy.authority import authority, issuer, needs_authority
from tests.contract.proxy.rig import do, rig
from tests.contract.proxy.sites import ONLY_CADDY

pytestmark = needs_authority


@ONLY_CADDY
def test_a_certificate_is_had_from_the_authority(form: str) -> None:
    with rig(form) as host:
        ports = (host.http_port, host.https_port)
        with authority(Path(host.root), host.client, "127.0.0.1", ports) as made:
            root = f"{host.layout('shop').certificate('acme-root')}.pem"
            tls = Tls("auto", email="ops@shop.test", ca=made.directory, ca_root=root)
            proxy = host.caddy(ProxySite("shop", (ProxyRoute("web", ("shop.test",), tls=tls),), ca_root=made.root))
            do(proxy.host_steps())
            do(proxy.switch_steps("web", host.start("shop", "r1"), ""))
            assert host.get_tls("/", host="shop.test").json["headers"]["X-Forwarded-Proto"] == "https"
            context = ssl._create_unverified_context()  # noqa: S323
            with host.handshake(context, "shop.test") as connection:
                assert "Pebble" in issuer(connection.getpeercert(binary_form=True) or b"")
            assert host.get("/a").status == 301
