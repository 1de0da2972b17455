"""Whether traffic became clearly worse: more errors, or longer times, than chance explains."""

from __future__ import annotations

import math
from typing import Protocol

LEAST_REQUESTS = 30
"""Fewer requests since the switch prove nothing."""
LEAST_ERRORS = 5
"""A handful of errors may be one visitor who tries again."""
LEAST_FOR_TIMES = 100
"""Of either time: quantiles of fewer requests jump."""
MOST_ERRORS_ANYWAY = 0.01
"""A share of errors that no team would turn back for."""
_WORSE = 2.0
_STORM = 0.25
"""The share that is a storm whatever was before, where that is not known."""
_SLOWER_HALF, _LONGER_HALF_MS = 2.0, 100.0
_SLOWER_TENTH, _LONGER_TENTH_MS = 3.0, 500.0
_SURE = 2.58
"""The 99% of the normal distribution: one false alarm in a hundred windows at most, and these look several times."""


class Counted(Protocol):
    """Requests in some time."""

    @property
    def requests(self) -> int:
        """How many."""
        ...

    @property
    def errors(self) -> int:
        """How many of them were answered with 500 or above."""
        ...

    def quantile_ms(self, share: float) -> float:
        """Return the time in which `share` of them were answered."""
        ...


def bounds(errors: int, requests: int) -> tuple[float, float]:
    """Return between which shares of errors the true one is, with 99% (Wilson's interval, 1927)."""
    if requests <= 0:
        return 0.0, 1.0
    share, z2 = errors / requests, _SURE**2
    middle = (share + z2 / (2 * requests)) / (1 + z2 / requests)
    half = _SURE / (1 + z2 / requests) * math.sqrt(share * (1 - share) / requests + z2 / (4 * requests**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def more_errors(before: Counted, since: Counted) -> str:
    """Return a sentence where the share of errors clearly grew, else "".

    The least that it may be now is more than twice the most that it may have been. Where there was little traffic
    before nothing is known, and only a storm is clear.
    """
    if since.requests < LEAST_REQUESTS or since.errors < LEAST_ERRORS:
        return ""
    least, _ = bounds(since.errors, since.requests)
    _, most = bounds(before.errors, before.requests)
    limit = min(_WORSE * most, (1 + most) / 2) if before.requests >= LEAST_REQUESTS else _STORM
    if least <= max(MOST_ERRORS_ANYWAY, limit):
        return ""
    was = f"{before.errors} of {before.requests} before"
    return f"{since.errors} of {since.requests} requests failed since the switch, and {was}"


def longer_times(before: Counted, since: Counted) -> str:
    """Return a sentence where answers clearly take longer, else "": for every second visitor, or for one in ten."""
    if min(before.requests, since.requests) < LEAST_FOR_TIMES:
        return ""
    rows = ((0.5, "half", _SLOWER_HALF, _LONGER_HALF_MS), (0.9, "nine in ten", _SLOWER_TENTH, _LONGER_TENTH_MS))
    for share, words, factor, more_ms in rows:
        was, now = before.quantile_ms(share), since.quantile_ms(share)
        if now > max(was * factor, was + more_ms):
            return f"{words} of the answers take up to {now:.0f} ms since the switch, and {was:.0f} ms before"
    return ""
