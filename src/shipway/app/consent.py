"""Approvals and holds around a deploy: what is asked of a plan before it runs, and what people write for it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from shipway.app.answers import Preview
from shipway.app.call import Caller, Choice
from shipway.app.context import Context, open_context
from shipway.app.person import Person, person_of
from shipway.app.way_back import Judge
from shipway.core.action import Command
from shipway.core.errors import Refused, UsageError
from shipway.core.facts import Facts
from shipway.core.ports import Request
from shipway.core.record import Record, RecordKind
from shipway.core.step import Plan
from shipway.core.upkeep import WHEN_WRITTEN
from shipway.engine.journal import append, last_words, parse_tail, tail
from shipway.planning.approvals import (
    Consents,
    NeedsApproval,
    approvals_of,
    check_approved,
    check_hold,
    deploy_fingerprint,
    hold_of,
)
from shipway.runtimes.base import Release

_RUN = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{4}")
_FINGERPRINT = re.compile(r"[0-9a-f]{12}")
_VIA_SCRIPT = 'printf "%s %s" "$(id -un)" "${SSH_CONNECTION%% *}"'
_MAX_VIA = 120


@dataclass(frozen=True, slots=True)
class Standing:
    """How an approval stands: to what, by whom, who else agreed, and how many people are needed (0: any one)."""

    fingerprint: str
    what: str
    by: str
    source: str
    people: tuple[str, ...]
    needed: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class HoldView:
    """Whether the destination is held, and one sentence about it."""

    is_held: bool
    sentence: str


def deployer_of(context: Context, caller: Caller) -> Person:
    """Return who acts in this call."""
    return person_of(caller.by, os.environ, context.service.directory)


def consents_of(context: Context, caller: Caller, facts: Facts) -> Consents:
    """Return who agreed to what, as the ledger has it."""
    needed = context.site.approvals
    who = deployer_of(context, caller).name if needed else ""
    return Consents(approvals_of(facts.primary.records), needed, who)


def fingerprint_of(context: Context, facts: Facts, plan: Plan) -> str:
    """Return the fingerprint of the deploy that `plan` is, or is the first part of."""
    tree = context.tree
    return deploy_fingerprint(
        context.site, facts, plan, Release(plan.release, plan.version, tree.repository, tree.project)
    )


def judge_deploy(context: Context, caller: Caller, command: str) -> Judge:
    """Return what refuses a deploy that is held, or lacks approvals; `command` is the one that was given."""

    async def judge(facts: Facts, plan: Plan) -> Plan:
        options = context.choice.options
        check_hold(hold_of(facts.primary.records), plan.verb, options)
        consents = consents_of(context, caller, facts)
        if not consents.needed:
            return plan
        fingerprint = fingerprint_of(context, facts, plan)
        try:
            check_approved(consents, fingerprint, what_of(plan), (f"shipway approve {fingerprint}{options}", command))
        except NeedsApproval as error:
            await want(context, error, plan.run, consents)
            raise
        people = ", ".join(consents.people(fingerprint))
        note = f"{fingerprint} approved by {people}, deployed by {consents.deployer}"
        return replace(plan, notes=(*plan.notes, note))

    return judge


def what_of(plan: Plan) -> str:
    """Return what a deploy brings, in words that stay true when it is tried again."""
    over = f"over {plan.base}" if plan.base else "as the first release"
    return f"the {plan.verb} of {plan.version[:12] or plan.release} {over}"


async def want(context: Context, error: NeedsApproval, run: str, consents: Consents) -> None:
    """Write that `run` was refused for lack of an approval, so that it can be approved by its id."""
    detail: dict[str, str | int | float] = {
        "fingerprint": error.fingerprint, "what": error.wants, "who": consents.deployer or context.author.who,
        "count": max(1, consents.needed),
    }  # fmt: skip
    await write(context, "approval.wanted", detail, run)
    context.notice.wants(error.wants, error.next)


async def approve(choice: Choice, caller: Caller, what: str, reason: str) -> Standing:
    """Write that whoever calls agrees to `what`: a fingerprint, or the run that was refused for lack of it.

    Raises Refused `approve.unknown`, `approve.own`, and UsageError.
    """
    check_reason(reason, "approve")
    async with open_context(choice, caller) as context:
        records = await _records(context)
        wanted = _wanted(records, what, choice.options)
        fingerprint = str(wanted.detail["fingerprint"]) if wanted else what
        person = deployer_of(context, caller)
        needed = context.site.approvals
        asked_by = str(wanted.detail.get("who", "")) if wanted else ""
        if needed and person.name.casefold() == asked_by.casefold():
            raise Refused(
                "approve.own", f"{person.name} deploys it, so somebody else must approve it",
                where=f"release.approvals: {needed}",
                next=f'`shipway approve {fingerprint}{choice.options} --reason "…"` by somebody else',
            )  # fmt: skip
        before = Consents(approvals_of(records), needed, asked_by)
        is_new = person.name.casefold() not in {one.casefold() for one in before.people(fingerprint)}
        if is_new:
            detail = {"fingerprint": fingerprint, "who": person.name, "reason": reason, "as": person.source}
            await write(context, "approval", {**detail, "via": await _via(context)})
        people = before.people(fingerprint)
        told = str(wanted.detail.get("what", "")) if wanted else ""
        return Standing(
            fingerprint, told, person.name, person.source, (*people, person.name) if is_new else people, needed, is_new
        )


async def hold(choice: Choice, caller: Caller, reason: str) -> HoldView:
    """Stop all deploys to the destination. Raises UsageError without a reason."""
    check_reason(reason, "hold")
    async with open_context(choice, caller) as context:
        person = deployer_of(context, caller)
        await write(context, "hold", {"who": person.name, "reason": reason, "as": person.source})
        return HoldView(is_held=True, sentence=f"{context.site.service} is held by {person.name}: {reason}")


async def unhold(choice: Choice, caller: Caller, reason: str) -> HoldView:
    """Let deploys go on."""
    async with open_context(choice, caller) as context:
        held = hold_of(await _records(context))
        if held is None:
            return HoldView(is_held=False, sentence=f"{context.site.service} is not held")
        person = deployer_of(context, caller)
        detail = {"who": person.name, "reason": reason or f"ends the hold of {held.who}", "as": person.source}
        await write(context, "hold.end", detail)
        return HoldView(is_held=False, sentence=f"{context.site.service} was {held}; deploys are possible again")


def with_consents(context: Context, caller: Caller, facts: Facts, preview: Preview) -> Preview:
    """Return the preview of a deploy with what stands in its way: a hold, approvals that are missing."""
    plan = with_hold(preview.plan, facts, "a deploy would be refused")
    consents = consents_of(context, caller, facts)
    if not consents.needed:
        return replace(preview, plan=plan)
    fingerprint = fingerprint_of(context, facts, plan)
    people = consents.people(fingerprint)
    command = f'`shipway approve {fingerprint}{context.choice.options} --reason "…"`'
    have = f"approved by {', '.join(people)}" if people else f"{command} approves it"
    note = f"approvals: {len(people)} of {consents.needed} from others than {consents.deployer}; {have}"
    return replace(preview, plan=replace(plan, notes=(*plan.notes, note)), approval=fingerprint, approved=people)


def with_hold(plan: Plan, facts: Facts, then: str = "a rollback goes on all the same") -> Plan:
    """Return `plan` with a word about the hold, where there is one, and what that means."""
    held = hold_of(facts.primary.records)
    return replace(plan, notes=(*plan.notes, f"{plan.service} is {held} ({then})")) if held else plan


def check_reason(reason: str, verb: str) -> None:
    """Raise UsageError `usage.no_reason` where nobody said why."""
    if not reason.strip():
        raise UsageError(
            "usage.no_reason",
            f"`{verb}` was given no reason",
            next=f'`shipway {verb} --reason "…"`: the ledger keeps it',
        )


def _wanted(records: tuple[Record, ...], what: str, options: str) -> Record | None:
    """Return the line that asked for what is approved, None for a fingerprint that nobody asked for yet."""
    asked = [r for r in reversed(records) if r.kind == "approval.wanted" and r.detail.get("fingerprint")]
    found = next((record for record in asked if what in (record.run, record.detail["fingerprint"])), None)
    if found is None and not _FINGERPRINT.fullmatch(what):
        is_run = bool(_RUN.fullmatch(what))
        raise Refused(
            "approve.unknown",
            f"the run {what} waits for no approval" if is_run else f"`{what}` is no run and no fingerprint",
            next=f"`shipway plan deploy{options}` shows the fingerprint of what would be deployed now",
        )
    return found


async def _records(context: Context) -> tuple[Record, ...]:
    primary = context.site.primary
    (result,) = await context.transport.exchange(primary, [tail(context.layouts[primary])])
    return parse_tail(result)


async def _via(context: Context) -> str:
    """Return the login and the address with which the primary host was reached: what that host itself can tell."""
    command = Command(("sh", "-c", _VIA_SCRIPT), limit_s=20.0)
    (result,) = await context.transport.exchange(context.site.primary, [Request(command, "never")])
    text = result.text.strip()
    return text[:_MAX_VIA] if result.ok and text.isprintable() else ""


async def write(context: Context, kind: RecordKind, detail: Mapping[str, str | int | float], run: str = "") -> None:
    """Append one line to the ledger of the primary host. Raises Refused `ledger.unwritable`."""
    primary = context.site.primary
    layout = context.layouts[primary]
    record = Record(kind, run, WHEN_WRITTEN, detail={**detail, "from": context.author.origin})
    (result,) = await context.transport.exchange(primary, [append(layout, [record])])
    if not result.ok:
        raise Refused(
            "ledger.unwritable", f"could not write the ledger on {primary}", where=layout.ledger,
            said=last_words(result.said), next=f"`shipway status{context.choice.options}`",
        )  # fmt: skip
