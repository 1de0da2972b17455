"""Accessories: what the verbs do, and what they show."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from shipway.app.accessory_specs import accessory_targets
from shipway.app.answers import Report
from shipway.app.call import Caller, Choice
from shipway.app.change import Run, change
from shipway.app.context import Context, open_context
from shipway.app.select import select
from shipway.app.service import Service
from shipway.app.signals import Interruption
from shipway.core.errors import Finding, UsageError
from shipway.core.facts import AccessoryFacts
from shipway.core.secret import secret_names
from shipway.engine.resume import open_run_id
from shipway.planning.accessories import AccessoryTarget, Wanted, plan_accessories
from shipway.runtimes.docker.accessory_parse import drift

ALL = "all"


@dataclass(frozen=True, slots=True)
class AccessoryRow:
    """One accessory on one host: what runs, and in what it differs from the configuration ("" for not at all)."""

    name: str
    host: str
    container: str
    image: str
    state: str
    health: str
    since: str
    restarts: int
    ports: tuple[str, ...]
    drift: str
    next: str = ""


@asynccontextmanager
async def open_accessories(
    choice: Choice, caller: Caller, name: str, service: Service | None = None
) -> AsyncIterator[Context]:
    """Give a context that watches the accessories that `name` means (`all`, or one), on the chosen hosts.

    Raises UsageError for a name that is none, and what `open_context` raises.
    """
    async with open_context(choice, caller, everywhere=True, service=service) as context:
        yield replace(context, watched=_chosen(context, name))


def _chosen(context: Context, name: str) -> tuple[AccessoryTarget, ...]:
    config = context.service.config
    names = [accessory.name for accessory in config.accessories]
    if name != ALL and name not in names:
        raise UsageError(
            "usage.unknown_accessory",
            f"there is no accessory `{name}`",
            next=f"the accessories are: {', '.join(names) or 'none'}",
        )
    hosts = select(context.choice.hosts, config.hosts, "host")
    targets = accessory_targets(context.service, context.basics)
    found = tuple(t for t in targets if name in (ALL, t.spec.name) and t.spec.host in hosts)
    if not found and name != ALL:
        raise UsageError(
            "usage.accessory_elsewhere", f"`{name}` runs on none of the chosen hosts", next=f"{', '.join(config.hosts)}"
        )
    return found


async def change_accessories(
    choice: Choice, caller: Caller, interruption: Interruption, name: str, wanted: Wanted
) -> Report:
    """Do `wanted.action` to the accessories that `name` means, and report."""
    async with open_accessories(choice, caller, name) as context:
        wanted = replace(wanted, targets=context.watched)
        if wanted.action in ("boot", "reboot", "upgrade"):
            _check_secrets(context)
        report = await change_watched(context, caller, interruption, wanted)
        return replace(report, next=f"`shipway accessory details {name}{choice.options}`")


async def change_watched(context: Context, caller: Caller, interruption: Interruption, wanted: Wanted) -> Report:
    """Do `wanted` in an open context that watches its targets."""
    run = Run.new(context, caller, interruption)
    return await change(run, lambda facts: plan_accessories(context.site, facts, run.id, wanted))


def _check_secrets(context: Context) -> None:
    """Raise ConfigError for every secret that the accessories need and that has no value, before anything changes."""
    names = {name for target in context.watched for name in needed(target)}
    context.service.secrets.check(sorted(names))


def needed(target: AccessoryTarget) -> tuple[str, ...]:
    """Return the names of the secrets of an accessory."""
    login = target.spec.login
    texts = [value for _, value in target.spec.env] + [file.body for file in target.spec.files]
    texts += [login.username, login.password] if login else []
    return tuple(name for text in texts for name in secret_names(text))


async def details(choice: Choice, caller: Caller, name: str) -> tuple[AccessoryRow, ...]:
    """Return what runs of the accessories that `name` means."""
    async with open_accessories(choice, caller, name) as context:
        facts = await context.observe()
        if run := open_run_id(facts.primary.records):
            caller.say(f"Run {run} was cut short; `shipway resume{choice.options}` settles it.")
        return tuple(
            _row(target, facts.accessory(target.spec.name, target.spec.host), choice.options)
            for target in context.watched
        )


def findings(context: Context, found: Sequence[AccessoryFacts]) -> tuple[Finding, ...]:
    """Return in what the watched accessories differ from the configuration."""
    by_place = {(facts.name, facts.host): facts for facts in found}
    drifts = (
        drift(t.spec, by_place[t.spec.name, t.spec.host], context.choice.options)
        for t in context.watched
        if (t.spec.name, t.spec.host) in by_place
    )
    return tuple(finding for finding in drifts if finding is not None)


def _row(target: AccessoryTarget, facts: AccessoryFacts, options: str) -> AccessoryRow:
    finding = drift(target.spec, facts, options)
    return AccessoryRow(
        name=target.spec.name,
        host=target.spec.host,
        container=target.spec.container,
        image=facts.image or target.spec.image,
        state=facts.state or "missing",
        health=facts.health,
        since=facts.started_at[:19] if facts.is_running else "",
        restarts=facts.restarts,
        ports=facts.ports,
        drift=finding.what if finding else "",
        next=finding.next
        if finding
        else ""
        if facts.is_running
        else f"`shipway accessory boot {target.spec.name}{options}`",
    )
