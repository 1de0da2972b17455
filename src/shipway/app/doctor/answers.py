"""What a call of `shipway doctor` asks for, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shipway.checks.check import PARTS, Part
from shipway.core.errors import Finding

DEFAULT_FREE_GB = 2.0
"""Less room than this on a server's disk is an error: an image of a Django project has about half a gigabyte."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to look at. `offline`: nothing but this machine. `fixes`: mend what is safe to mend."""

    parts: tuple[Part, ...] = PARTS
    offline: bool = False
    fixes: bool = False
    least_free_gb: float = DEFAULT_FREE_GB


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The findings by part, in order; what `--fix` did, and the parts that were left out, each with the reason."""

    findings: Mapping[Part, tuple[Finding, ...]]
    fixed: tuple[str, ...] = ()
    left_out: Mapping[Part, str] | None = None
    took_s: float = 0.0

    @property
    def all(self) -> tuple[Finding, ...]:
        """All findings."""
        return tuple(finding for part in PARTS for finding in self.findings.get(part, ()))

    @property
    def has_errors(self) -> bool:
        """Whether one of them is an error."""
        return any(finding.level == "error" for finding in self.all)
