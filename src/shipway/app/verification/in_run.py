"""Verification as a part of a run: after the switch, while what served before still runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from shipway.adapters.person import ask_person
from shipway.app.call import Caller
from shipway.app.context import Context
from shipway.app.signals import Interruption
from shipway.app.verification.subject import Subject
from shipway.app.verification.verify import Verification, verify_subject
from shipway.app.verification.watching import Watch
from shipway.core.errors import Exit, Held, Interrupted, Refused, ShipwayError, StepFailed
from shipway.core.events import Event, EventKind, Listener
from shipway.core.record import Record
from shipway.core.step import Plan, Stage
from shipway.core.upkeep import WHEN_WRITTEN
from shipway.engine.journal import append
from shipway.engine.outcome import Outcome
from shipway.planning.history import is_kamals
from shipway.planning.turn import why_not_back
from shipway.verification.outcome import CheckOutcome, fatal, tally

T = TypeVar("T")
_NAMED = 10
_KINDS: dict[str, EventKind] = {"passed": "check.passed", "failed": "check.failed", "skipped": "check.skipped"}


@dataclass(slots=True)
class RunVerification:
    """What a run verifies, and what came of it. For one run.

    `is_off`: the run is brought to its end without being looked at; `why` a person said so, "" for a run that was left
    open and is settled by the next one.
    """

    context: Context
    run: str
    caller: Caller
    interruption: Interruption
    listen: Listener
    is_off: bool = False
    why: str = ""
    last: Verification | None = field(default=None)

    async def at(self, plan: Plan, stage: Stage) -> None:
        """Verify the release of `plan` at `stage`. Raises Refused `verify.failed`, Held, Interrupted.

        The explicit way back is not turned back for what it finds: nobody would want that release again. What it found
        is told at its end (`last`).
        """
        if self.is_off:
            if self.why:
                await self._write(plan.run, {"release": plan.release, "verified": "skipped", "why": self.why[:500]})
            return
        if (subject := self._subject(plan.release, plan.version, plan.base)) is None:
            return
        self.last = await self._unless_stopped(self._look(subject, self._heard(plan)), plan)
        await self._record(self.last, plan.run)
        if self.last.fatal and plan.verb != "rollback":
            await self._turn(self.last, plan, stage)

    def _subject(self, release: str, version: str, base: str) -> Subject | None:
        wanted = self.context.service.config.verify
        return (
            None
            if wanted is None or is_kamals(release)
            else Subject(self.context, wanted, release, version, base, is_deploy=True)
        )

    async def _unless_stopped(self, work: Coroutine[Any, Any, T], plan: Plan) -> T:
        """Return what `work` does, unless somebody asks the run to stop: then nothing more is asked of anybody."""
        task = asyncio.ensure_future(work)

        def leave() -> None:
            task.cancel()

        with self.interruption.stop.heard_by(leave):
            if self.interruption.stop.is_set:
                leave()
            try:
                return await task
            except asyncio.CancelledError:
                if not self.interruption.stop.is_set:
                    raise
                why = f"{plan.verb} of {plan.release} was stopped while it was verified: {self.interruption.stop.why}"
                raise Interrupted("run.interrupted", why) from None

    async def _look(self, subject: Subject, heard: Callable[[CheckOutcome], None]) -> Verification:
        """Verify; and where that is wanted, watch what visitors get for a while, and verify once more."""
        begun_s = self.context.clock.monotonic()
        found = await verify_subject(subject, heard)
        limit_s = float(self.context.service.config.release.watch)
        if found.fatal or not limit_s or not subject.base:
            return found
        self.caller.say(f"Watching what visitors get for {limit_s:g} s; {subject.base} still runs.")
        watched = await Watch(self.context, begun_s, limit_s).run()
        heard(watched)
        if not watched.is_fatal:
            found = await verify_subject(subject)
            for one in found.fatal:
                heard(one)
        took_s = self.context.clock.monotonic() - begun_s
        return replace(found, outcomes=(*found.outcomes, watched), took_s=took_s)

    def _heard(self, plan: Plan) -> Callable[[CheckOutcome], None]:
        def heard(one: CheckOutcome) -> None:
            event = Event(
                kind=_KINDS[one.state],
                run=plan.run,
                at_s=self.context.clock.monotonic(),
                host=one.check.host,
                title=f"{one.check.code} {one.check.name}",
                detail=one.answer.what or "; ".join(one.answer.evidence),
                took_s=round(one.duration_s, 3),
            )
            with suppress(Exception):  # a closed terminal does not break a run
                self.listen(event)

        return heard

    async def _turn(self, found: Verification, plan: Plan, stage: Stage) -> None:
        """Raise what a failure means: the way back, or that a person is to decide."""
        error = failure(found)
        policy = self.context.service.config.release.on_failure
        if why := why_not_back(plan, stage):
            raise Held(error.code, f"{error.what}; there is no way back: {why}", where=error.where, said=error.said)
        if policy == "rollback" or (policy == "ask" and await self._says_back(error, plan)):
            raise error
        raise Held(error.code, error.what, where=error.where, said=error.said)

    async def _says_back(self, error: ShipwayError, plan: Plan) -> bool:
        """Ask a person; without one nothing is taken back."""
        if self.caller.ask is None:
            return False
        question = f"{error.what}.\n{error.said}\nGo back to {plan.base}? (No: both releases go on running)"
        return await self._unless_stopped(ask_person(self.caller.ask, question), plan)

    async def _record(self, found: Verification, run: str) -> None:
        """Write into the ledger of the primary host what was verified. A ledger that is full fails the next step."""
        bad = fatal(found.outcomes)
        detail: dict[str, str | float] = {
            "release": found.release,
            "verified": "failed" if bad else "passed",
            "checks": tally(found.outcomes),
            "took_s": round(found.took_s, 3),
        }
        told = [
            f"{one.check.code} {one.check.name}: {one.answer.what}" for one in found.outcomes if one.state == "failed"
        ]
        if told:
            detail["failed"] = "\n".join(told[:_NAMED])[:2000]
        await self._write(run, detail)

    async def _write(self, run: str, detail: dict[str, str | float]) -> None:
        target = self.context.site.targets[0]
        record = Record("run.verified", run, WHEN_WRITTEN, detail=detail)
        with suppress(ShipwayError):
            await self.context.transport.exchange(target.host, [append(target.layout, [record])])

    def error(self, outcome: Outcome) -> ShipwayError | None:
        """Return what is to be told of a run that was done all the same: a way back to a release that is not right."""
        if self.last is None or not self.last.fatal or outcome.ending != "done":
            return None
        found, options = failure(self.last), self.context.choice.options
        return StepFailed(
            found.code,
            found.what,
            ended=Exit.MIXED,
            where=found.where,
            said=found.said,
            now=outcome.now(),
            next=f"`shipway verify{options}` looks again, `shipway rollback --list{options}` shows other ways back",
        )

    def notes(self) -> tuple[str, ...]:
        """Return what a report says of the verification."""
        if self.last is None:
            return ()
        told = (one for one in self.last.outcomes if one.state == "failed")
        warnings = (f"warning: {one.check.code} {one.check.name}: {one.answer.what}" for one in told)
        return (f"verified {self.last.release}: {tally(self.last.outcomes)}", *warnings)

    async def after_way_back(self, plan: Plan) -> str:
        """Verify what serves again after a way back, and return what came of it as a sentence.

        Where it fails the same, the release was not the cause.
        """
        before = self.last
        if before is None or not before.fatal or not plan.base:
            return ""
        subject = self._subject(plan.base, "", "")
        if subject is None:
            return ""
        try:
            again = await verify_subject(subject)
        except ShipwayError as error:
            return f"{plan.base} could not be verified: {error}"
        await self._record(again, plan.run)
        if not again.fatal:
            return f"{plan.base} was verified: {tally(again.outcomes)}"
        same = {one.check.key for one in before.fatal} & {one.check.key for one in again.fatal}
        names = ", ".join(f"{one.check.code} {one.check.name}" for one in again.fatal[:3])
        also = f", so {plan.release} is not the only cause" if same else ""
        return f"{plan.base} is not right either{also}: {names}"


def failure(found: Verification) -> Refused:
    """Return the required checks that failed as one error."""
    bad = found.fatal
    first = bad[0]
    more = f", and {len(bad) - 1} more checks failed" if len(bad) > 1 else ""
    lines = [line for one in bad[:_NAMED] for line in _lines(one)]
    where = " on ".join(filter(None, (f"{first.check.code} {first.check.name}", first.check.host)))
    return Refused(
        first.check.code,
        f"{found.release} is not right: {first.answer.what}{more}",
        where=where,
        said="\n".join(lines[: Refused.said_lines]),
    )


def _lines(one: CheckOutcome) -> tuple[str, ...]:
    """Return what is told of one failed check."""
    where = " on ".join(filter(None, (f"{one.check.code} {one.check.name}", one.check.host)))
    evidence = tuple(f"  {line}" for line in one.answer.evidence[:4])
    return (f"{where}: {one.answer.what}", *evidence, *((f"  next: {one.answer.next}",) if one.answer.next else ()))
