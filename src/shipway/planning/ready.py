"""Whether the hosts can run anything at all; asked before anything is planned for them."""

from __future__ import annotations

from dataclasses import replace

from shipway.core.errors import Refused
from shipway.core.facts import Facts


def check_ready(facts: Facts) -> None:
    """Raise Refused where the runtime of a host has trouble, with one finding for each host that has."""
    findings = [replace(found, where=host.host) for host in facts.hosts for found in host.trouble]
    if not findings:
        return
    first = findings[0]
    if len(findings) == 1:
        raise Refused(first.code, f"{first.what} on {first.where}", where=first.where, next=first.next)
    raise Refused(
        first.code,
        f"{len(findings)} hosts are not ready: {', '.join(f'{found.where} ({found.code})' for found in findings)}",
        where=", ".join(found.where for found in findings),
        next=first.next,
        findings=tuple(findings),
    )
