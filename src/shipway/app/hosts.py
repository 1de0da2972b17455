"""What must be known of a host before anything can be planned for it: where its state is kept, and its programs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath

from shipway.config.model import Config
from shipway.core.action import Command
from shipway.core.errors import Refused
from shipway.core.ports import Request, Result, Transport
from shipway.engine.observe import all_or_unreachable
from shipway.runtimes.docker.delivery import PullFrom
from shipway.runtimes.venv import KeeperFacts, keepers_question, parse_keepers

ROOT_DIRECTORY = "/var/lib/shipway"
"""For whoever logs in as root: state of programs belongs below /var/lib (FHS 3.0, 5.8)."""
HOME_DIRECTORY = ".shipway"
_WHO = Command(("sh", "-c", 'id -u && id -g && printf "%s\\n" "$HOME" && command -v caddy || :'), limit_s=20.0)
_ID = re.compile(r"[0-9]{1,10}")
_PATH = re.compile(r"/[^\0\n]{0,400}")


@dataclass(frozen=True, slots=True)
class HostBasics:
    """`state`: the state directory, an absolute path. `caddy`: the path of the host's own Caddy, "" for none.

    `uid` and `gid` are those of the user that deploys.
    `pull`: where the host gets the image of a new release from; None for what the configuration says.
    `home`: the home directory of the login, "" where it tells none. `is_root`: the login is root's.
    `keepers`: what can keep processes there; asked with `runtime: venv` only.
    """

    state: str
    caddy: str = ""
    uid: int = 0
    gid: int = 0
    pull: PullFrom | None = None
    home: str = ""
    is_root: bool = False
    keepers: KeeperFacts = field(default_factory=KeeperFacts)


async def host_basics(config: Config, transport: Transport, *, everywhere: bool = False) -> dict[str, HostBasics]:
    """Return the basics of each host, the primary first; one exchange per host, all at once.

    `everywhere`: also of hosts that have accessories and no role. Where there are no roles, those are all there are.

    Raises Unreachable, or Refused `host.no_home` where a host tells no home directory and one is needed.
    """
    wanted = config.state_directory or ""
    others = config.hosts if everywhere or not config.app_hosts else ()
    hosts = tuple(dict.fromkeys((*config.app_hosts, *others)))
    more = (keepers_question(wanted),) if config.runtime == "venv" else ()
    found = await all_or_unreachable({host: _ask(host, wanted, transport, more) for host in hosts})
    return {host: found[host] for host in hosts}


async def _ask(host: str, wanted: str, transport: Transport, more: tuple[Command, ...]) -> HostBasics:
    result, *others = await transport.exchange(host, [basics_request(), *(Request(one, "never") for one in more)])
    return parse_basics(host, wanted, result, others)


def basics_request() -> Request:
    """Return the question whose answer `parse_basics` reads."""
    return Request(_WHO, "never")


def parse_basics(host: str, wanted: str, result: Result, others: Sequence[Result] = ()) -> HostBasics:
    """Return what the answer of `host` tells; `wanted` is the state directory as configured, "" for the usual one.

    `others` has the answer about keepers where that was asked. Raises Refused `host.no_home`.
    """
    user, group, home, caddy, *_ = [*result.text.split("\n"), "", "", "", ""]
    home = home if _PATH.fullmatch(home) else ""
    found = partial(
        HostBasics,
        caddy=caddy if _PATH.fullmatch(caddy) else "",
        uid=_number(user),
        gid=_number(group),
        home=home,
        is_root=user == "0",
        keepers=parse_keepers(others[0], home) if others else KeeperFacts(),
    )
    if wanted.startswith("/"):
        return found(wanted)
    if not wanted and user == "0":
        return found(ROOT_DIRECTORY)
    if not result.ok or not home:
        raise Refused(
            "host.no_home",
            f"{host} does not tell a home directory",
            said=result.said,
            next=f"set `state_directory: {ROOT_DIRECTORY}` in the configuration",
        )
    below = wanted.removeprefix("~").lstrip("/") or HOME_DIRECTORY
    return found(str(PurePosixPath(home, below)))


def _number(text: str) -> int:
    return int(text) if _ID.fullmatch(text) else 0
