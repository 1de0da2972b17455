"""When each pending migration may run: before the switch, after the old release is gone, or not in this release.

Pure: verdicts in, an order out. What asks for a person's approval is named; who gives it is decided elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from shipway.core.migration import Database, Key
from shipway.migrations.plan import Base, chart, expand
from shipway.migrations.verdict import Verdict, judge

When = Literal["before", "after", "window", "refused"]
"""Before the switch, after the old release is gone, while the site is closed, or not in this release."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Where one migration stands, and why there where that is not plain."""

    verdict: Verdict
    when: When
    why: str = ""

    @property
    def needs_approval(self) -> bool:
        """Whether a person must agree: data is lost or changed, somebody waits long, or old code is restricted."""
        cls = self.verdict.cls
        return cls in ("destructive", "needs-approval", "data migration") or (
            cls == "long-running" and self.verdict.long_running
        )


@dataclass(frozen=True, slots=True)
class Gate:
    """The pending migrations of one database, each in its place, in the order of the graph."""

    slots: tuple[Slot, ...]

    def at(self, when: When) -> tuple[Slot, ...]:
        """Return the migrations that run at `when`, in order."""
        return tuple(slot for slot in self.slots if slot.when == when)

    @property
    def approvals(self) -> tuple[Slot, ...]:
        """Return the migrations that run only when a person agrees."""
        return tuple(slot for slot in self.slots if slot.when != "refused" and slot.needs_approval)

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that change with any migration, its file, or the moment at which it runs."""
        parts = [(*slot.verdict.key, slot.verdict.migration.digest, slot.when) for slot in self.slots]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def sort_out(database: Database, base: Base | None) -> Gate:
    """Return when each migration that `database` has not recorded may run, while `base` serves.

    Without a base nothing serves, and everything runs before the new release starts.
    """
    recorded = expand(database.applied or (), database.walk)
    real = None
    if base is not None:
        # What the release has and its database does not is as pending as anything else.
        real = replace(base, keys=expand(base.keys, database.walk) & recorded)
    verdicts = tuple(verdict for verdict in judge(database, real) if verdict.key not in recorded)
    if base is None:
        return Gate(tuple(Slot(verdict, "before") for verdict in verdicts))
    return order(verdicts)


def base_of_database(database: Database, name: str) -> Base:
    """Return the release that matches what the database has recorded: for one that left no manifest."""
    return Base(name, expand(database.applied or (), database.walk), chart(database, None).release or {})


def close_the_site(gate: Gate) -> Gate:
    """Return the order in which migrations run while nothing serves: all at once, and those that break stay refused.

    A gate that has no refused migration is returned as it is: nothing need be closed for it.
    """
    if not gate.at("refused"):
        return gate
    broken: set[Key] = set()
    slots = []
    for slot in gate.slots:
        blocked = next((parent for parent in slot.verdict.migration.dependencies if parent in broken), None)
        if slot.verdict.broken or blocked is not None:
            broken.add(slot.verdict.key)
            slots.append(replace(slot, when="refused"))
        else:
            slots.append(Slot(slot.verdict, "window"))
    return Gate(tuple(slots))


def order(verdicts: Iterable[Verdict]) -> Gate:
    """Return the place of each verdict. Verdicts come in the order of the graph."""
    late: set[Key] = set()
    refused: set[Key] = set()
    slots = []
    for verdict in verdicts:
        slot = _place(verdict, late, refused)
        if slot.when == "after":
            late.add(verdict.key)
        elif slot.when == "refused":
            refused.add(verdict.key)
        slots.append(slot)
    return Gate(tuple(slots))


def _place(verdict: Verdict, late: set[Key], refused: set[Key]) -> Slot:
    parents = verdict.migration.dependencies
    blocked = next((parent for parent in parents if parent in refused), None)
    if blocked is not None:
        return Slot(verdict, "refused", f"it stands on {'.'.join(blocked)}, which is refused")
    if verdict.broken:
        return Slot(verdict, "refused", "the new release does not work on the schema that it leaves")
    behind = next((parent for parent in parents if parent in late), None)
    wants_late = verdict.old_code == "breaks" or verdict.phase == "after"
    if not wants_late and behind is None:
        return Slot(verdict, "before")
    if verdict.new_code_before != "no":
        why = f"it stands on {'.'.join(behind)}, which runs after" if behind and not wants_late else ""
        return Slot(verdict, "after", why)
    if verdict.old_code != "breaks" and behind is None:
        return Slot(verdict, "before", "it was declared to run after, and the new release does not work without it")
    why = f"it stands on {'.'.join(behind)}, which must run after" if behind and verdict.old_code != "breaks" else ""
    return Slot(verdict, "refused", why or "the old release does not survive it, and the new one does not work without")
