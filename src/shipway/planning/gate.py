"""The gate: may the pending migrations of a release run, and when? The answer is a `Decided`, or a refusal in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from shipway.core.errors import Finding, Refused
from shipway.core.migration import Database
from shipway.migrations.explain import reason, recipe
from shipway.migrations.gate import Gate, Slot, When, base_of_database, close_the_site, sort_out
from shipway.migrations.plan import Base
from shipway.migrations.unmade import unmade
from shipway.planning.approvals import Consents, NeedsApproval
from shipway.planning.migrate import Decided, Keys, name_keys
from shipway.planning.site import MigrationPolicy


@dataclass(frozen=True, slots=True)
class Rules:
    """What the team allows: the policy, the fingerprint that was approved ("": none), whether the site may be closed.

    `command` is the command line that was given, for the one to give next; `approve` the one by which somebody else
    approves. `consents` are the approvals that the ledger has: the same notion as `--approve`.
    """

    policy: MigrationPolicy = "auto"
    approved: str = ""
    window: bool = False
    command: str = "shipway deploy"
    consents: Consents = field(default_factory=Consents)
    approve: str = "shipway approve {fingerprint}"

    def allow(self, fingerprint: str) -> bool:
        """Whether the migrations with `fingerprint` were approved: where others must, not by whoever deploys alone."""
        if self.consents.needed:
            return not self.consents.missing(fingerprint)
        return self.approved == fingerprint or bool(self.consents.people(fingerprint))


@dataclass(frozen=True, slots=True)
class Serves:
    """What serves: its name ("" when nothing does), what it recorded of itself, and why that is not known."""

    release: str = ""
    base: Base | None = None
    unknown: str = ""


def decide(database: Database, serves: Serves, release: str, rules: Rules) -> Decided:
    """Return which pending migrations of `release` run when.

    Raises Refused `migrations.refused`, `migrations.approval`, `migrations.other_approval`, `migrations.by_hand`,
    `migrations.not_made`.
    """
    _check_complete(database, release, rules)
    base = serves.base
    notes: list[str] = []
    if serves.release and base is None:
        base = base_of_database(database, serves.release)
        notes.append(f"{serves.unknown}: its code is taken to be what the database has recorded")
    gate = sort_out(database, base)
    if rules.window:
        gate = close_the_site(gate)
    if rules.policy == "manual":
        return _by_hand(gate, release, rules, notes)
    if refused := gate.at("refused"):
        raise _refusal(refused, serves, release, rules)
    asks = gate.slots if rules.policy == "approve" else gate.approvals
    is_new = not database.applied and not serves.release
    if asks and not is_new and not rules.allow(gate.fingerprint):
        raise _unapproved(gate, asks, release, rules)
    notes += [f"{slot.verdict.migration.label} runs after: {slot.why}" for slot in gate.at("after") if slot.why]
    survives = base is None or all(slot.verdict.old_code != "breaks" for slot in gate.at("before"))
    return Decided(
        before=_keys(gate, "before"),
        after=_keys(gate, "after"),
        window=_keys(gate, "window"),
        old_code_survives=survives,
        is_risky=bool(gate.approvals) and not is_new,
        notes=tuple(notes),
    )


def _check_complete(database: Database, release: str, rules: Rules) -> None:
    """Raise where the models of the release name what neither its migrations make nor the database has."""
    if missing := unmade(database):
        raise Refused(
            "migrations.not_made",
            f"{release} has models that name what no migration makes, and the database lacks: {', '.join(missing[:5])}",
            next=f"`python manage.py makemigrations`, commit what it writes, then `{rules.command}`",
        )


def _keys(gate: Gate, when: When) -> Keys:
    return tuple(slot.verdict.key for slot in gate.at(when))


def _refusal(refused: tuple[Slot, ...], serves: Serves, release: str, rules: Rules) -> Refused:
    names = name_keys(tuple(slot.verdict.key for slot in refused))
    can_close = not rules.window and not any(slot.verdict.broken for slot in refused)
    closed = f", or close the site meanwhile: `{rules.command} --maintenance-window`" if can_close else ""
    return Refused(
        "migrations.refused",
        f"{release} has migrations that {serves.release} and {release} cannot both live with: {names}",
        where=f"{serves.release} serves" if serves.release else "",
        next=f"release it in the phases above{closed}",
        findings=tuple(_finding("migrations.cannot_run", slot, steps=True) for slot in refused),
    )


def _unapproved(gate: Gate, asks: tuple[Slot, ...], release: str, rules: Rules) -> NeedsApproval:
    command = rules.command + (" --maintenance-window" if rules.window else "")
    names = name_keys(tuple(slot.verdict.key for slot in asks))
    what = f"{release} has migrations that somebody must approve: {names}"
    is_other = bool(rules.approved) and rules.approved != gate.fingerprint
    if is_other:
        what = f"`{rules.approved}` approved other migrations than {release} has now: {names}"
    elif rules.consents.needed:
        count = rules.consents.missing(gate.fingerprint)
        people = "somebody" if count == 1 else f"{count} people"
        what = f"{release} has migrations that {people} other than {rules.consents.deployer} must approve: {names}"
    approve = rules.approve.format(fingerprint=gate.fingerprint)
    by_other = f'`{approve} --reason "…"` by somebody else, then `{command}`'
    error = NeedsApproval(
        "migrations.other_approval" if is_other else "migrations.approval",
        what,
        where=f"release.migrations: {rules.policy}",
        next=by_other
        if rules.consents.needed
        else f"`{command} --approve {gate.fingerprint}` approves exactly what is pending now",
        findings=tuple(_finding("migrations.to_approve", slot) for slot in asks),
    )
    error.fingerprint, error.wants = gate.fingerprint, f"the migrations {names}"
    return error


def _by_hand(gate: Gate, release: str, rules: Rules, notes: list[str]) -> Decided:
    """Return that nothing is migrated. Raises where the new release does not work on the database as it is."""
    needed = tuple(slot for slot in gate.slots if slot.verdict.new_code_before == "no")
    if needed:
        raise Refused(
            "migrations.by_hand",
            f"{release} needs migrations that nobody applied: {name_keys(tuple(s.verdict.key for s in needed))}",
            where="release.migrations: manual",
            next=f"apply them, then `{rules.command}`",
            findings=tuple(_finding("migrations.to_apply", slot) for slot in needed),
        )
    left = tuple(slot.verdict.key for slot in gate.slots)
    return Decided(notes=(*notes, *([f"left to you: {name_keys(left)}"] if left else [])))


def _finding(code: str, slot: Slot, *, steps: bool = False) -> Finding:
    verdict = slot.verdict
    how = "\n".join(_steps(slot)) if steps else ""
    why = f" ({slot.why})" if slot.why else ""
    return Finding(
        code,
        f"{verdict.migration.label}, {verdict.cls}: {reason(verdict)}{why}",
        where="/".join(verdict.migration.file.split("/")[-3:]),
        next=how,
        level="error" if steps else "warning",
    )


def _steps(slot: Slot) -> Iterator[str]:
    for number, step in enumerate(recipe(slot.verdict), 1):
        yield f"{number}. {step}"
