"""`ssh` and `sshkit`: how hosts are reached."""

from __future__ import annotations

from dataclasses import dataclass

from shipway.config.keys import ListOf, OneOf, key
from shipway.config.kinds import Boolean, Integer, Text
from shipway.config.report import Report
from shipway.config.tree import Path

_LEVELS = ("debug", "info", "warn", "error", "fatal")
_MAX_PORT = 65_535
_DEFAULT_PORT = 22


def _check_port(text: str) -> str:
    return "" if text.isascii() and text.isdigit() and 0 < int(text) <= _MAX_PORT else "should be a port number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ssh:
    """How hosts are reached by SSH. What is not set here comes from the user's own SSH configuration."""

    user: str | None = key(
        Text(),
        "The user to log in as.",
        default="whom your SSH configuration names for the host; else root, with `runtime: venv` as `ssh` decides",
    )
    port: str | None = key(Text(check=_check_port), "The port of the SSH server.", default="as `ssh` itself decides")
    proxy: str | None = key(Text(), "A jump host: `user@host` (`root@` where no user is given).")
    proxy_command: str | None = key(Text(), "A command that connects, instead of a jump host.")
    log_level: str | None = key(Text(choices=_LEVELS), "How much the SSH client tells.", default="fatal")
    keys_only: bool | None = key(Boolean(), "Whether to use only the keys named here, and no agent.")
    keys: tuple[str, ...] | None = key(ListOf(Text()), "Files with private keys.")
    key_data: tuple[str, ...] | None = key(ListOf(Text()), "Names of secrets that hold private keys.")
    config: bool | str | tuple[str, ...] | None = key(
        OneOf((Boolean(), Text(), ListOf(Text()))),
        "Whether to read the SSH configuration, or which files.",
        default="true",
    )
    forward_agent: bool | None = key(Boolean(), "Whether the agent is forwarded to hosts.")

    @property
    def port_number(self) -> int:
        """The port of the SSH server."""
        return int(self.port or _DEFAULT_PORT)

    def secrets(self) -> tuple[str, ...]:
        """Return the names of the secrets with private keys; a key that stands in the file itself has none."""
        return tuple(name for name in self.key_data or () if "-----BEGIN" not in name)

    @property
    def jump(self) -> str | None:
        """The jump host with its user."""
        return self.proxy if self.proxy is None or "@" in self.proxy else f"root@{self.proxy}"


def check_ssh(ssh: Ssh, path: Path, report: Report) -> None:
    """Report two ways to connect at once."""
    if ssh.proxy and ssh.proxy_command:
        report.add("conflict", path, "`proxy_command` is ignored beside `proxy`", next="keep one of the two")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sshkit:
    """Limits for many connections."""

    max_concurrent_starts: int | None = key(Integer(least=1), "Connections opened at once.", default="30")
    pool_idle_timeout: int | None = key(
        Integer(least=0, unit="s"), "Seconds after which an idle connection closes.", default="900"
    )
    dns_retries: int | None = key(Integer(least=0), "How often a name is looked up again.", default="3")
