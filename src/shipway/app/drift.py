"""What changed on the servers behind the team's back, and what two destinations differ in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from shipway.app.ask_release import ALIAS, Manifests, Recorded, ask_release, database_of
from shipway.app.call import Caller, Choice
from shipway.app.consent import check_reason, deployer_of, write
from shipway.app.context import Context, open_context
from shipway.checks.drift.compare import compare, missing_migrations
from shipway.checks.drift.state import Mode, Place, parse_look
from shipway.core.errors import Finding, Refused, ShipwayError
from shipway.core.facts import Facts
from shipway.core.ports import Request, Result
from shipway.core.step import Plan
from shipway.django.difference import Difference
from shipway.django.difference import compare as compare_releases
from shipway.django.probe_source import ProbeOptions
from shipway.engine.journal import last_words
from shipway.engine.observe import all_or_unreachable
from shipway.planning.history import base_release, good_releases, last_good_run, version_of
from shipway.planning.migrate import migration_unit

_TRACK = "state"
_ASKED = ProbeOptions(want=("databases",))


@dataclass(frozen=True, slots=True)
class Drift:
    """What was found; `release` serves. `other`, where another destination was compared with: its release, and more."""

    release: str
    run: str
    findings: tuple[Finding, ...]
    accepted: bool = False
    other: str = ""
    difference: Difference | None = None

    @property
    def differs(self) -> bool:
        """Whether something is not as it should be."""
        return any(finding.level == "error" for finding in self.findings)


async def drift(choice: Choice, caller: Caller, *, accept: bool = False, reason: str = "") -> Drift:
    """Return what differs from the record of the last run; with `accept` record the present state as it is.

    Raises Refused `drift.nothing_serves`, `drift.unreadable`, Unreachable; UsageError without a reason.
    """
    if accept:
        check_reason(reason, "drift --accept")
    async with open_context(choice, caller) as context:
        facts = await context.observe()
        release = _release(context, facts)
        run = last_good_run(facts.primary.records)
        if accept:
            if problem := await _record(context, release, run, _hosts(context)):
                raise Refused("drift.unreadable", problem, next=f"`shipway drift{choice.options}`")
            who = deployer_of(context, caller).name
            await write(context, "note", {"who": who, "note": f"drift accepted: {reason}"})
            return Drift(release, run, (), accepted=True)
        looked = await _looked(context, release, run)
        migrations = await _migrations(context, facts, release)
        found = (*_units(context, facts, release), *looked, *migrations)
        return Drift(release, run, found)


def _release(context: Context, facts: Facts) -> str:
    """Return the release that serves, or that should: the last one that came to serve. Raises Refused without any."""
    release = base_release(context.site, facts) or next(iter(good_releases(facts.primary.records)[-1:]), "")
    if release:
        return release
    raise Refused(
        "drift.nothing_serves",
        "no release serves, so there is nothing to compare with",
        where=context.site.service,
        next=f"`shipway status{context.choice.options}`",
    )


class StateRider:
    """Records the state of the primary host behind the last line of a run, where that ended well."""

    def __init__(self, context: Context, plan: Plan) -> None:
        self._context, self.run, self.release = context, plan.run, plan.release or plan.base
        self.has_recorded = False

    def requests(self) -> tuple[Request, ...]:
        """Return the request that records, where the plan tells which release serves then."""
        if not self.release:
            return ()
        place = place_of(self._context, self._context.site.primary, self.release, self.run)
        return (Request(place.command("ended"), "never"),)

    def take(self, results: Sequence[Result]) -> None:
        """Note whether it was done."""
        self.has_recorded = len(results) == 1 and results[0].ok


async def record_rest(context: Context, rider: StateRider) -> str:
    """Record the state of the hosts for which `rider` has not; return what went wrong, "" for nothing. Never raises."""
    primary = context.site.primary
    hosts = [target.host for target in context.site.targets if not (rider.has_recorded and target.host == primary)]
    return await _record(context, rider.release, rider.run, hosts) if rider.release else ""


async def _record(context: Context, release: str, run: str, hosts: Sequence[str]) -> str:
    try:
        await _ask(context, release, run, ("record", hosts))
    except ShipwayError as error:
        return f"the state of the hosts could not be recorded for `shipway drift`: {error}"
    return ""


async def _ask(context: Context, release: str, run: str, what: tuple[Mode, Sequence[str]]) -> Mapping[str, str]:
    """Return what each host answers. Raises Refused `drift.unreadable`, Unreachable."""
    mode, hosts = what

    async def ask(host: str) -> str:
        place = place_of(context, host, release, run)
        (result,) = await context.transport.exchange(host, [Request(place.command(mode), "never")], track=_TRACK)
        if not result.ok or result.truncated:
            raise Refused(
                "drift.unreadable", f"the state of {host} could not be told", where=host, said=last_words(result.said)
            )
        return result.text

    return await all_or_unreachable({host: ask(host) for host in hosts})


def _hosts(context: Context) -> list[str]:
    return [target.host for target in context.site.targets]


def place_of(context: Context, host: str, release: str, run: str) -> Place:
    """Return whose state is asked for on a host."""
    config = context.service.config
    containers = tuple(one.service for one in config.accessories if host in one.hosts)
    return Place(context.layouts[host], release, run, config.service, config.destination or "", containers)


async def _looked(context: Context, release: str, run: str) -> tuple[Finding, ...]:
    answers = await _ask(context, release, run, ("look", _hosts(context)))
    return tuple(found for host, text in answers.items() for found in _host(context, host, text, (release, run)))


def _host(context: Context, host: str, text: str, known: tuple[str, str]) -> Iterator[Finding]:
    """Yield what differs on a host from the record that was made after the run and for the release that are `known`."""
    options = context.choice.options
    try:
        before, now = parse_look(text)
    except ValueError as error:
        raise Refused("drift.unreadable", f"the state of {host} could not be told: {error}", where=host) from error
    about = before.of("about") if before is not None else {}
    if before is not None and (about.get("release"), about.get("run")) == known:
        yield from compare(host, before, now, options)
        return
    since = f"after the run {about['run']}" if about.get("run") else "never"
    yield Finding(
        "drift.not_recorded", f"{host}: its state was recorded {since}, and the last run is {known[1] or 'unknown'}",
        where=host, next=f'`shipway drift{options} --accept --reason "…"` records it as it is', level="warning",
    )  # fmt: skip


def _units(context: Context, facts: Facts, release: str) -> Iterator[Finding]:
    """Yield the processes of the release that should run and do not."""
    options = context.choice.options
    running = {host.host: host.running for host in facts.hosts}
    for unit in context.site.units(release, ""):
        if (unit.role, release) not in running.get(unit.host, frozenset()):
            yield Finding(
                "drift.not_running", f"{unit.host}: {unit.role} of {release} does not run", where=unit.host,
                next=f"`shipway app start{options}`; `shipway logs{options}` tells why it ended",
            )  # fmt: skip


async def _migrations(context: Context, facts: Facts, release: str) -> tuple[Finding, ...]:
    """Return what the database has too little or too much. One that cannot be asked is a finding itself."""
    site, options = context.site, context.choice.options
    unit = migration_unit(site, release, version_of(release, facts.primary.records))
    if unit is None:
        return ()
    try:
        report = database_of(await ask_release(site, context.transport, unit, _ASKED), release)
    except ShipwayError as error:
        return (Finding("drift.no_database", f"the database could not be asked: {error}", next=error.next),)
    if report is None:
        return ()
    on_disk = {".".join(key): site.migrations != "manual" for key in report.disk}
    kept = Manifests.of(site, context.transport, facts)
    for other in facts.primary.releases:
        recorded = await kept.read(other)
        database = recorded.manifest.databases.get(ALIAS) if recorded.manifest else None
        on_disk |= {".".join(key): False for key in (database.keys if database else ()) if ".".join(key) not in on_disk}
    applied = {".".join(key): True for key in report.database.applied or ()}
    return tuple(missing_migrations(on_disk, applied, options))


async def drift_between(choice: Choice, caller: Caller, other: str) -> Drift:
    """Return what the release that serves differs in from the one that serves in the destination `other`."""
    mine, my_release = await _serving(choice, caller)
    theirs, their_release = await _serving(replace(choice, destination=other, hosts=(), roles=()), caller)
    unknown = [one.unknown for one in (mine, theirs) if one.manifest is None]
    if mine.manifest is None or theirs.manifest is None:
        findings = tuple(Finding("drift.not_recorded", one, level="warning") for one in unknown)
        return Drift(my_release, "", findings, other=f"{other} {their_release}")
    found = compare_releases(theirs.manifest, mine.manifest)
    kinds = ("versions", "packages", "migrations", "tasks", "settings", "environment")
    counts = {kind: len(getattr(found, kind) or ()) for kind in kinds}
    mend = f"`shipway deploy{choice.options} --from {other}` brings the version that serves there"
    findings = tuple(
        Finding("drift.destination", f"{count} differences in {kind}", where=f"{other} {their_release}", next=mend)
        for kind, count in counts.items()
        if count
    )
    return Drift(my_release, "", findings, other=f"{other} {their_release}", difference=found)


async def _serving(choice: Choice, caller: Caller) -> tuple[Recorded, str]:
    async with open_context(choice, caller) as context:
        facts = await context.observe()
        release = _release(context, facts)
        return await Manifests.of(context.site, context.transport, facts).read(release), release
