import pytest

from shipway.config.version import GitFacts, is_newer, is_version, short_version, version_of
from shipway.core.errors import ConfigError

COMMIT = "0123456789" * 4
CASES = [
    ("1.2", {"VERSION": "3"}, GitFacts(COMMIT), False, "1.2"),
    (None, {"VERSION": "3"}, GitFacts(COMMIT), False, "3"),
    (None, {"VERSION": ""}, GitFacts(COMMIT), False, COMMIT),
    (None, {}, GitFacts(COMMIT, is_dirty=True), False, COMMIT),
    (None, {}, GitFacts(COMMIT), True, COMMIT),
    (None, {}, GitFacts(COMMIT, is_dirty=True), True, COMMIT + "_uncommitted_ffffffffffffffff"),
]


@pytest.mark.parametrize(("declared", "environment", "git", "has_context", "expected"), CASES)
def test_version(
    *, declared: str | None, environment: dict[str, str], git: GitFacts, has_context: bool, expected: str
) -> None:
    assert version_of(declared, environment, git, has_context=has_context, suffix="f" * 16) == expected


def test_no_commit_is_an_error() -> None:
    with pytest.raises(ConfigError, match="Can't use commit hash as version") as caught:
        version_of(None, {}, GitFacts(), has_context=False, suffix="")
    assert caught.value.code == "config.no_commit"
    assert "git commit" in caught.value.next


def test_short_version() -> None:
    assert short_version(COMMIT) == "0123456"
    assert short_version("0123456789_uncommitted_ff") == "0123456789_uncommitted_ff"


@pytest.mark.parametrize(
    ("version", "than", "expected"),
    [("2.13.0", "2.12.0", True), ("2.12", "2.12.0", False), ("2.12.0", "2.12.0", False), ("1.3.0", "2.12.0", False),
     ("2.12.1.alpha", "2.12.0", True),
     ("2.12.0.rc1", "2.12.0", False), ("3", "2.12.0", True), ("2.9", "2.12.0", False)],
)  # fmt: skip
def test_versions_compare_as_rubygems_does(*, version: str, than: str, expected: bool) -> None:
    assert is_newer(version, than) is expected


def test_what_is_a_version() -> None:
    assert is_version("2.12.0.rc1")
    assert not is_version("two")
