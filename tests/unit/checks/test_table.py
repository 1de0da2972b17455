"""The table of checks: whole, and the only place that knows levels."""

from shipway.checks.table import all_checks, check_of, found


def test_the_table_is_whole() -> None:
    checks = [check for _, check in all_checks()]
    assert len({check.code for check in checks}) == len(checks) > 60
    for check in checks:
        assert check.title
        assert check.why.endswith(".")
        assert check.mend
        assert not check.title.endswith(".")


def test_a_finding_takes_what_it_lacks_from_the_table() -> None:
    check = check_of("project.debug")
    finding = found("project.debug", "DEBUG is on", "settings.py:1")
    assert check is not None
    assert (finding.level, finding.next) == (check.level, check.mend)
    assert found("server.disk", "x", level="warning").level == "warning"
    assert check_of("ssh.refused") is None
