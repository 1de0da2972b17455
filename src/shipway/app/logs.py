"""The logs of the units that run, one after the other or followed side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from shipway.app.call import Caller, Choice
from shipway.app.context import Context, open_context
from shipway.core.errors import Refused
from shipway.core.ports import Request
from shipway.core.unit import Unit
from shipway.planning.ready import check_ready

_LINE_BYTES = 65_536
"""A line longer than this is handed on in pieces: a process that never ends a line must not fill the memory."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of one unit. `label` is `host role` where several units are read, "" otherwise."""

    host: str
    role: str
    release: str
    text: str
    label: str = ""


Write = Callable[[LogLine], None]


async def logs(choice: Choice, caller: Caller, write: Write, *, lines: int, follow: bool) -> None:
    """Give the last `lines` lines of each chosen unit that runs to `write`, and go on with `follow`.

    Raises Refused when no chosen unit runs.
    """
    async with open_context(choice, caller) as context:
        units = await _running(context)
        labels = _labels(units)
        if not follow:
            for unit, label in zip(units, labels, strict=True):
                await _once(context, unit, lines, _writer(unit, label, write))
            return
        try:
            async with asyncio.TaskGroup() as group:
                for unit, label in zip(units, labels, strict=True):
                    group.create_task(_follow(context, unit, lines, _writer(unit, label, write)))
        except ExceptionGroup as failed:  # the others were ended with the first
            raise failed.exceptions[0] from None


async def _running(context: Context) -> tuple[Unit, ...]:
    facts = await context.observe()
    check_ready(facts)
    hosts, roles = context.chosen_hosts(), context.chosen_roles()
    units = tuple(
        context.site.unit(role, host.host, release)
        for host in facts.hosts
        for role, release in sorted(host.running)
        if host.host in hosts and role in roles
    )
    if units:
        return units
    raise Refused(
        "logs.nothing_runs",
        "none of the chosen processes runs",
        where=f"hosts {', '.join(hosts)}; roles {', '.join(roles)}",
        next=f"`shipway status{context.choice.options}`",
    )


def _labels(units: Sequence[Unit]) -> list[str]:
    if len(units) == 1:
        return [""]
    names = [f"{unit.host} {unit.role} {unit.release}" for unit in units]
    width = max(map(len, names))
    return [name.ljust(width) for name in names]


def _writer(unit: Unit, label: str, write: Write) -> Callable[[str], None]:
    return lambda text: write(LogLine(unit.host, unit.role, unit.release, text, label))


async def _once(context: Context, unit: Unit, lines: int, write: Callable[[str], None]) -> None:
    command = context.site.target(unit.host).runtime.log_command(unit, lines=lines, follow=False)
    (result,) = await context.transport.exchange(unit.host, [Request(command, "never")])
    for line in result.text.splitlines():
        write(line)
    if not result.ok:
        raise Refused("logs.unreadable", f"could not read the log of {unit.name} on {unit.host}", said=result.said)


async def _follow(context: Context, unit: Unit, lines: int, write: Callable[[str], None]) -> None:
    command = context.site.target(unit.host).runtime.log_command(unit, lines=lines, follow=True)
    rest = b""
    async with aclosing(context.transport.stream(unit.host, command)) as pieces:  # closing ends the command
        async for piece in pieces:
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                write(line.decode("utf-8", "replace"))
            if len(rest) > _LINE_BYTES:
                write(rest.decode("utf-8", "replace"))
                rest = b""
    if rest:
        write(rest.decode("utf-8", "replace"))
