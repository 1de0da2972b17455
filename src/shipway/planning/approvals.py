"""Approvals and holds: what the ledger says that people agreed to, and whether that is enough.

What is approved has a fingerprint: that of a deploy, or that of the migrations that a gate would not run by itself.
A name is what somebody gave, or what their machine said: it is recorded, and nothing proves it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from shipway.core.action import Upload
from shipway.core.errors import Refused
from shipway.core.facts import Facts
from shipway.core.plan_codec import plan_to_json
from shipway.core.record import Record
from shipway.core.step import Plan, Step
from shipway.planning.site import Site, Target
from shipway.planning.stages import per_host, roll_out, stage
from shipway.runtimes.base import Release

_ANY_RELEASE = "r0"
"""The number of a release is no part of what is approved: a deploy that was refused on its way has used one up."""


@dataclass(frozen=True, slots=True)
class Approval:
    """That a person agreed to what has `fingerprint`; `at` is UTC by the clock of the primary host."""

    fingerprint: str
    who: str
    at: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    """That nobody is to deploy."""

    who: str
    at: str
    reason: str

    def __str__(self) -> str:
        return f"held by {self.who} since {self.at}: {self.reason}"


class NeedsApproval(Refused):
    """What has `fingerprint` lacks an approval; `wants` says what that is."""

    fingerprint: str = ""
    wants: str = ""


@dataclass(frozen=True, slots=True)
class Consents:
    """Who agreed to what. `needed` is how many people other than `deployer` must."""

    approvals: tuple[Approval, ...] = ()
    needed: int = 0
    deployer: str = ""

    def people(self, fingerprint: str) -> tuple[str, ...]:
        """Return who agreed, each once; where others are needed, without whoever deploys."""
        found = {one.who.casefold(): one.who for one in self.approvals if one.fingerprint == fingerprint}
        if self.needed:
            found.pop(self.deployer.casefold(), None)
        return tuple(found.values())

    def missing(self, fingerprint: str) -> int:
        """Return how many people must still agree."""
        return max(0, self.needed - len(self.people(fingerprint)))


def approvals_of(records: Sequence[Record]) -> tuple[Approval, ...]:
    """Return the approvals that a ledger has, the oldest first."""
    return tuple(
        Approval(
            str(record.detail.get("fingerprint", "")),
            str(record.detail.get("who", "")),
            record.at,
            str(record.detail.get("reason", "")),
        )
        for record in records
        if record.kind == "approval" and record.detail.get("fingerprint") and record.detail.get("who")
    )


def hold_of(records: Sequence[Record]) -> Hold | None:
    """Return the hold that stands, None for none."""
    last = next((record for record in reversed(records) if record.kind in ("hold", "hold.end")), None)
    if last is None or last.kind == "hold.end":
        return None
    return Hold(str(last.detail.get("who", "")), last.at, str(last.detail.get("reason", "")))


def deploy_fingerprint(site: Site, facts: Facts, plan: Plan, release: Release) -> str:
    """Return twelve hex digits that change with anything that a deploy of `release` over what serves would do.

    Counted are the version, what it goes over, the files and names that it gets, and how it starts and is switched to.
    Not counted are the number of the release, how its code and image come to the hosts (an attempt that was refused
    may have brought them), what makes a host ready, and what is cleaned up.
    """
    name = replace(release, release=_ANY_RELEASE)

    def files(target: Target) -> Iterator[Step]:
        units = tuple(site.units(_ANY_RELEASE, release.version, host=target.host))
        for step in target.runtime.prepare_steps(name, units):
            uploads = tuple(action for action in step.do if isinstance(action, Upload))
            yield replace(step, do=uploads, done=None, undo=())

    stages = (*stage("put", per_host(site, files)), *roll_out(site, facts, _ANY_RELEASE, release.version))
    same = replace(plan, run="", verb="deploy", release=_ANY_RELEASE, stages=stages, notes=(), is_partial=False)
    body = json.loads(plan_to_json(same))
    return hashlib.sha256(json.dumps([plan.verb, body], sort_keys=True).encode()).hexdigest()[:12]


def check_hold(hold: Hold | None, verb: str, options: str) -> None:
    """Raise Refused `deploy.held` where somebody holds the destination."""
    if hold is not None:
        raise Refused(
            "deploy.held",
            f"{verb} is not possible now: the destination is {hold}",
            where=f"hold of {hold.who}, in the ledger",
            next=f"ask {hold.who}; `shipway unhold{options}` ends it; `shipway rollback{options}` works all the same",
        )


def check_approved(consents: Consents, fingerprint: str, what: str, commands: tuple[str, str]) -> None:
    """Raise NeedsApproval `deploy.needs_approval` where people must still agree to `what`.

    `commands` are the one that approves, without its reason, and the one that deploys.
    """
    missing = consents.missing(fingerprint)
    if not missing:
        return
    have = consents.people(fingerprint)
    agreed = f"; approved so far by {', '.join(have)}" if have else ""
    raise needs_approval(
        "deploy.needs_approval",
        f"{what} needs the approval of {_people(missing)} other than {consents.deployer}{agreed}",
        where=f"release.approvals: {consents.needed}",
        next=f'`{commands[0]} --reason "…"` by somebody else, then `{commands[1]}`',
        about=(fingerprint, what),
    )


def needs_approval(code: str, text: str, *, where: str, next: str, about: tuple[str, str]) -> NeedsApproval:
    """Return the error; `about` is the fingerprint, and what has it."""
    error = NeedsApproval(code, text, where=where, next=next)
    error.fingerprint, error.wants = about
    return error


def _people(count: int) -> str:
    return "one person" if count == 1 else f"{count} people"
