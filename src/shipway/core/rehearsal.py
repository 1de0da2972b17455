"""What was seen when a plan of migrations was played in a scratch database: who did what, and what it was told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Actions = Mapping[str, Mapping[str, str]]
"""{model: {action: error}}; "" is what worked."""


@dataclass(frozen=True, slots=True)
class Scratch:
    """A scratch database, or why there is none. `by` is how its schema was made, `rows` how many rows it got."""

    name: str
    by: str = ""
    rows: int = 0
    notes: tuple[str, ...] = ()
    error: str = ""
    twin: str = ""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What was seen in one database.

    `unseeded` are the models of which the old release could not make a row. `baseline` is what it could do before,
    `after` what it could do on the new schema, among rows of the new release; `new_before` and `new_after` likewise.
    `changed` is what became of values that were there first ({model: {field: "lost", "changed"}}, the field "" is the
    row). `meets` are values that the old models do not allow. `prepared` are migrations of the old release that the
    database lacked. `error`: the plan failed in the migration `failed`.
    """

    prepared: tuple[str, ...] = ()
    applied: tuple[str, ...] = ()
    failed: str = ""
    error: str = ""
    unseeded: Mapping[str, str] = field(default_factory=dict)
    baseline: Actions = field(default_factory=dict)
    after: Actions = field(default_factory=dict)
    new_before: Actions = field(default_factory=dict)
    new_after: Actions = field(default_factory=dict)
    changed: Actions = field(default_factory=dict)
    meets: Actions = field(default_factory=dict)
