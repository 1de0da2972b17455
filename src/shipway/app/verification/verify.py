"""`verify`: asks every check, from outside and from inside, and says what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from shipway.adapters.redact import Redactor
from shipway.app.call import Caller, Choice
from shipway.app.context import Context, open_context
from shipway.app.verification.inside import service_batches
from shipway.app.verification.logs import log_batches
from shipway.app.verification.outside import outside_batches
from shipway.app.verification.processes import process_batches
from shipway.app.verification.run import Batch, run_checks
from shipway.app.verification.subject import Source, Subject
from shipway.app.verification.workers import worker_batches
from shipway.core.errors import Refused, ShipwayError
from shipway.planning.history import base_release, version_of
from shipway.verification.outcome import Answer, Check, CheckOutcome, failed, fatal

SOURCES: tuple[Source, ...] = (
    outside_batches,
    service_batches,
    worker_batches,
    process_batches,
    log_batches,
)


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of the checks of `release`; `took_s` is for all of them together."""

    service: str
    destination: str
    release: str
    version: str
    outcomes: tuple[CheckOutcome, ...]
    took_s: float = 0.0

    @property
    def fatal(self) -> tuple[CheckOutcome, ...]:
        """The required checks that failed."""
        return fatal(self.outcomes)


async def verify(choice: Choice, caller: Caller) -> Verification:
    """Verify what serves now. Raises Refused where nothing does, or where the configuration says `verify: false`."""
    async with open_context(choice, caller) as context:
        wanted = context.service.config.verify
        if wanted is None:
            raise Refused(
                "verify.off",
                "nothing is to be verified: the configuration says `verify: false`",
                where="verify",
                next="remove it, or name the checks that are wanted",
            )
        facts = await context.observe()
        release = base_release(context.site, facts)
        if not release:
            raise Refused(
                "verify.nothing_serves",
                "no release serves, so there is nothing to verify",
                where=context.site.service,
                next=f"`shipway deploy{context.choice.options}`",
            )
        subject = Subject(context, wanted, release, version_of(release, facts.primary.records))
        return await verify_subject(subject)


async def verify_subject(subject: Subject, heard: Callable[[CheckOutcome], None] = lambda _: None) -> Verification:
    """Return what came of all checks of `subject`. Whatever they say, no answer has a secret in it."""
    context = subject.context
    begun_s = context.clock.monotonic()
    redactor = Redactor.of(context.service.secrets)

    def clean(outcome: CheckOutcome) -> CheckOutcome:
        return replace(outcome, answer=_cleaned(outcome.answer, redactor))

    sources = await asyncio.gather(*(_prepared(source, subject) for source in SOURCES))
    batches = [batch for batches in sources for batch in batches]
    outcomes = await run_checks(batches, context.clock, heard=lambda one: heard(clean(one)))
    return Verification(
        context.service.config.service,
        context.service.config.destination or "",
        subject.release,
        subject.version,
        tuple(clean(one) for one in outcomes),
        context.clock.monotonic() - begun_s,
    )


async def _prepared(source: Source, subject: Subject) -> Sequence[Batch]:
    """Return the batches of a source; one that cannot be prepared is a check that failed."""
    try:
        return await source(subject)
    except ShipwayError as error:
        answer = failed(error.what, *filter(None, error.said.splitlines()[-5:]), next=error.next)
        check = Check("verify.prepare", error.code, error.where, retries=0)

        async def ask(checks: Sequence[Check]) -> dict[Check, Answer]:
            return dict.fromkeys(checks, answer)

        return [Batch((check,), ask)]


def _cleaned(answer: Answer, redactor: Redactor) -> Answer:
    def clean(text: str) -> str:
        return redactor.clean(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")

    return Answer(answer.state, clean(answer.what), tuple(clean(line) for line in answer.evidence), clean(answer.next))


def of_context(context: Context, release: str, version: str, base: str) -> Subject | None:
    """Return what a run verifies when `release` serves; None where the configuration wants nothing verified."""
    wanted = context.service.config.verify
    return None if wanted is None else Subject(context, wanted, release, version, base, is_deploy=True)
