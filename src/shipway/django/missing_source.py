"""What tells which migrations are missing, as one program for the standard input of a project's Python."""

from __future__ import annotations

import json
import re

from shipway.django.probe import missing, project
from shipway.django.probe_source import joined

_TOKEN = re.compile(r"[0-9a-f]{16,64}")
_LABEL = re.compile(r"[A-Za-z_]\w{0,100}")
_MAX = 500


def missing_source(token: str, manage: str) -> str:
    """Return the program. `token` is 16 to 64 random hex digits. Raises ValueError for another."""
    if not _TOKEN.fullmatch(token):
        raise ValueError("a token is 16 to 64 hex digits")
    return f"{joined((project, missing))}\nload_project({manage!r})\ntell({token!r}, missing_migrations())\n"


def parse_missing(output: bytes, token: str) -> tuple[str, ...] | None:
    """Return the labels of the apps with missing migrations; None where the program gave no answer."""
    _, found, rest = output.partition(f"\n-----BEGIN {token}-----\n".encode())
    body, ended, _ = rest.partition(f"\n-----END {token}-----\n".encode())
    try:
        labels = json.loads(body) if found and ended else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(labels, list) or len(labels) > _MAX:
        return None
    is_sound = all(isinstance(label, str) and _LABEL.fullmatch(label) for label in labels)
    return tuple(labels) if is_sound else None
