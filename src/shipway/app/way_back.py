"""Whether code may go back to an earlier release: asked here, decided by `migrations.way_back`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from shipway.app.answers import WayBackRow
from shipway.app.ask_release import ALIAS, Manifests, Recorded, ask_release, database_of
from shipway.app.context import Context
from shipway.app.releases import release_rows
from shipway.app.task_gate import crossing_back
from shipway.core.errors import Finding, Refused, ShipwayError, UsageError
from shipway.core.facts import Facts
from shipway.core.migration import Database
from shipway.core.step import Plan
from shipway.django.probe_source import ProbeOptions
from shipway.django.report import DatabaseReport
from shipway.migrations.plan import Base
from shipway.migrations.way_back import Reason, WayBack, unknown, way_back
from shipway.migrations.words import CodeRollback, worst_rollback
from shipway.planning.history import base_release, version_of, whole_everywhere
from shipway.planning.migrate import migration_unit
from shipway.planning.site import TaskPolicy
from shipway.planning.stages import roll_out
from shipway.planning.tasks import Crossing, has_workers

Judge = Callable[[Facts, Plan], Awaitable[Plan]]
_ASKED = ProbeOptions(want=("databases",))
_ASKED_BACK = ProbeOptions(want=("databases", "tasks", "queued"))


@dataclass(frozen=True, slots=True)
class Force:
    """That somebody goes back although it is refused, and why. The reason goes into the ledger."""

    is_on: bool = False
    reason: str = ""

    def check(self) -> None:
        """Raise UsageError for a force without a reason."""
        if self.is_on and not self.reason.strip():
            raise UsageError(
                "rollback.no_reason",
                "a rollback was to be forced without a reason",
                next='`shipway rollback --force --reason "…"`: the reason goes into the ledger',
            )


def judge_of(context: Context, force: Force) -> Judge:
    """Return what refuses the plan of a rollback, or returns it with what should be known of it.

    It asks once for a release, also when a person is shown the plan in between.
    """
    known: dict[tuple[str, str], WayBack] = {}

    async def judge(facts: Facts, plan: Plan) -> Plan:
        ends = plan.base, plan.release
        if ends not in known:
            known[ends] = await _way_back(context, facts, plan)
        found = known[ends]
        if found.workers_first:
            first = roll_out(context.site, facts, plan.release, plan.version, workers_first=True)
            plan = replace(plan, stages=first)
        if found.verdict == "allowed":
            return plan
        lines = tuple(str(reason) for reason in found.reasons)
        if found.verdict == "warn":
            return replace(plan, notes=(*plan.notes, *(f"warning: {line}" for line in lines)))
        if not found.is_known:
            raise _not_known(context, plan, found)
        if not force.is_on:
            raise _refused(context, plan, found)
        return replace(plan, notes=(*plan.notes, f"forced: {force.reason}", *(f"against: {line}" for line in lines)))

    return judge


def _refused(context: Context, plan: Plan, found: WayBack) -> Refused:
    options = context.choice.options
    return Refused(
        "rollback.refused",
        f"{plan.release} does not work with what {plan.base or 'it'} left",
        where=f"{plan.service}: {plan.base or 'nothing'} serves",
        next=f"`shipway rollback --list{options}` shows where one can go; "
        f'`shipway rollback {plan.release}{options} --force --reason "…"` goes all the same',
        findings=tuple(
            Finding(
                "rollback.in_the_way" if reason.verdict == "refused" else "rollback.may_fail",
                str(reason),
                level="error" if reason.verdict == "refused" else "warning",
            )
            for reason in found.reasons
        ),
    )


def _not_known(context: Context, plan: Plan, found: WayBack) -> Refused:
    options = context.choice.options
    return Refused(
        "rollback.not_known",
        f"nobody can tell whether {plan.release} works on the database",
        where=f"{plan.service}: {plan.base or 'nothing'} serves",
        said="\n".join(str(reason) for reason in found.reasons),
        next=f"`shipway rollback {plan.release}{options}` again when that is put right",
    )


async def _way_back(context: Context, facts: Facts, plan: Plan) -> WayBack:
    """Ask the release that is gone back to: it is to run in a moment, and names what it needs itself.

    It is not asked where it recorded that it needs exactly what the one that serves now needs: whatever was done to the
    database, the one finds it as the other does.
    """
    site, transport = context.site, context.transport
    unit = migration_unit(site, plan.release, plan.version)
    if unit is None:
        return WayBack(plan.release, "allowed")
    kept = Manifests.of(site, transport, facts)
    serving = await kept.read(plan.base) if plan.base else Recorded("")
    if (await kept.read(plan.release)).needs_what(serving, tasks=has_workers(site)):
        return WayBack(plan.release, "allowed")
    try:
        answer = await ask_release(site, transport, unit, _ASKED_BACK)
        report = database_of(answer, plan.release)
    except ShipwayError as error:
        return unknown(plan.release, f"what it needs of the database is not known: {error}")
    found = _way_back_of(report, serving, plan) if report is not None else WayBack(plan.release, "allowed")
    if not plan.base or not has_workers(site) or not found.is_known:
        return found
    return _with_tasks(found, crossing_back(answer, serving, plan.release), site.tasks)


def _with_tasks(found: WayBack, crossing: Crossing, policy: TaskPolicy) -> WayBack:
    """Return the way back with what it means to queued tasks, which can only make it worse."""
    verdict: CodeRollback = "warn" if policy == "ignore" else "refused"
    reasons = [Reason(verdict, "", f"queued tasks would be lost: {one}") for one in crossing.stuck]
    reasons += [Reason("warn", "", note.removeprefix("warning: ")) for note in crossing.notes]
    worst = worst_rollback((found.verdict, *(reason.verdict for reason in reasons)))
    ordered = tuple(sorted((*reasons, *found.reasons), key=lambda one: one.verdict != "refused"))
    return replace(found, verdict=worst, reasons=ordered, workers_first=crossing.workers_first)


def _way_back_of(report: DatabaseReport, serving: Recorded, plan: Plan) -> WayBack:
    database = report.database
    if plan.base:
        known = serving.manifest.databases.get(ALIAS) if serving.manifest else None
        if known is not None and known.vendor != database.vendor:
            why = f"{plan.base} uses {known.vendor}, and {plan.release} {database.vendor}: another database"
            return unknown(plan.release, why)
        if known is not None:
            database = replace(database, walk=known.walk)
    return way_back(Base(plan.release, report.disk, report.database.footprint), database)


async def ways_back(context: Context) -> tuple[WayBackRow, ...]:
    """Return the verdict for each release that is whole on every host, the newest first. Changes nothing."""
    facts = await context.observe()
    serving = base_release(context.site, facts)
    rows = [row for row in release_rows(context.site, facts) if row.release in whole_everywhere(facts)]
    others = [row for row in rows if row.release != serving]
    if not others:
        return ()
    database, why = await _database_now(context, facts, serving or others[0].release)
    kept = Manifests.of(context.site, context.transport, facts)
    found = []
    for row in others:
        recorded = await kept.read(row.release)
        if why is None and database is None:
            verdict = WayBack(row.release, "allowed")
        elif database is None or recorded.base is None:
            verdict = unknown(row.release, why or recorded.unknown or f"{row.release} did not name this database")
        else:
            verdict = way_back(recorded.base, database, recorded.django)
        reasons = tuple(str(reason) for reason in verdict.reasons)
        found.append(WayBackRow(row.release, row.version, row.at, verdict.verdict, reasons))
    return tuple(found)


async def _database_now(context: Context, facts: Facts, release: str) -> tuple[Database | None, str | None]:
    """Return the database as `release` sees it, or why it is not known; (None, None) where there is none."""
    unit = migration_unit(context.site, release, version_of(release, facts.primary.records))
    if unit is None:
        return None, None
    try:
        report = database_of(await ask_release(context.site, context.transport, unit, _ASKED), release)
    except ShipwayError as error:
        return None, f"what is in the database is not known: {error}"
    return (report.database, None) if report is not None else (None, None)
