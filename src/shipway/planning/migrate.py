"""The steps that migrate: which migrations, when, and where. What may run when was decided by `planning.gate`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from shipway.core.migration import Key
from shipway.core.step import Plan, Step
from shipway.core.unit import Unit
from shipway.django.apply_source import apply_source
from shipway.planning.site import Site

Keys = tuple[Key, ...]
When = Literal["before", "after", "window"]
_TITLES: Mapping[When, str] = {
    "before": "migrate the database with {release}: {names}",
    "after": "migrate what {base} still needed: {names}",
    "window": "migrate the database, while the site is closed: {names}",
}
_NAMED = 3
LOCK_TIMEOUT_S = 2.0
LOCK_TRIES = 10
"""A statement that waits for a lock stops everybody behind it, so it waits shortly, and is tried again."""
WAIT_FOR_OTHERS_S = 900.0


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided about the pending migrations of a release, each list in the order of the graph.

    `window`: all of them run while the site is closed. `old_code_survives` what runs before the switch.
    `is_risky`: one of them loses or changes data, or takes long. `workers_first`: the old workers stop before the
    switch. `notes` is what a person should know.
    """

    before: Keys = ()
    after: Keys = ()
    window: Keys = ()
    old_code_survives: bool = True
    is_risky: bool = False
    workers_first: bool = False
    notes: tuple[str, ...] = ()


def migration_unit(site: Site, release: str, version: str) -> Unit | None:
    """Return the unit in whose environment the release is asked and migrates: on the primary host where one is."""
    units = sorted(site.units(release, version), key=lambda u: (u.host != site.primary, u.kind))
    return next(iter(units), None)


def migrate_step(site: Site, plan: Plan, when: When, decided: Decided) -> Step | None:
    """Return the step of a deploy that applies the migrations of one moment, None when there are none.

    It has no undo. Doing it again does what is left: what is recorded as applied is passed over.
    """
    keys: Keys = {"before": decided.before, "after": decided.after, "window": decided.window}[when]
    unit = migration_unit(site, plan.release, plan.version)
    if unit is None or not keys:
        return None
    asked = {
        "manage": site.manage,
        "alias": "default",
        "keys": [list(key) for key in keys],
        "lock_timeout_s": LOCK_TIMEOUT_S,
        "tries": LOCK_TRIES,
        "wait_s": WAIT_FOR_OTHERS_S,
    }
    command = site.target(unit.host).runtime.one_off(unit, ("python", "-", json.dumps(asked)))
    return Step(
        id=f"{unit.host}/migrate" + ("" if when == "before" else f"-{when}"),
        title=_TITLES[when].format(release=plan.release, base=plan.base, names=name_keys(keys)),
        host=unit.host,
        do=(replace(command, stdin=(apply_source(),), limit_s=site.migrate_limit_s),),
        repeatable=True,
        harmless=when == "before" and decided.old_code_survives,
    )


def name_keys(keys: Keys) -> str:
    """Return a few migrations by name, and how many more there are."""
    names = ", ".join(".".join(key) for key in keys[:_NAMED])
    return names + (f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else "")
