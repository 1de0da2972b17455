"""A service off its hosts."""

from __future__ import annotations

from dataclasses import replace

from shipway.app.accessory import ALL, open_accessories
from shipway.app.answers import Report
from shipway.app.call import Caller, Choice
from shipway.app.change import Run, change
from shipway.app.configuration import load_config
from shipway.app.context import Context
from shipway.app.docker_settings import docker_settings_of
from shipway.app.signals import Interruption
from shipway.core.ports import Request
from shipway.engine.observe import all_or_unreachable
from shipway.planning.remove import Leaving, plan_remove
from shipway.runtimes.docker.accessory_steps import script

HOMES_SCRIPT = (
    'cd "$1" 2>/dev/null || exit 0; for home in */; do home=${home%/};'
    ' [ -z "$(ls -A "$home/releases" 2>/dev/null)" ] || printf "%s\\n" "$home"; done'
)
"""Lists the services that have releases below a state directory."""


def service_name(choice: Choice) -> str:
    """Return the full name of the service that a choice means. Raises ConfigError."""
    config, _ = load_config(choice)
    return config.full_service


async def remove(choice: Choice, caller: Caller, interruption: Interruption) -> Report:
    """Remove the proxy's site, the releases, the accessories with their data, and report."""
    async with open_accessories(choice, caller, ALL) as context:
        run = Run.new(context, caller, interruption)
        leaving = _leaving(context)
        if others := await _other_destinations(context):
            leaving = replace(leaving, accessories=(), used_by=others)
        report = await change(run, lambda facts: plan_remove(context.site, facts, run.id, leaving))
        return replace(report, next=f"`shipway setup{choice.options}` makes it all anew")


async def _other_destinations(context: Context) -> tuple[str, ...]:
    """Return the full names of the same service in other destinations that have releases on one of the hosts.

    An accessory has one name for all destinations, as with Kamal: what production keeps its data in is not staging's.
    """
    service = context.service.config.service

    async def ask(host: str, root: str) -> list[str]:
        (result,) = await context.transport.exchange(host, [Request(script(HOMES_SCRIPT, root), "never")])
        return result.text.splitlines()

    found = await all_or_unreachable({host: ask(host, known.state) for host, known in context.basics.items()})
    names = {name for lines in found.values() for name in lines if name == service or name.startswith(f"{service}-")}
    return tuple(sorted(names - {context.service.config.full_service}))


def _leaving(context: Context) -> Leaving:
    config = context.service.config
    if config.runtime != "docker" or config.registry is None:
        return Leaving(context.watched)
    registry = None if config.registry.is_local or config.registry.is_none else config.registry.server or ""
    return Leaving(context.watched, latest=docker_settings_of(config).latest, registry=registry)
