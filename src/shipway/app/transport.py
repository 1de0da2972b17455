"""The table of transports, by the configuration's word."""

from __future__ import annotations

from shipway.adapters.local import local_transport
from shipway.app.service import Service
from shipway.core.ports import Transport


def transport_of(service: Service) -> Transport:
    """Return the transport that the configuration names. Nothing is connected yet."""
    if service.transport == "local":
        return local_transport(service.secrets)
    from shipway.adapters.ssh import ssh_transport

    return ssh_transport(service.secrets)
