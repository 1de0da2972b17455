"""`setup`: from bare servers to a site that serves, as several plans with a look at the world between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from shipway.app.accessory import ALL, change_watched, findings, open_accessories
from shipway.app.answers import Report
from shipway.app.bootstrap import bootstrap, check_ready
from shipway.app.call import Caller, Choice
from shipway.app.context import Context
from shipway.app.deploy import deploy
from shipway.app.service import load_service
from shipway.app.signals import Interruption
from shipway.app.wanted import Wanted
from shipway.core.facts import Facts
from shipway.planning import accessories
from shipway.planning.history import base_release, version_of


async def setup(choice: Choice, caller: Caller, interruption: Interruption, release: Wanted | None = None) -> Report:
    """Install what the servers lack, start the accessories, deploy where HEAD does not serve yet, and report.

    Each part connects anew: a login that was just let into the group of Docker knows it only then.
    """
    service = load_service(choice)
    if service.config.roles:
        caller.say(service.tree.sentence)
    service.secrets.check()
    reports = [await bootstrap(choice, caller, interruption, service)]
    quiet = replace(caller, say=_only_new(caller))
    async with open_accessories(choice, quiet, ALL, service) as context:
        await check_ready(context)
        reports.append(await _boot(context, quiet, interruption))
        facts = await context.observe()
        for finding in findings(context, facts.accessories):
            caller.say(f"{finding.level}[{finding.code}]: {finding.what}; next: {finding.next}")
        serves = _serves_head(context, facts)
    if service.config.roles and not serves:
        reports.append(await deploy(choice, quiet, interruption, release, service))
    return _together(reports, choice, serves)


async def _boot(context: Context, caller: Caller, interruption: Interruption) -> Report:
    wanted = accessories.Wanted("boot", context.watched)
    return await change_watched(context, caller, interruption, wanted)


def _serves_head(context: Context, facts: Facts) -> str:
    """Return the release that serves the commit at HEAD with all its units; "" when there is none."""
    site, release = context.site, base_release(context.site, facts)
    if not release or version_of(release, facts.primary.records) != context.service.release_version:
        return ""
    running = {(host.host, role, name) for host in facts.hosts for role, name in host.running}
    units = site.units(release, "")
    return release if all((unit.host, unit.role, release) in running for unit in units) else ""


def _together(reports: Sequence[Report], choice: Choice, serves: str) -> Report:
    """Return the reports of all parts as one."""
    last = reports[-1]
    has_changed = any(report.outcome != "nothing" for report in reports)
    notes = [note for report in reports for note in report.notes]
    if serves:
        notes.append(f"{serves} serves the commit at HEAD already: `shipway deploy{choice.options}` deploys it again")
    return replace(
        last,
        verb="setup",
        outcome="done" if has_changed else "nothing",
        release=last.release or serves,
        took_s=round(sum(report.took_s for report in reports), 3),
        stages=tuple(stage for report in reports for stage in report.stages),
        notes=tuple(dict.fromkeys(notes)),
        next=f"`shipway status{choice.options}` shows what serves",
    )


def _only_new(caller: Caller) -> Callable[[str], None]:
    """Return a `say` that does not repeat the warnings that the first part told."""
    return lambda text: None if text.startswith("warning[") else caller.say(text)
