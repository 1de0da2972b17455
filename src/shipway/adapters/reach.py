"""Names, ports and certificates as this machine sees them; every question has its time."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import subprocess
import threading
from dataclasses import dataclass
from typing import Literal

from shipway.adapters.ssh_settings import SshSettings

LIMIT_S = 4.0
_SSH_LIMIT_S = 5.0
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Looked:
    """What the resolver said: addresses, or `missing`, or `slow`."""

    addresses: tuple[str, ...] = ()
    trouble: Literal["", "missing", "slow"] = ""


async def look_up(name: str) -> Looked:
    """Return the addresses of a name, as the system's resolver tells."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Looked] = loop.create_future()

    def settle(looked: Looked) -> None:
        if not answer.done():
            answer.set_result(looked)

    def ask() -> None:
        looked = _ask(name)
        with contextlib.suppress(RuntimeError):  # nobody waits any more: the loop is closed
            loop.call_soon_threadsafe(settle, looked)

    # A resolver may take half a minute, and nothing ends it: a thread of the loop's own would keep the process so long.
    threading.Thread(target=ask, daemon=True).start()
    try:
        async with asyncio.timeout(LIMIT_S):
            return await answer
    except TimeoutError:
        return Looked(trouble="slow")


def _ask(name: str) -> Looked:
    try:
        rows = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return Looked(trouble="missing")
    return Looked(tuple(dict.fromkeys(str(row[4][0]) for row in rows)))


async def try_port(address: str, port: int) -> Literal["open", "refused", "timeout", "unreachable"]:
    """Return what a TCP connection to a port came to."""
    try:
        async with asyncio.timeout(LIMIT_S):
            _, writer = await asyncio.open_connection(address, port)
    except TimeoutError:
        return "timeout"
    except ConnectionRefusedError:
        return "refused"
    except OSError:
        return "unreachable"
    writer.close()
    return "open"


async def certificate_days(name: str, address: str, port: int, now_s: float) -> tuple[float, str]:
    """Return (days until the certificate of `name` ends, "") or (0, why it is not valid).

    It is asked for at `address`; this machine's authorities judge it. Raises OSError when nothing speaks TLS there.
    """
    context = ssl.create_default_context()
    try:
        async with asyncio.timeout(LIMIT_S):
            _, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=name)
    except ssl.SSLCertVerificationError as error:
        return 0.0, error.verify_message
    found = writer.get_extra_info("peercert") or {}
    writer.close()
    ends = found.get("notAfter")
    return ((ssl.cert_time_to_seconds(str(ends)) - now_s) / _DAY_S, "") if ends else (0.0, "it has no end")


def ssh_address(settings: SshSettings, host: str) -> str:
    """Return the address that the SSH client connects to for `host`; "" where it goes by way of another host."""
    files = settings.config_files
    config = ("-F", files[0]) if files else ("-F", "none") if files == () else ()
    argv = (settings.program, *config, "-G", "--", host)
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=_SSH_LIMIT_S, check=False)
    except (OSError, subprocess.SubprocessError):
        return host
    told = dict(line.partition(" ")[::2] for line in done.stdout.splitlines())
    if settings.proxy_jump or settings.proxy_command or {"proxyjump", "proxycommand"} & told.keys():
        return ""
    return told.get("hostname", host)
