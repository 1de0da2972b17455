"""The table of transports, by the configuration's word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipway.app.service import Service
from shipway.config.ssh import Ssh
from shipway.core.ports import Transport

if TYPE_CHECKING:
    from shipway.adapters.ssh_settings import SshSettings


def transport_of(service: Service) -> Transport:
    """Return the transport that the configuration names. Nothing is connected yet."""
    if service.config.transport == "local":
        from shipway.adapters.local import local_transport

        return local_transport(service.secrets)
    from shipway.adapters.ssh import ssh_transport

    return ssh_transport(ssh_settings_of(service), service.secrets)


def ssh_settings_of(service: Service) -> SshSettings:
    """Return what the configuration says of SSH connections."""
    from shipway.adapters.ssh_settings import SshSettings

    ssh = service.config.ssh
    return SshSettings(
        user=ssh.user,
        default_user="root" if service.config.runtime == "docker" else None,
        port=int(ssh.port) if ssh.port else None,
        proxy_jump=ssh.jump,
        proxy_command=ssh.proxy_command,
        identity_files=ssh.keys or (),
        key_secrets=ssh.key_data or (),
        keys_only=bool(ssh.keys_only),
        config_files=_config_files(ssh),
        forward_agent=ssh.forward_agent,
    )


def _config_files(ssh: Ssh) -> tuple[str, ...] | None:
    """Return which SSH configuration is read: the user's own (None), none, or these files."""
    match ssh.config:
        case None | True:
            return None
        case False:
            return ()
        case str(path):
            return (path,)
        case paths:
            return paths
