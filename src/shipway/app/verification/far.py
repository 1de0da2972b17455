"""How the proxy of each host is reached: from this machine, or else from the host itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from shipway.adapters.fetch import Fetcher
from shipway.adapters.reach import ssh_address, try_port
from shipway.app.context import Context
from shipway.app.transport import ssh_settings_of
from shipway.config.model import Config

_LOOPBACK = "127.0.0.1"
_ANY = ("0.0.0.0", "::", "")  # noqa: S104  addresses that a proxy may be told to listen on


async def fetchers_of(context: Context, hosts: Sequence[str]) -> dict[str, Fetcher]:
    """Return what asks the proxy of each host.

    A host behind another one, or behind a firewall that lets in the load balancer alone, is asked from itself: that
    proves the proxy and the release, and what stands in front of them is not for a deploy to judge.
    """
    found = await asyncio.gather(*(_fetcher(context, host) for host in hosts))
    return dict(zip(hosts, found, strict=True))


async def _fetcher(context: Context, host: str) -> Fetcher:
    service, config = context.service, context.service.config
    inside = _inside(config, host)
    if config.transport == "local":
        return Fetcher(host, inside, inside, context.transport)
    address = await asyncio.to_thread(ssh_address, ssh_settings_of(service), host)
    # SSH to a port of this machine (a virtual machine, a relay) leads elsewhere than its port 80 does.
    is_elsewhere = not address or address == "localhost" or address.startswith(("127.", "::1"))
    said = "unreachable" if is_elsewhere else await try_port(address, _port(config, host))
    return Fetcher(host, address, inside, context.transport, is_far=said != "open")


def _port(config: Config, host: str) -> int:
    run = config.proxy_run(host)
    is_tls = any(role.proxy is not None and role.proxy.is_tls for role in config.roles_on(host))
    port = (run.https_port if is_tls else run.http_port) if run else None
    return port or (443 if is_tls else 80)


def _inside(config: Config, host: str) -> str:
    """Return where the host itself reaches its proxy."""
    run = config.proxy_run(host)
    bound = [ip.strip("[]") for ip in (run.bind_ips if run else None) or ()]
    return next((ip for ip in bound if ip not in _ANY), _LOOPBACK)
