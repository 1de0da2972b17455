"""Names, ports and certificates: what was seen, and the codes that follow."""

import pytest

from shipway.checks.outside.names import Certificate, Resolved, check_certificate, check_names, check_port

OURS = ("203.0.113.5",)
NAMES = {
    "ours": (Resolved("a.example", ("203.0.113.5", "2001:db8::1")), OURS, []),
    "ours by an address of its own": (Resolved("a.example", ("2001:db8::9",)), OURS, []),
    "elsewhere": (Resolved("a.example", ("198.51.100.1",)), OURS, ["warning outside.dns_elsewhere"]),
    "we do not know where we are": (Resolved("a.example", ("198.51.100.1",)), (), []),
    "missing": (Resolved("a.example", trouble="missing"), OURS, ["error outside.dns_missing"]),
    "slow": (Resolved("a.example", trouble="slow"), (), ["error outside.dns_missing"]),
}


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str) -> None:
    resolved, ours, wanted = NAMES[name]
    assert [f"{one.level} {one.code}" for one in check_names([resolved], ours, {"2001:db8::9"})] == wanted


@pytest.mark.parametrize(
    ("reached", "listens", "count"),
    [("open", True, 0), ("refused", False, 0), ("refused", True, 1), ("timeout", None, 1), ("unreachable", False, 1)],
)
def test_ports(reached, listens, count) -> None:
    assert len(list(check_port("a", 80, reached, listens=listens))) == count


@pytest.mark.parametrize(
    ("certificate", "wanted"),
    [
        (Certificate("a", 80.0), []),
        (Certificate("a", 3.5), ["outside.certificate_expires"]),
        (Certificate("a", 0, "certificate has expired"), ["outside.certificate"]),
    ],
)
def test_certificates(certificate: Certificate, wanted: list[str]) -> None:
    assert [one.code for one in check_certificate(certificate)] == wanted
