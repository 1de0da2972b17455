"""`app start`, `stop`, `stale_containers` and `remove`: the processes of releases that are there."""

from __future__ import annotations

from collections.abc import Callable

from shipway.app.answers import Report, Serving
from shipway.app.call import Caller, Choice
from shipway.app.change import Run, change
from shipway.app.context import Context, open_context
from shipway.app.serving import units_of
from shipway.app.signals import Interruption
from shipway.core.facts import Facts
from shipway.core.step import Plan
from shipway.planning.app import Part, plan_app_remove, plan_app_start, plan_app_stop, plan_stop_stale, stale_units
from shipway.planning.site import Site

PartPlanner = Callable[[Site, Facts, str, Part], Plan]


async def app_start(choice: Choice, caller: Caller, interruption: Interruption) -> Report:
    """Start what should run of the release that serves on the chosen hosts, and report."""
    return await _change(choice, caller, interruption, plan_app_start)


async def app_stop(choice: Choice, caller: Caller, interruption: Interruption) -> Report:
    """Stop what runs on the chosen hosts, and report."""
    return await _change(choice, caller, interruption, plan_app_stop)


async def app_remove(choice: Choice, caller: Caller, interruption: Interruption) -> Report:
    """Stop the application on the chosen hosts, remove its releases there, and report."""
    return await _change(choice, caller, interruption, plan_app_remove)


async def stop_stale(choice: Choice, caller: Caller, interruption: Interruption) -> Report:
    """Stop what runs on the chosen hosts and is not of the release that serves, and report."""
    return await _change(choice, caller, interruption, plan_stop_stale)


async def stale(choice: Choice, caller: Caller) -> tuple[Serving, ...]:
    """Return what runs on the chosen hosts and is not of the release that serves."""
    async with open_context(choice, caller) as context:
        facts, part = await context.observe(), part_of(context)
        found = {(unit.host, unit.role, unit.release) for unit in stale_units(context.site, facts) if part.has(unit)}
        units = [unit for host in facts.hosts for unit in units_of(context.site, facts, host)]
        return tuple(unit for unit in units if (unit.host, unit.role, unit.release) in found)


def part_of(context: Context) -> Part:
    """Return which hosts and roles `--hosts`, `--primary` and `--roles` mean. Raises UsageError."""
    return Part(frozenset(context.chosen_hosts()), frozenset(context.chosen_roles()))


async def _change(choice: Choice, caller: Caller, interruption: Interruption, planner: PartPlanner) -> Report:
    async with open_context(choice, caller) as context:
        run, part = Run.new(context, caller, interruption), part_of(context)
        return await change(run, lambda facts: planner(context.site, facts, run.id, part))
