"""squawk reads the SQL of a migration, where it is installed (`pip install 'shipway[sql]'`). PostgreSQL only."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_LIMIT_S = 20.0
# Rules about style, and about timeouts that Shipway sets itself: they say nothing about this migration.
_NOT_OURS = (
    "require-lock-timeout",
    "require-statement-timeout",
    "prefer-robust-stmts",
    "prefer-text-field",
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-identity",
    "prefer-timestamptz",
)


def find_squawk() -> str | None:
    """Return the path of squawk: beside our own interpreter, or on PATH; None where it is not installed."""
    return shutil.which("squawk", path=str(Path(sys.executable).parent)) or shutil.which("squawk")


def read_with_squawk(program: str, statements: Sequence[str]) -> tuple[str, ...]:
    """Return what squawk says about `statements`, `rule: sentence` each; nothing when it cannot be understood."""
    try:
        ran = subprocess.run(
            (program, "--reporter", "json", "--exclude", ",".join(_NOT_OURS), "--stdin-filepath", "migration.sql"),
            input="\n;\n".join(statements).encode(),
            capture_output=True,
            timeout=_LIMIT_S,
            check=False,
        )
        found = json.loads(ran.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return ()
    lines = (
        f"{one.get('rule_name', '')}: {one.get('message', '')}"
        for one in (found if isinstance(found, list) else [])
        if isinstance(one, dict) and one.get("rule_name")
    )
    return tuple(dict.fromkeys(lines))
