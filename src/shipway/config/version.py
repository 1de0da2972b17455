"""Which version is deployed: pure rules over what is known about the repository."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from shipway.core.errors import ConfigError

KAMAL_LEVEL = "2.12.0"
"""The version of Kamal whose configuration is understood; `minimum_version` is compared with it."""

_SHORT = 7
_SEGMENT = re.compile(r"\d+|[a-z]+", re.IGNORECASE)
_WELL_FORMED = re.compile(r"\s*(?:\d+(?:\.[0-9a-zA-Z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?)?\s*")


@dataclass(frozen=True, slots=True)
class GitFacts:
    """What is known about the repository. `commit` is the full hash of HEAD, "" where there is none."""

    commit: str = ""
    is_dirty: bool = False


def version_of(
    declared: str | None, environment: Mapping[str, str], git: GitFacts, *, has_context: bool, suffix: str
) -> str:
    """Return the version to deploy: `--version`, else VERSION of the environment, else the commit.

    `_uncommitted_<suffix>` is added where the working tree itself is built (`has_context`: `builder.context` is set)
    and differs from the commit; `suffix` is 16 random hex digits. Raises ConfigError `config.no_commit`.
    """
    given = declared or environment.get("VERSION")
    if given:
        return given
    if not git.commit:
        what = "Can't use commit hash as version, no git repository with a commit was found"
        raise ConfigError("config.no_commit", what, next="git init && git add -A && git commit -m Begin")
    return f"{git.commit}_uncommitted_{suffix}" if git.is_dirty and has_context else git.commit


def short_version(version: str) -> str:
    """Return the first 7 characters of a commit; a version with `_` in it stays whole."""
    return version if "_" in version else version[:_SHORT]


def is_version(text: str) -> bool:
    """Return whether `text` is a version that RubyGems, and so Kamal, can compare."""
    return _WELL_FORMED.fullmatch(text) is not None


def is_newer(version: str, than: str) -> bool:
    """Return whether `version` is later, as RubyGems compares: numbers by value, letters before any number."""
    left, right = _segments(version), _segments(than)
    width = max(len(left), len(right))
    return _padded(left, width) > _padded(right, width)


def _segments(version: str) -> list[tuple[int, int, str]]:
    found = _SEGMENT.findall(version.replace("-", ".pre."))
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in found]


def _padded(segments: list[tuple[int, int, str]], width: int) -> list[tuple[int, int, str]]:
    return segments + [(1, 0, "")] * (width - len(segments))
