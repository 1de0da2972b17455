"""Where the state of a host is kept, when the configuration does not say it outright."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from shipway.app.service import Service
from shipway.core.action import Command
from shipway.core.errors import Refused
from shipway.core.ports import Request, Transport
from shipway.engine.observe import all_or_unreachable

ROOT_DIRECTORY = "/var/lib/shipway"
"""For whoever logs in as root: state of programs belongs below /var/lib (FHS 3.0, 5.8)."""
HOME_DIRECTORY = ".shipway"
_WHO = Command(("sh", "-c", 'id -u && printf "%s\\n" "$HOME"'), limit_s=20.0)
_HOME = re.compile(r"/[^\0\n]{0,400}")


async def state_roots(service: Service, transport: Transport) -> dict[str, str]:
    """Return the state directory of each host, an absolute path.

    Raises Unreachable, or Refused `host.no_home` where a host does not tell a home directory and one is needed.
    """
    wanted = service.state_directory
    if wanted.startswith("/"):
        return dict.fromkeys(service.hosts, wanted)
    return await all_or_unreachable({host: _ask(host, wanted, transport) for host in service.hosts})


async def _ask(host: str, wanted: str, transport: Transport) -> str:
    (result,) = await transport.exchange(host, [Request(_WHO, "never")])
    user, _, home = result.text.rstrip("\n").partition("\n")
    if not wanted and user == "0":
        return ROOT_DIRECTORY
    if not result.ok or not _HOME.fullmatch(home):
        raise Refused(
            "host.no_home",
            f"{host} does not tell a home directory",
            said=result.said,
            next="set `state_directory: /var/lib/shipway` in the configuration",
        )
    below = wanted.removeprefix("~").lstrip("/") or HOME_DIRECTORY
    return str(PurePosixPath(home, below))
