"""What the configuration says about SSH connections, as options of the OpenSSH client.

Nothing here replaces the user's own configuration: an option is passed only where the project's file says something.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from shipway.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class SshSettings:
    """The keys of `ssh:` in a Kamal file (reference: Kamal's `configuration/ssh`), and our limits.

    `user` and `port`: None leaves them to `~/.ssh/config`. `default_user`: who logs in where neither `user` nor that
    configuration names somebody (None: the client's own choice). `proxy_jump`: a chain of hosts as `ssh -J` takes it.
    `identity_files`: private keys; with `keys_only` no others are offered. `key_secrets`: names of secrets that hold
    private keys. `config_files`: None reads the user's configuration, () reads none, else these files alone.
    `forward_agent`: None leaves it to the configuration. `program`: the client. `backoff_s`: the pauses before the
    second and later attempts to connect. `login_timeout_s`: for what comes after the connection stands (key exchange,
    slow DNS and PAM on the host, its shell).
    """

    user: str | None = None
    default_user: str | None = None
    port: int | None = None
    proxy_jump: str | None = None
    proxy_command: str | None = None
    identity_files: tuple[str, ...] = ()
    key_secrets: tuple[str, ...] = ()
    keys_only: bool = False
    config_files: tuple[str, ...] | None = None
    forward_agent: bool | None = None
    known_hosts_file: str | None = None
    connect_timeout_s: int = 15
    login_timeout_s: float = 20.0
    alive_interval_s: int = 30  # as Kamal
    alive_count: int = 3
    backoff_s: tuple[float, ...] = (1.0, 3.0)
    program: str = "ssh"


@dataclass(frozen=True, slots=True)
class SshFiles:
    """Files that were made for one transport: the configuration to read (None: the user's own) and the keys."""

    config: str | None = None
    keys: tuple[str, ...] = ()


# What a person may have set for a login of their own: a remote command, and ports that only one connection can have.
_PLAIN = ("-o", "RemoteCommand=none", "-o", "ClearAllForwardings=yes")
_STRICT = ("-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes")


def options(settings: SshSettings, files: SshFiles) -> tuple[str, ...]:
    """Return the options for a connection that is not a person's: no questions, no unknown keys."""
    alive = f"ServerAliveInterval={settings.alive_interval_s}"
    limits = ("-o", f"ConnectTimeout={settings.connect_timeout_s}", "-o", alive)
    return (*_STRICT, *_PLAIN, *limits, "-o", f"ServerAliveCountMax={settings.alive_count}", *personal(settings, files))


def personal(settings: SshSettings, files: SshFiles) -> tuple[str, ...]:
    """Return the options that say whose connection it is, and by which way."""
    words = [*_ways_in(settings, files)]
    if settings.user is not None:
        words += ["-l", settings.user]
    if settings.port is not None:
        words += ["-p", str(settings.port)]
    if settings.forward_agent is not None:
        words += ["-o", f"ForwardAgent={'yes' if settings.forward_agent else 'no'}"]
    if settings.proxy_command is not None:
        words += ["-o", f"ProxyCommand={settings.proxy_command}"]
    elif settings.proxy_jump is not None:
        words += ["-o", f"ProxyCommand={_jump(settings, files)}"]
    return tuple(words)


def _ways_in(settings: SshSettings, files: SshFiles) -> tuple[str, ...]:
    words: list[str] = []
    if files.config is not None:
        words += ["-F", files.config]
    for key in (*settings.identity_files, *files.keys):
        words += ["-i", key]
    if settings.keys_only:
        words += ["-o", "IdentitiesOnly=yes"]
    if settings.known_hosts_file is not None:
        words += ["-o", f"UserKnownHostsFile={settings.known_hosts_file}"]
    return tuple(words)


def jump_login(settings: SshSettings, files: SshFiles) -> tuple[str, ...]:
    """Return the options and the name that lead to the last host of `proxy_jump`."""
    # `-J` for all would start the jump with none of our options: it would ask questions, and not use these keys.
    *earlier, last = (settings.proxy_jump or "").split(",")
    through = ("-J", ",".join(earlier)) if earlier else ()
    return (*_ways_in(settings, files), *through, *jump_target(last))


def _jump(settings: SshSettings, files: SshFiles) -> str:
    limit = ("-o", f"ConnectTimeout={settings.connect_timeout_s}")
    words = shlex.join((settings.program, "-v", *_STRICT, *limit))
    login = shlex.join(jump_login(settings, files))
    # `%` is the client's own escape character in a ProxyCommand.
    return f"{words.replace('%', '%%')} -W '[%h]:%p' {login.replace('%', '%%')}"


def jump_target(jump: str) -> tuple[str, ...]:
    """Return the words that name one jump host (`user@host:port`, `ssh://…`) to the client."""
    if jump.startswith("ssh://"):
        return ("--", jump)
    host, colon, port = jump.rpartition(":")
    if colon and port.isdigit() and (":" not in host or host.endswith("]")):
        user, at, name = host.rpartition("@")
        return ("-p", port, "--", f"{user}{at}{name.strip('[]')}")
    return ("--", jump)


def check_host(host: str) -> None:
    """Raise ConfigError `ssh.bad_host` for what the client would take for an option or for more than one word."""
    if not host or host.startswith("-") or any(c.isspace() or not c.isprintable() for c in host):
        raise ConfigError("ssh.bad_host", f"`{host}` is not the name of a host", next="Which host is meant?")
