"""A command on the hosts themselves."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from shipway.app.answers import Ran
from shipway.app.call import Choice
from shipway.app.select import select
from shipway.app.service import load_service
from shipway.app.transport import transport_of
from shipway.core.action import Command
from shipway.core.ports import Request
from shipway.engine.observe import all_or_unreachable

_LIMIT_S = 24 * 3600.0


async def server_exec(choice: Choice, words: Sequence[str]) -> tuple[Ran, ...]:
    """Run `words` on each chosen host, all at once, and return what they answered. Raises Unreachable.

    One word is a line of shell, as with Kamal; several are a program and its arguments.
    """
    service = load_service(choice)
    hosts = select(choice.hosts, service.config.hosts, "host")
    transport = transport_of(service)
    try:

        async def ask(host: str) -> Ran:
            (result,) = await transport.exchange(host, [Request(_command(words), "never")])
            stderr = result.stderr.decode("utf-8", "replace")
            return Ran(host, "", "", result.status, result.text, stderr, is_cut=result.truncated)

        found = await all_or_unreachable({host: ask(host) for host in hosts})
        return tuple(found[host] for host in hosts)
    finally:
        await transport.close()


async def server_interact(choice: Choice, words: Sequence[str]) -> int:
    """Run `words` on the first chosen host with this terminal attached; return the exit status."""
    service = load_service(choice)
    host = select(choice.hosts, service.config.hosts, "host")[0]
    transport = transport_of(service)
    try:
        return await transport.interactive(host, _command(words))
    finally:
        await transport.close()


def _command(words: Sequence[str]) -> Command:
    line = words[0] if len(words) == 1 else shlex.join(words)
    return Command(("sh", "-c", line), limit_s=_LIMIT_S)
