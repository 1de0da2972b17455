"""The table of what happened to every request."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shipway.app.demo.record import Sample

HEADINGS = ("phase", "requests", "failed", "retried", "p95", "slowest", "answered by")
_PERCENTILE = 0.95
_DELIBERATE = frozenset({"slow", "websocket"})


@dataclass(frozen=True, slots=True)
class Row:
    """The requests of one phase. Latencies leave out those that are slow on purpose, and echoes of the other service.

    `releases`: who answered, in order of appearance. `errors`: what went wrong, with its kind, most frequent first.
    """

    phase: str
    count: int
    failed: int
    retried: int
    p95_s: float
    slowest_s: float
    releases: tuple[str, ...]
    errors: tuple[tuple[str, int], ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether every request was answered well at the first attempt, and there was at least one."""
        return self.count > 0 and not self.failed and not self.retried

    def cells(self) -> tuple[str, ...]:
        """Return the row as text, a cell for each of `HEADINGS`."""
        numbers = (str(self.count), str(self.failed), str(self.retried))
        return (self.phase, *numbers, _ms(self.p95_s), _ms(self.slowest_s), " ".join(self.releases))


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def summarize(phase: str, samples: Iterable[Sample]) -> Row:
    """Return the row of `samples`, whatever their phases are."""
    kept = list(samples)
    latencies = sorted(s.latency_s for s in kept if s.kind not in _DELIBERATE and s.status)
    outcomes = Counter(s.outcome for s in kept)
    errors = Counter(f"{s.kind}: {s.error}" for s in kept if s.error)
    return Row(
        phase=phase,
        count=len(kept),
        failed=outcomes["failed"],
        retried=outcomes["retried"],
        p95_s=latencies[math.ceil(len(latencies) * _PERCENTILE) - 1] if latencies else 0.0,
        slowest_s=latencies[-1] if latencies else 0.0,
        releases=tuple(dict.fromkeys(s.release for s in kept if s.release)),
        errors=tuple(errors.most_common()),
    )


def rows(samples: Sequence[Sample], total: str = "all") -> tuple[Row, ...]:
    """Return a row for each phase in order of appearance, and one for all of them."""
    phases = dict.fromkeys(sample.phase for sample in samples)
    return (
        *(summarize(phase, (s for s in samples if s.phase == phase)) for phase in phases),
        summarize(total, samples),
    )


def rows_by_kind(samples: Sequence[Sample]) -> tuple[Row, ...]:
    """Return a row for each kind of request, in order of appearance."""
    kinds = dict.fromkeys(sample.kind for sample in samples)
    return tuple(summarize(kind, (s for s in samples if s.kind == kind)) for kind in kinds)


def render_table(table: Sequence[Row]) -> str:
    """Return `table` as aligned lines of plain text, with a line for each distinct error below."""
    lines = [HEADINGS, *(row.cells() for row in table)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(HEADINGS))]
    text = [
        "  ".join(
            cell.ljust(width) if index in {0, len(HEADINGS) - 1} else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    errors = table[-1].errors if table else ()
    return "\n".join((*text, *(f"  {count} x {error}" for error, count in errors)))
