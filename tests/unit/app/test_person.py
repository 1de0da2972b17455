"""Who somebody says that they are."""

from pathlib import Path

import pytest

from shipway.app.person import person_of
from shipway.core.errors import UsageError


@pytest.mark.parametrize(
    ("by", "environ", "name", "source"),
    [
        ("bo", {"SHIPWAY_BY": "cy", "GITHUB_ACTOR": "dee"}, "bo", "--by"),
        ("", {"SHIPWAY_BY": " cy ", "GITHUB_ACTOR": "dee"}, "cy", "SHIPWAY_BY"),
        ("", {"SHIPWAY_BY": "", "GITHUB_ACTOR": "dee"}, "dee", "GITHUB_ACTOR"),
        ("", {"GITLAB_USER_LOGIN": "eve"}, "eve", "GITLAB_USER_LOGIN"),
    ],
)
def test_the_first_that_says_a_name_counts(tmp_path: Path, by: str, environ: dict[str, str], name: str, source: str):
    found = person_of(by, environ, str(tmp_path))
    assert (found.name, found.source) == (name, source)


def test_without_any_it_is_git_or_the_login(tmp_path: Path):
    assert person_of("", {}, str(tmp_path)).source in ("git", "login")


@pytest.mark.parametrize("by", ["a\x1b[2J", " ", "x" * 101, "a\nb"])
def test_what_is_no_name(tmp_path: Path, by: str):
    with pytest.raises(UsageError):
        person_of(by, {}, str(tmp_path))
