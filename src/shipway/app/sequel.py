"""The second part of a deploy: the new release is asked while other hosts still get it, and the gate decides."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from shipway.app.ask_release import FOR_A_RELEASE, Manifests, Recorded, ask_release, database_of
from shipway.app.consent import want
from shipway.app.context import Context
from shipway.app.rehearse_release import ReleaseRehearsal
from shipway.app.task_gate import Talk, TaskGate
from shipway.core.action import Upload, lower
from shipway.core.errors import Refused
from shipway.core.events import Event
from shipway.core.facts import Facts
from shipway.core.ports import Request
from shipway.core.step import Plan
from shipway.core.unit import Unit
from shipway.django.manifest import Origin, build_manifest
from shipway.django.probe_source import ProbeOptions
from shipway.django.report import Report
from shipway.engine.observe import all_or_unreachable
from shipway.planning.approvals import NeedsApproval
from shipway.planning.deploy import plan_release
from shipway.planning.files import check_files
from shipway.planning.gate import Rules, Serves, decide
from shipway.planning.migrate import Decided, migration_unit, name_keys
from shipway.planning.site import environment_names
from shipway.planning.tasks import TaskRules

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Extension:
    """The whole plan of a run, what its ledger notes about how it came to be, and what is stored with the plan."""

    plan: Plan
    detail: dict[str, str]
    beside: tuple[Request, ...] = ()


class Sequel:
    """What goes on beside the first part of a deploy, and what comes of it. For one run."""

    def __init__(self, context: Context, facts: Facts, first: Plan, rules: Rules) -> None:
        self._context, self._facts, self._first, self._rules = context, facts, first, rules
        self._unit = migration_unit(context.site, first.release, first.version)
        self.talk = Talk()
        self._asked: asyncio.Task[Report] | None = None
        self._base: asyncio.Task[Recorded] | None = None

    def listening(self, listen: Callable[[Event], None]) -> Callable[[Event], None]:
        """Return a listener that passes events on, and asks the release as soon as it can answer."""
        unit = self._unit
        ready = self._context.site.target(unit.host).runtime.runnable_after(unit.release) if unit else ""

        def hear(event: Event) -> None:
            listen(event)
            if event.kind == "run.begin":
                self._read_base()
            elif event.step == ready and event.kind in ("step.done", "step.skipped"):
                self._ask()

        return hear

    def _ask(self) -> None:
        if self._unit is not None and self._asked is None:
            rules = self._context.site.files
            looks = {"media": True, "container": rules.is_container, "static": rules.is_container and rules.static}
            asked = ProbeOptions(want=(*FOR_A_RELEASE, "files"), files=looks)
            self._asked = _task(ask_release(self._context.site, self._context.transport, self._unit, asked))

    def _read_base(self) -> None:
        if self._first.base and self._base is None:
            kept = Manifests.of(self._context.site, self._context.transport, self._facts)
            self._base = _task(kept.read(self._first.base))

    async def settle(self) -> None:
        """Wait until nothing of ours is at work on a host. Never raises: `extend` does."""
        for task in (self._asked, self._base):
            if task is not None:
                with suppress(Exception):
                    await task

    async def extend(self) -> Extension:
        """Return the whole plan, with the manifest of the release on every host. Raises what refuses the release."""
        self._read_base()
        self._ask()
        if self._unit is None or self._asked is None:
            return Extension(self._whole(Decided()), {})
        report = await self._asked
        check_files(report.files, self._unit.release, self._context.site.files, self._rules.command)
        base = await self._base if self._base is not None else Recorded("")
        try:
            judged = self._decide(report, base)
        except NeedsApproval as error:
            await want(self._context, error, self._first.run, self._rules.consents)
            raise
        judged = await self._rehearsed(judged, base, self._unit)
        decided = await self._with_tasks(judged, report, base, self._unit)
        decided = replace(decided, notes=(*decided.notes, *_unseen(report, self._unit.release)))
        made, beside = await self._record(report, self._unit)
        detail = {"manifest": made, "approved": self._rules.approved}
        detail |= {name: name_keys(getattr(decided, name)) for name in ("before", "after", "window")}
        return Extension(self._whole(decided), {name: text for name, text in detail.items() if text}, beside)

    async def _rehearsed(self, decided: Decided, base: Recorded, unit: Unit) -> Decided:
        """Return what was decided, once a scratch database has shown that it works. Raises Refused and Interrupted."""
        notes = await ReleaseRehearsal(self._context, unit, self._rules.command, self.talk).settle(decided, base)
        return replace(decided, notes=(*decided.notes, *notes))

    async def _with_tasks(self, decided: Decided, report: Report, base: Recorded, unit: Unit) -> Decided:
        """Return what was decided, once the queues allow the release. Raises Refused and Interrupted."""
        rules = TaskRules.of(self._context.site, self._rules.command)
        crossing = await TaskGate(self._context, unit, rules, self.talk).settle(report, base)
        notes = (*decided.notes, *crossing.notes)
        return replace(decided, workers_first=crossing.workers_first, notes=notes)

    def _whole(self, decided: Decided) -> Plan:
        return plan_release(self._first, self._context.site, self._facts, decided)

    def _decide(self, report: Report, base: Recorded) -> Decided:
        found = database_of(report, self._first.release)
        if found is None:
            return Decided()
        if self._rules.window and any(host.predecessor for host in self._facts.hosts):
            raise Refused(
                "migrations.no_window",
                "a release that takes hosts over cannot close the site: its proxy is not there yet",
                next=f"take over first: `shipway deploy{self._context.choice.options}`",
            )
        serves = Serves(base.release, base.base, base.unknown or f"{base.release} did not name this database")
        return decide(found.database, serves, self._first.release, self._rules)

    async def _record(self, report: Report, unit: Unit) -> tuple[str, tuple[Request, ...]]:
        """Write the manifest into the release on every host that has it; return its hash.

        On the primary host it rides with the plan that is stored there: that is returned too.
        """
        origin = Origin(unit.release, unit.version, created=f"{self._context.clock.now():%Y-%m-%dT%H:%M:%SZ}")
        document = build_manifest(report, origin, environment_names(self._context.site))
        text = json.dumps(document, ensure_ascii=True, separators=(",", ":"))
        hosts = {unit.host for unit in self._context.site.units(unit.release, unit.version)}
        primary = self._context.site.primary
        await all_or_unreachable({host: self._write(host, text) for host in sorted(hosts - {primary})})
        return str(document["hash"]), (self._request(primary, text),) if primary in hosts else ()

    def _request(self, host: str, text: str) -> Request:
        return Request(lower(Upload(self._context.layouts[host].manifest(self._first.release), (text,))))

    async def _write(self, host: str, text: str) -> None:
        (result,) = await self._context.transport.exchange(host, [self._request(host, text)])
        if not result.ok:
            raise Refused(
                "manifest.unwritable",
                f"could not write what {self._first.release} recorded about itself on {host}",
                where=self._context.layouts[host].manifest(self._first.release),
                said=result.said,
                next=f"`shipway status{self._context.choice.options}`",
            )


def _unseen(report: Report, release: str) -> tuple[str, ...]:
    """Return a note where the files of a release could not be looked at."""
    fault = report.faults.get("files")
    return (
        (f"warning: nobody knows whether uploads and static files of {release} work: {fault.message}",) if fault else ()
    )


def _task(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    return asyncio.get_running_loop().create_task(work)
