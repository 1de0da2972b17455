"""Unit files of systemd. What stands in one is said in docs/reference/systemd.md."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Scope = Literal["system", "user"]
"""Whose manager keeps a unit: the one of the machine, or that of one user."""

RESTART_S = 1
# A program that ends at once is tried for about an hour, so that a database that is away for as long is survived.
START_LIMIT_S, START_LIMIT = 7200, 2400
START_TIMEOUT_S = 300  # for a server that tells when it has started: it may have to import a large project first
KILL_MARGIN_S = 2  # after the unit's own time

# Order only: what is not on the host is passed over.
_AFTER = "network-online.target docker.service postgresql.service mariadb.service mysql.service redis-server.service"
# Nothing here changes what a Django project may read, write below its own directories, send, fork or listen to. Left
# out since it breaks projects: PrivateTmp (web and worker hand files to each other in /tmp), ProtectHome (~/.shipway),
# PrivateDevices and ProtectClock (GPUs), RestrictNamespaces (browsers that print), MemoryDenyWriteExecute (JITs),
# RestrictSUIDSGID (FILE_UPLOAD_DIRECTORY_PERMISSIONS with the setgid bit).
_OF_ALL = ("NoNewPrivileges=yes", "LockPersonality=yes", "RestrictRealtime=yes")
_TAKEN = (
    "CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_MODULE CAP_SYS_PTRACE CAP_SYS_RAWIO CAP_SYS_TIME CAP_SYSLOG CAP_NET_ADMIN"
    " CAP_MAC_ADMIN CAP_MAC_OVERRIDE"
)
_OF_SYSTEM = (  # a manager of a user cannot do these (systemd.exec(5), Sandboxing)
    "ProtectSystem=full",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    f"CapabilityBoundingSet=~{_TAKEN}",
)
_LOW_PORTS = "AmbientCapabilities=CAP_NET_BIND_SERVICE"


@dataclass(frozen=True, slots=True)
class UnitText:
    """What one unit runs, and how it is ended. `root` is the state directory that it belongs to.

    `user` runs it, in the scope `system`. `notifies`: it tells systemd when it has started. `low_ports`: it listens to
    ports below 1024.
    """

    title: str
    argv: tuple[str, ...]
    root: str
    scope: Scope
    user: str
    stop_signal: str = "TERM"
    stop_s: float = 30.0
    notifies: bool = False
    low_ports: bool = False
    directory: str = "/"
    env: tuple[tuple[str, str], ...] = ()


def mark(root: str) -> str:
    """Return the first line of every unit file of a state directory, by which it is known again."""
    return f"# Written by Shipway, for {_plain(root)}"


def unit_text(unit: UnitText) -> str:
    """Return the unit file. Raises ValueError for a control character in a word."""
    is_system = unit.scope == "system"
    install = "multi-user.target" if is_system else "default.target"
    lines = [
        mark(unit.root),
        "[Unit]",
        f"Description={_escaped(unit.title)}",
        *([f"After={_AFTER}", "Wants=network-online.target"] if is_system else []),
        f"StartLimitIntervalSec={START_LIMIT_S}",
        f"StartLimitBurst={START_LIMIT}",
        "",
        "[Service]",
        *(
            ("Type=notify", "NotifyAccess=all", f"TimeoutStartSec={START_TIMEOUT_S}")
            if unit.notifies
            else ("Type=exec",)
        ),
        *([f"User={_escaped(unit.user)}"] if is_system else []),
        f"SyslogIdentifier={_escaped(unit.title.partition(' ')[0])}",
        f"WorkingDirectory={_escaped(unit.directory)}",
        *(f"Environment={_quoted(f'{name}={value}')}" for name, value in unit.env),
        f"ExecStart={' '.join(_quoted(word).replace('$', '$$') for word in unit.argv)}",
        "Restart=always",
        f"RestartSec={RESTART_S}",
        "KillMode=mixed",
        f"KillSignal=SIG{_plain(unit.stop_signal)}",
        f"TimeoutStopSec={int(unit.stop_s) + KILL_MARGIN_S}",
        # A web process that is killed for its memory is replaced by its server: the others go on.
        "OOMPolicy=continue",
        "UMask=0022",
        "LimitNOFILE=65536",
        *_hardening(unit),
        "",
        "[Install]",
        f"WantedBy={install}",
    ]
    return "\n".join(lines) + "\n"


def _hardening(unit: UnitText) -> Iterable[str]:
    yield from _OF_ALL
    if unit.scope != "system":
        return
    yield from _OF_SYSTEM
    yield f"ReadWritePaths={_quoted(unit.root)}"
    if unit.low_ports:
        yield _LOW_PORTS


def _quoted(word: str) -> str:
    """Return one word as systemd.syntax(7) reads it."""
    return '"' + _escaped(word).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _escaped(text: str) -> str:
    return _plain(text).replace("%", "%%")


def _plain(text: str) -> str:
    if not text.isprintable():
        raise ValueError(f"control characters cannot be in a unit file: {text!r}")
    return text
