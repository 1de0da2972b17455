"""What is wrong with the names of the site, the ports of its servers, and their certificates."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from shipway.checks.table import found
from shipway.core.errors import Finding

LEAST_DAYS = 14
"""Caddy renews when a third of the time is left: 30 of 90 days. Half of that has passed without success then."""
Reached = Literal["open", "refused", "timeout", "unreachable"]


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the resolver said of a name: its addresses, or why there are none ("slow": no answer in time)."""

    name: str
    addresses: tuple[str, ...] = ()
    trouble: Literal["", "missing", "slow"] = ""


@dataclass(frozen=True, slots=True)
class Certificate:
    """The certificate of a name: days until its end, or why it is not valid."""

    name: str
    days: float = 0.0
    trouble: str = ""


def check_names(resolved: Collection[Resolved], ours: Collection[str], told: Collection[str] = ()) -> Iterator[Finding]:
    """Find names without an address, and those that lead elsewhere.

    `ours` are the addresses at which the servers are reached (none: not known, nothing is said of them), `told` further
    ones that they have themselves.
    """
    for one in resolved:
        if one.trouble:
            why = "the resolver gave no answer in time" if one.trouble == "slow" else "the name does not exist"
            first = next(iter(ours), "")
            hint = f"add a record: {one.name} A {first}" if first and ":" not in first else ""
            yield found("outside.dns_missing", f"{one.name} has no address: {why}", one.name, hint)
        elif ours and not set(one.addresses) & {*ours, *told}:
            shown = ", ".join(one.addresses[:4])
            what = f"{one.name} leads to {shown}, and the servers are at {', '.join([*ours][:4])}"
            yield found("outside.dns_elsewhere", what, one.name)


def check_port(host: str, port: int, reached: Reached, *, listens: bool | None) -> Iterator[Finding]:
    """Find a port that cannot be reached. One where nothing listens yet refuses, and that is as it should be."""
    if reached == "open" or (reached == "refused" and not listens):
        return
    why = "the connection is refused, although the proxy listens there" if reached == "refused" else "no answer"
    yield found("outside.port_closed", f"port {port} of {host} cannot be reached from here: {why}", f"{host}:{port}")


def check_certificate(certificate: Certificate) -> Iterator[Finding]:
    """Find a certificate that browsers refuse, or will refuse soon."""
    name = certificate.name
    if certificate.trouble:
        yield found("outside.certificate", f"the certificate of {name} is not valid: {certificate.trouble}", name)
    elif certificate.days < LEAST_DAYS:
        what = f"the certificate of {name} ends in {max(0, int(certificate.days))} days"
        yield found("outside.certificate_expires", what, name)
