"""`--hosts` and `--roles`: which of the configured names a list with globs means."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from shipway.core.errors import UsageError


def select(patterns: Sequence[str], known: Sequence[str], kind: str) -> tuple[str, ...]:
    """Return those of `known` that any of `patterns` matches, in their own order; all of them without patterns.

    `kind` is `host` or `role`. Raises UsageError with the valid names for a pattern that matches nothing.
    """
    if not patterns:
        return tuple(known)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            raise UsageError(
                f"usage.unknown_{kind}",
                f"`{pattern}` matches no {kind} of the configuration",
                where=f"--{kind}s",
                next=f"the {kind}s are: {', '.join(known)}",
            )
    return tuple(name for name in known if any(fnmatchcase(name, pattern) for pattern in patterns))
