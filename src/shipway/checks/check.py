"""One check as its table has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shipway.core.errors import Level

Part = Literal["project", "servers", "outside"]
PARTS: tuple[Part, ...] = ("project", "servers", "outside")


@dataclass(frozen=True, slots=True)
class Check:
    """What a code stands for. `level` is the highest that its findings have.

    `title`: what is wrong. `why`: what happens to the site then. `mend`: what helps, in general; a finding says it in
    the user's names. `is_fixed`: `shipway doctor --fix` can mend it.
    """

    code: str
    level: Level
    title: str
    why: str
    mend: str
    is_fixed: bool = False
