"""A command in an accessory, and its logs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from shipway.app.accessory import open_accessories
from shipway.app.answers import Ran
from shipway.app.call import Caller, Choice
from shipway.app.context import Context
from shipway.core.action import Command
from shipway.core.errors import Refused
from shipway.core.ports import Request
from shipway.planning.accessories import AccessoryTarget
from shipway.runtimes.docker.accessory import AccessorySpec, one_off_argv

_LIMIT_S = 24 * 3600.0
_LINE_BYTES = 65_536
LOG_SCRIPT = (  # $1 the container, $2 a pattern for grep ("": all lines), then the options of `docker logs`
    'c=$1 pattern=$2; shift 2; if [ "$pattern" ]; then docker logs "$@" -- "$c" 2>&1 | grep -e "$pattern";'
    ' else exec docker logs "$@" -- "$c" 2>&1; fi'
)


@dataclass(frozen=True, slots=True)
class LogWish:
    """Which lines of a log are wanted. `since` is what `docker logs --since` takes, `grep` a pattern of grep."""

    lines: int | None = 100
    since: str = ""
    grep: str = ""
    follow: bool = False
    timestamps: bool = False


async def run_in_accessory(
    choice: Choice, caller: Caller, name: str, words: Sequence[str], *, reuse: bool
) -> tuple[Ran, ...]:
    """Run `words` in the accessory on each chosen host: in its container (`reuse`), or in a new one of its image."""
    async with open_accessories(choice, caller, name) as context:
        found = []
        for target in context.watched:
            command = _command(target.spec, words, reuse=reuse, is_terminal=False)
            (result,) = await context.transport.exchange(target.spec.host, [Request(command, "never")])
            stderr = result.stderr.decode("utf-8", "replace")
            about = (target.spec.host, name, "")
            found.append(Ran(*about, result.status, result.text, stderr, is_cut=result.truncated))
        return tuple(found)


async def interact_in_accessory(choice: Choice, caller: Caller, name: str, words: Sequence[str], *, reuse: bool) -> int:
    """Run `words` with this terminal attached, on the first host; return the exit status."""
    async with open_accessories(choice, caller, name) as context:
        spec = context.watched[0].spec
        return await context.transport.interactive(spec.host, _command(spec, words, reuse=reuse, is_terminal=True))


def _command(spec: AccessorySpec, words: Sequence[str], *, reuse: bool, is_terminal: bool) -> Command:
    if reuse:
        tty = ("--tty",) if is_terminal else ()
        return Command(("docker", "exec", "--interactive", *tty, "--", spec.container, *words), limit_s=_LIMIT_S)
    return Command(one_off_argv(spec, tuple(words)), limit_s=_LIMIT_S)


async def accessory_logs(
    choice: Choice, caller: Caller, name: str, wish: LogWish, write: Callable[[str, str], None]
) -> None:
    """Give the log lines of the accessory to `write` with their host, and go on where they are followed."""
    async with open_accessories(choice, caller, name) as context:
        if not wish.follow:
            for target in context.watched:
                await _once(context, target, wish, write)
            return
        async with asyncio.TaskGroup() as group:
            for target in context.watched:
                group.create_task(_follow(context, target, wish, write))


def _log_command(spec: AccessorySpec, wish: LogWish) -> Command:
    options = [
        *(() if wish.lines is None else ("--tail", str(wish.lines))),
        *(("--since", wish.since) if wish.since else ()),
        *(("--follow",) if wish.follow else ()),
        *(("--timestamps",) if wish.timestamps else ()),
    ]
    return Command(("sh", "-c", LOG_SCRIPT, "sh", spec.container, wish.grep, *options))


async def _once(context: Context, target: AccessoryTarget, wish: LogWish, write: Callable[[str, str], None]) -> None:
    spec = target.spec
    (result,) = await context.transport.exchange(spec.host, [Request(_log_command(spec, wish), "never")])
    if not result.ok and not (wish.grep and result.status == 1):
        raise Refused("logs.unreadable", f"could not read the log of {spec.container} on {spec.host}", said=result.said)
    for line in result.text.splitlines():
        write(spec.host, line)


async def _follow(context: Context, target: AccessoryTarget, wish: LogWish, write: Callable[[str, str], None]) -> None:
    spec, rest = target.spec, b""
    async with aclosing(context.transport.stream(spec.host, _log_command(spec, wish))) as pieces:
        async for piece in pieces:
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                write(spec.host, line.decode("utf-8", "replace"))
            if len(rest) > _LINE_BYTES:
                write(spec.host, rest.decode("utf-8", "replace"))
                rest = b""
    if rest:
        write(spec.host, rest.decode("utf-8", "replace"))
