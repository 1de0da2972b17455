"""`boot`: how many hosts get a release at once."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shipway.config.keys import OneOf, key
from shipway.config.kinds import Boolean, Integer, Text

_PERCENT = re.compile(r"\d{1,3}%")


def _check_percent(text: str) -> str:
    if _PERCENT.fullmatch(text) and int(text[:-1]) <= 100:  # noqa: PLR2004  percent
        return ""
    return f"should be a whole number of hosts or a percentage such as 25%, not {text!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """How many hosts get a release at once."""

    limit: int | str | None = key(
        OneOf((Integer(least=1), Text(check=_check_percent)), said="a string"),
        "How many hosts at once: a number, or a percentage of all hosts (at least one).",
        default="all hosts",
    )
    wait: int | None = key(Integer(least=0, unit="s"), "Seconds to wait between groups of hosts.")
    parallel_roles: bool | None = key(Boolean(), "Whether the roles of one host boot side by side.", default="false")

    def limit_of(self, hosts: int) -> int | None:
        """Return how many of `hosts` boot at once; None for all."""
        if isinstance(self.limit, str):
            return max(hosts * int(self.limit.rstrip("%")) // 100, 1)
        return self.limit
