"""The logs of the units that run, one after the other or followed side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace

from shipway.app.call import Caller, Choice
from shipway.app.context import Context, open_context
from shipway.core.action import Command
from shipway.core.errors import Refused, UsageError
from shipway.core.logs import LogsAsked
from shipway.core.ports import Request
from shipway.core.unit import Unit
from shipway.planning.ready import check_ready

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


@dataclass(frozen=True, slots=True)
class Source:
    """One log: where it is, whose it is, and the command that prints it. `name` stands in messages."""

    host: str
    role: str
    release: str
    name: str
    command: Command


async def logs(choice: Choice, caller: Caller, write: Write, asked: LogsAsked, grep: Grep | None = None) -> None:
    """Give what is `asked` of the log of each chosen unit that runs to `write`, and go on where it follows.

    Raises Refused when no chosen unit runs, UsageError for what its runtime cannot tell.
    """
    async with open_context(choice, caller) as context:
        units = await _running(context)
        if asked.container:
            units = tuple({unit.host: unit for unit in reversed(units)}.values())
        with _told_as_usage():
            found = [
                Source(u.host, u.role, u.release, u.name, context.site.target(u.host).runtime.log_command(u, asked))
                for u in units
            ]
        await _show(context, found, write, asked, grep or Grep())


async def proxy_logs(choice: Choice, caller: Caller, write: Write, asked: LogsAsked, grep: Grep | None = None) -> None:
    """Give what is `asked` of the log of the proxy of each chosen host to `write`.

    Raises Refused where no chosen host has one, UsageError for what it cannot tell.
    """
    async with open_context(choice, caller) as context:
        targets = [target for target in context.site.targets if target.host in context.chosen_hosts()]
        with _told_as_usage():
            found = [
                Source(target.host, "proxy", "", "the proxy", target.proxy.log_command(asked))
                for target in targets
                if target.proxy is not None
            ]
        if not found:
            raise Refused("proxy.none", "no chosen host has a proxy", next="`shipway config` shows `proxied` roles")
        await _show(context, found, write, asked, grep or Grep())


async def _show(context: Context, found: Sequence[Source], write: Write, asked: LogsAsked, grep: Grep) -> None:
    parts = [(_searched(one, grep, asked), label) for one, label in zip(found, _labels(found), strict=True)]
    if not asked.follows:
        for source, label in parts:
            await _once(context, source, _writer(source, label, write))
        return
    try:
        async with asyncio.TaskGroup() as group:
            for source, label in parts:
                group.create_task(_follow(context, source, _writer(source, label, write)))
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


def _labels(found: Sequence[Source]) -> list[str]:
    if len(found) == 1:
        return [""]
    names = [f"{one.host} {one.role} {one.release}".rstrip() for one in found]
    width = max(map(len, names))
    return [name.ljust(width) for name in names]


def _writer(source: Source, label: str, write: Write) -> Callable[[str], None]:
    return lambda text: write(LogLine(source.host, source.role, source.release, text, label))


@contextmanager
def _told_as_usage() -> Iterator[None]:
    """Tell a person, as a mistake of theirs, what a log cannot be asked."""
    try:
        yield
    except ValueError as error:
        raise UsageError("logs.not_told", str(error), next="`shipway logs -n 1000 --grep TEXT`") from error


def _searched(source: Source, grep: Grep, asked: LogsAsked) -> Source:
    if not grep.pattern:
        return source
    options = ("--line-buffered", *grep.options) if asked.follows else grep.options
    words = ("sh", "-c", GREP_SCRIPT, "sh", source.command.shell(), *options, "-e", grep.pattern)
    return replace(source, command=replace(source.command, argv=words))


async def _once(context: Context, source: Source, write: Callable[[str], None]) -> None:
    (result,) = await context.transport.exchange(source.host, [Request(source.command, "never")])
    for line in result.text.splitlines():
        write(line)
    if not result.ok:
        what = f"could not read the log of {source.name} on {source.host}"
        raise Refused("logs.unreadable", what, said=result.said)


async def _follow(context: Context, source: Source, write: Callable[[str], None]) -> None:
    rest = b""
    async with aclosing(context.transport.stream(source.host, source.command)) as pieces:  # closing ends the command
        async for piece in pieces:
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                write(line.decode("utf-8", "replace"))
            if len(rest) > _LINE_BYTES:
                write(rest.decode("utf-8", "replace"))
                rest = b""
    if rest:
        write(rest.decode("utf-8", "replace"))
