"""A command inside the release that serves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shipway.app.answers import Ran
from shipway.app.call import Caller, Choice
from shipway.app.context import Context, open_context
from shipway.core.action import Command
from shipway.core.errors import Refused
from shipway.core.ports import Output, Request
from shipway.core.unit import Unit
from shipway.planning.history import base_release, version_of
from shipway.planning.ready import check_ready

_LIMIT_S = 24 * 3600.0
"""A person or a scheduler watches such a command; the limit is for the one that everybody forgot."""


async def execute(
    choice: Choice, caller: Caller, words: Sequence[str], *, is_manage: bool, output: Output | None
) -> tuple[Ran, ...]:
    """Run `words` on the first host of the role, or on each host that `choice` names, and return what they answered.

    `output` gets pieces as they come. Raises Refused when nothing serves.
    """
    async with open_context(choice, caller) as context:
        found = []
        for unit in await _units(context, is_everywhere=bool(choice.hosts)):
            command = _command(context, unit, words, is_manage=is_manage)
            (result,) = await context.transport.exchange(unit.host, [Request(command, "never")], output=output)
            stderr = result.stderr.decode("utf-8", "replace")
            about = (unit.host, unit.role, unit.release)
            found.append(Ran(*about, result.status, result.text, stderr, is_cut=result.truncated))
        return tuple(found)


async def interact(choice: Choice, caller: Caller, words: Sequence[str], *, is_manage: bool) -> int:
    """Run `words` with this terminal attached; return the exit status. Raises Refused when nothing serves."""
    async with open_context(choice, caller) as context:
        unit = (await _units(context, is_everywhere=False))[0]
        return await context.transport.interactive(unit.host, _command(context, unit, words, is_manage=is_manage))


def _command(context: Context, unit: Unit, words: Sequence[str], *, is_manage: bool) -> Command:
    argv = ("python", context.site.manage, *words) if is_manage else tuple(words)
    return replace(context.site.target(unit.host).runtime.one_off(unit, argv), limit_s=_LIMIT_S)


async def _units(context: Context, *, is_everywhere: bool) -> tuple[Unit, ...]:
    """Return a unit of the serving release per host, of the first chosen role that the host has."""
    facts = await context.observe()
    check_ready(facts)
    release = base_release(context.site, facts)
    if not release:
        raise Refused(
            "exec.nothing_serves",
            f"no release of {context.site.service} serves, so there is nothing to run a command in",
            next=f"`shipway deploy{context.choice.options}`",
        )
    version = version_of(release, facts.primary.records)
    hosts, roles = context.chosen_hosts(), context.chosen_roles()
    by_host: dict[str, Unit] = {}
    for unit in context.site.units(release, version):
        if unit.host in hosts and unit.role in roles:
            by_host.setdefault(unit.host, unit)
    if not by_host:
        raise Refused(
            "exec.no_unit",
            "none of the chosen roles runs on any of the chosen hosts",
            where=f"hosts {', '.join(hosts)}; roles {', '.join(roles)}",
            next=f"`shipway status{context.choice.options}`",
        )
    units = tuple(by_host[host] for host in hosts if host in by_host)
    return units if is_everywhere else units[:1]
