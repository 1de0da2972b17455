"""One act of a rehearsal as one program for the standard input of `python -` in a release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

from shipway.django.probe import (
    catalogue,
    common,
    exercise,
    project,
    redirect,
    rehearse,
    rows,
    scratch,
    scratch_postgresql,
    values,
)
from shipway.django.probe_source import supervised

Act = Literal["make", "seed", "apply", "try", "drop"]
PARTS = (common, project, redirect, values, catalogue, scratch_postgresql, scratch, rows, exercise, rehearse)


@dataclass(frozen=True, slots=True)
class ActOptions:
    """What one process is asked to do.

    `name` begins the names of scratch databases, `directory` holds those that are files. `scratch` has the name for
    each alias ("" where there is none), `known` the rows that were there first, as the act `seed` answered. `rows`
    are copied from each table. `fresh`: the databases stay empty,
    and the old release's own migrations fill them. `limit_s` ends the whole, `section_s` the act.
    """

    act: Act
    manage: str = "manage.py"
    name: str = ""
    directory: str = ""
    scratch: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, object] = field(default_factory=dict)
    rows: int = 0
    fresh: bool = False
    limit_s: float = 600.0
    section_s: float = 580.0
    limit_bytes: int = 32_000_000
    packed: bool = False


def build_act(token: str, options: ActOptions) -> str:
    """Return the program. `token` is 16 to 64 random hex digits, new for each call. Raises ValueError for another."""
    return supervised(token, asdict(options), PARTS, "rehearse")
