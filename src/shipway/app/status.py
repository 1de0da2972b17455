"""What serves on each host."""

from __future__ import annotations

import asyncio

from shipway.app.answers import HostStatus, Status
from shipway.app.call import Caller, Choice
from shipway.app.context import Context, open_context
from shipway.app.lock import view_of
from shipway.app.serving import units_of
from shipway.core.errors import ShipwayError
from shipway.core.facts import Facts, HostFacts
from shipway.engine.lock import read_lock
from shipway.engine.observe import observe
from shipway.engine.resume import open_run_id
from shipway.planning.approvals import hold_of
from shipway.planning.history import base_release, version_of
from shipway.planning.site import Site, Target


async def status(choice: Choice, caller: Caller) -> Status:
    """Return the state of the chosen hosts. One that does not answer is told as such; raises when none does."""
    async with open_context(choice, caller) as context:
        hosts = context.chosen_hosts()
        targets = [t for t in context.site.targets if t.host in hosts or t.host == context.site.primary]
        found = dict(
            zip([t.host for t in targets], await asyncio.gather(*(_ask(context, t) for t in targets)), strict=True)
        )
        errors = [answer for answer in found.values() if isinstance(answer, ShipwayError)]
        if len(errors) == len(found):
            raise errors[0]
        facts = Facts(tuple(answer for answer in found.values() if isinstance(answer, HostFacts)))
        return await _status(context, facts, {h: answer for h, answer in found.items() if h in hosts})


async def _ask(context: Context, target: Target) -> HostFacts | ShipwayError:
    try:
        return (await observe([target], context.transport, context.clock)).primary
    except ShipwayError as error:
        return error


async def _status(context: Context, facts: Facts, found: dict[str, HostFacts | ShipwayError]) -> Status:
    site, roles = context.site, context.chosen_roles()
    release = base_release(site, facts)
    open_run = open_run_id(facts.primary.records)
    options = context.choice.options
    return Status(
        service=site.service,
        destination=context.choice.destination or "",
        release=release,
        version=version_of(release, facts.primary.records),
        hosts=tuple(_host(site, facts, host, answer, roles) for host, answer in found.items()),
        lock=await _lock(context, facts),
        hold=str(hold_of(facts.primary.records) or ""),
        open_run=f"run {open_run} was cut short, or is held; `shipway resume{options}` settles it" if open_run else "",
        missing=tuple(_missing(site, facts, release)),
    )


async def _lock(context: Context, facts: Facts) -> str:
    if facts.primary.host != context.site.primary:
        return "unknown: the primary host does not answer"
    view = view_of(await read_lock(context.world(), context.site.primary))
    return view.sentence if view.is_held else ""


def _host(site: Site, facts: Facts, host: str, answer: HostFacts | ShipwayError, roles: tuple[str, ...]) -> HostStatus:
    if isinstance(answer, ShipwayError):
        return HostStatus(host, error=answer.what)
    if answer.trouble:  # so nobody knows what runs
        return HostStatus(host, error="; ".join(found.what for found in answer.trouble))
    return HostStatus(
        host=host,
        is_keeper_up=answer.is_keeper_up,
        has_proxy=site.target(host).proxy is not None,
        is_proxy_up=answer.is_proxy_up,
        is_in_maintenance=answer.is_in_maintenance,
        free_bytes=answer.free_bytes,
        units=tuple(unit for unit in units_of(site, facts, answer) if unit.role in roles),
        kept=answer.releases,
    )


def _missing(site: Site, facts: Facts, release: str) -> list[str]:
    """Return the units of the serving release that should run on the hosts that answered and do not."""
    if not release:
        return []
    answered = {host.host: host.running for host in facts.hosts}
    return [
        f"{unit.role} on {unit.host}"
        for unit in site.units(release, "")
        if unit.host in answered and (unit.role, release) not in answered[unit.host]
    ]
