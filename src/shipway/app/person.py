"""Who somebody says that they are: for the ledger, and to tell two people apart. Nothing proves it."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from dataclasses import dataclass

from shipway.adapters.git import user_email
from shipway.core.errors import UsageError

_VARIABLES = (
    "SHIPWAY_BY",
    "GITHUB_ACTOR",  # GitHub, Forgejo and Gitea: who started the workflow
    "GITLAB_USER_LOGIN",  # GitLab: who started the job
    "BITBUCKET_STEP_TRIGGERER_UUID",
    "BUILDKITE_UNBLOCKER_EMAIL",
    "BUILDKITE_BUILD_CREATOR_EMAIL",
)
_MAX_CHARS = 100


@dataclass(frozen=True, slots=True)
class Person:
    """A name, and where it is from: `--by`, a variable, `git`, `login`."""

    name: str
    source: str


def person_of(by: str, environ: Mapping[str, str], directory: str) -> Person:
    """Return who acts: `by`, else the first variable that is set, else git's user.email in `directory`, else the login.

    Raises UsageError `usage.nobody` for a name that is none.
    """
    found = Person(by, "--by")
    if not by:
        named = ((environ.get(name, "").strip(), name) for name in _VARIABLES)
        found = next((Person(value, name) for value, name in named if value), Person(user_email(directory), "git"))
    if not found.name:
        found = Person(_login(), "login")
    if not found.name.isprintable() or not found.name.strip() or len(found.name) > _MAX_CHARS:
        raise UsageError(
            "usage.nobody",
            f"{found.source} names nobody",
            next="--by takes a name or an address of up to 100 characters",
        )
    return Person(found.name.strip(), found.source)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in many containers
        return "somebody without a name"
