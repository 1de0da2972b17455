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
from shipway.planning.remove import Leaving, plan_remove


def service_name(choice: Choice) -> str:
    """Return the full name of the service that a choice means. Raises ConfigError."""
    config, _ = load_config(choice)
    return config.full_service


async def remove(choice: Choice, caller: Caller, interruption: Interruption) -> Report:
    """Remove the proxy's site, the releases, the accessories with their data, and report."""
    async with open_accessories(choice, caller, ALL) as context:
        run = Run.new(context, caller, interruption)
        leaving = _leaving(context)
        report = await change(run, lambda facts: plan_remove(context.site, facts, run.id, leaving))
        return replace(report, next=f"`shipway setup{choice.options}` makes it all anew")


def _leaving(context: Context) -> Leaving:
    config = context.service.config
    if config.runtime != "docker" or config.registry is None:
        return Leaving(context.watched)
    registry = None if config.registry.is_local or config.registry.is_none else config.registry.server or ""
    return Leaving(context.watched, docker_settings_of(config).latest, registry)
