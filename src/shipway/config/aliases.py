"""`aliases`: one's own names for commands."""

from __future__ import annotations

import re

from shipway.config.keys import MapOf
from shipway.config.kinds import Kind, Text

_NAME = re.compile(r"[a-z0-9_-]+")
# The commands of Kamal 2.12. An alias may have the name of a command that only Shipway has: it was there first.
KAMAL_COMMANDS = frozenset(
    {"accessory", "app", "audit", "build", "config", "deploy", "details", "docs", "help", "init", "lock", "proxy"}
    | {"prune", "redeploy", "registry", "remove", "rollback", "secrets", "server", "setup", "tree", "upgrade"}
    | {"version"}
)


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        return (
            f"Invalid alias name: '{name}'. Must only contain lowercase letters, alphanumeric, hyphens and underscores."
        )
    return f"Alias '{name}' conflicts with a built-in command." if name in KAMAL_COMMANDS else ""


ALIASES: Kind = MapOf(Text(), check=_check_name)
