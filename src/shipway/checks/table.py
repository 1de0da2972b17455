"""All checks, and the findings that are made of them."""

from __future__ import annotations

from collections.abc import Iterator

from shipway.checks.check import PARTS, Check, Part
from shipway.checks.table_image import IMAGE_CHECKS
from shipway.checks.table_outside import OUTSIDE_CHECKS
from shipway.checks.table_project import PROJECT_CHECKS
from shipway.checks.table_servers import SERVER_CHECKS
from shipway.core.errors import Finding, Level

TABLES: dict[Part, tuple[Check, ...]] = {
    "project": (*PROJECT_CHECKS, *IMAGE_CHECKS),
    "servers": SERVER_CHECKS,
    "outside": OUTSIDE_CHECKS,
}
_BY_CODE = {check.code: check for part in PARTS for check in TABLES[part]}


def all_checks() -> Iterator[tuple[Part, Check]]:
    """Yield every check with its part, in the order of the tables."""
    return ((part, check) for part in PARTS for check in TABLES[part])


def check_of(code: str) -> Check | None:
    """Return the check with this code; None for an error of another area (`ssh.refused`)."""
    return _BY_CODE.get(code)


def found(code: str, what: str, where: str = "", next: str = "", *, level: Level | None = None) -> Finding:
    """Return a finding of the check `code`; its level and its mend are the table's where none is given."""
    check = _BY_CODE[code]
    return Finding(code, what, where=where, next=next or check.mend, level=level or check.level)
