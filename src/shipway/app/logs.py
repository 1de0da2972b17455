"""The logs of the units that run, one after the other or followed side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from shipway.app.call import Caller, Choice
from shipway.app.context import Context, open_context
from shipway.core.action import Command
from shipway.core.errors import Refused, UsageError
from shipway.core.ports import Request
from shipway.core.unit import Unit
from shipway.planning.ready import check_ready
from shipway.runtimes.base import LogsAsked

_LINE_BYTES = 65_536
"""A line longer than this is handed on in pieces: a process that never ends a line must not fill the memory."""

# The first parameter is a command as `Command.shell` writes it. Nothing found is no failure.
GREP_SCRIPT = 'c=$1; shift; eval "$c" 2>&1 | { grep "$@"; s=$?; [ "$s" -le 1 ] || exit "$s"; }'


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of one unit. `label` is `host role` where several units are read, "" otherwise."""

    host: str
    role: str
    release: str
    text: str
    label: str = ""


Write = Callable[[LogLine], None]


@dataclass(frozen=True, slots=True)
class Grep:
    """Only lines that have `pattern`, found on the host by grep(1) with further `options`; "": all lines."""

    pattern: str = ""
    options: tuple[str, ...] = ()


async def logs(choice: Choice, caller: Caller, write: Write, asked: LogsAsked, grep: Grep | None = None) -> None:
    """Give what is `asked` of the log of each chosen unit that runs to `write`, and go on where it follows.

    Raises Refused when no chosen unit runs, UsageError for what its runtime cannot tell.
    """
    async with open_context(choice, caller) as context:
        units = await _running(context)
        if asked.container:
            units = tuple({unit.host: unit for unit in reversed(units)}.values())
        labels, commands = _labels(units), [_command(context, unit, asked, grep or Grep()) for unit in units]
        parts = list(zip(units, commands, labels, strict=True))
        if not asked.follows:
            for unit, command, label in parts:
                await _once(context, unit, command, _writer(unit, label, write))
            return
        try:
            async with asyncio.TaskGroup() as group:
                for unit, command, label in parts:
                    group.create_task(_follow(context, unit, command, _writer(unit, label, write)))
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


def _command(context: Context, unit: Unit, asked: LogsAsked, grep: Grep) -> Command:
    try:
        command = context.site.target(unit.host).runtime.log_command(unit, asked)
    except ValueError as error:
        raise UsageError("logs.not_told", str(error), next="`shipway logs -n 1000 --grep TEXT`") from error
    if not grep.pattern:
        return command
    options = ("--line-buffered", *grep.options) if asked.follows else grep.options
    return replace(command, argv=("sh", "-c", GREP_SCRIPT, "sh", command.shell(), *options, "-e", grep.pattern))


async def _once(context: Context, unit: Unit, command: Command, write: Callable[[str], None]) -> None:
    (result,) = await context.transport.exchange(unit.host, [Request(command, "never")])
    for line in result.text.splitlines():
        write(line)
    if not result.ok:
        raise Refused("logs.unreadable", f"could not read the log of {unit.name} on {unit.host}", said=result.said)


async def _follow(context: Context, unit: Unit, command: Command, write: Callable[[str], None]) -> None:
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
