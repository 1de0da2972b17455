"""A command inside the release that serves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shipway.app.answers import Ran
from shipway.app.call import Caller, Choice
from shipway.app.context import Context, open_context
from shipway.core.action import Command
from shipway.core.errors import Refused
from shipway.core.facts import Facts
from shipway.core.ports import Output, Request
from shipway.core.unit import Unit
from shipway.planning.history import base_release, by_number, version_of, whole_everywhere
from shipway.planning.ready import check_ready

_LIMIT_S = 24 * 3600.0
"""A person or a scheduler watches such a command; the limit is for the one that everybody forgot."""
DETACH_SCRIPT = 'setsid "$@" </dev/null >/dev/null 2>&1 &'


@dataclass(frozen=True, slots=True)
class Inside:
    """How a command is run.

    `is_manage`: it is one of manage.py. `is_everywhere`: in each chosen role of each chosen host. `is_reused`: where
    the unit itself runs. `is_detached`: it goes on by itself, and nobody hears of it. `env`: further variables.
    """

    is_manage: bool = False
    is_everywhere: bool = False
    is_reused: bool = False
    is_detached: bool = False
    env: tuple[tuple[str, str], ...] = ()


async def execute(
    choice: Choice, caller: Caller, words: Sequence[str], how: Inside, output: Output | None
) -> tuple[Ran, ...]:
    """Run `words` on the first host of the role, or on each host that `choice` names, and return what they answered.

    `output` gets pieces as they come. Raises Refused when nothing serves.
    """
    async with open_context(choice, caller) as context:
        found = []
        units = await _units(context)
        if not how.is_everywhere:
            units = _one_each(units) if choice.hosts else units[:1]
        for unit in units:
            command = _command(context, unit, words, how)
            (result,) = await context.transport.exchange(unit.host, [Request(command, "never")], output=output)
            stderr = result.stderr.decode("utf-8", "replace")
            about = (unit.host, unit.role, unit.release)
            found.append(Ran(*about, result.status, result.text, stderr, is_cut=result.truncated))
        return tuple(found)


async def interact(choice: Choice, caller: Caller, words: Sequence[str], how: Inside) -> int:
    """Run `words` with this terminal attached; return the exit status. Raises Refused when nothing serves."""
    async with open_context(choice, caller) as context:
        unit = (await _units(context))[0]
        return await context.transport.interactive(unit.host, _command(context, unit, words, how))


def _command(context: Context, unit: Unit, words: Sequence[str], how: Inside) -> Command:
    argv = ("python", context.site.manage, *words) if how.is_manage else tuple(words)
    if how.env:
        argv = ("env", *(f"{name}={value}" for name, value in how.env), *argv)
    runtime = context.site.target(unit.host).runtime
    command = runtime.inside(unit, argv) if how.is_reused else runtime.one_off(unit, argv)
    if how.is_detached:
        command = replace(command, argv=("sh", "-c", DETACH_SCRIPT, "sh", *command.argv))
    return replace(command, limit_s=_LIMIT_S)


async def _units(context: Context) -> tuple[Unit, ...]:
    """Return the chosen units of the serving release, role by role, the primary host first in each."""
    facts = await context.observe()
    check_ready(facts)
    release = _release(context, facts)
    version = version_of(release, facts.primary.records)
    hosts, roles = context.chosen_hosts(), context.chosen_roles()
    units = [unit for unit in context.site.units(release, version) if unit.host in hosts and unit.role in roles]
    if not units:
        raise Refused(
            "exec.no_unit",
            "none of the chosen roles runs on any of the chosen hosts",
            where=f"hosts {', '.join(hosts)}; roles {', '.join(roles)}",
            next=f"`shipway status{context.choice.options}`",
        )
    return tuple(units)


def _release(context: Context, facts: Facts) -> str:
    """Return the release that serves, or the newest one of the version that was asked for. Raises Refused."""
    version, records = context.choice.version, facts.primary.records
    if version:
        of_version = [r for r in by_number(whole_everywhere(facts)) if version_of(r, records).startswith(version)]
        if of_version:
            return of_version[-1]
        what = f"no release of the version {version} is kept on all hosts"
        raise Refused("exec.no_version", what, next=f"`shipway releases{context.choice.options}` lists what is kept")
    release = base_release(context.site, facts)
    if not release:
        raise Refused(
            "exec.nothing_serves",
            f"no release of {context.site.service} serves, so there is nothing to run a command in",
            next=f"`shipway deploy{context.choice.options}`",
        )
    return release


def _one_each(units: Sequence[Unit]) -> tuple[Unit, ...]:
    """Return the first unit of each host."""
    by_host: dict[str, Unit] = {}
    for unit in units:
        by_host.setdefault(unit.host, unit)
    return tuple(by_host.values())
