"""A command line of a repository's file: what it says, where it stands, and how much it tells of production."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shipway.django.fact import Place
from shipway.django.tree import Sources

IMAGE, PROCFILE, PLATFORM, KEEPER, COMPOSE_PRODUCTION, SCRIPT, COMPOSE, HINT = 100, 90, 85, 80, 75, 60, 50, 20
"""How much a command says of production, by the kind of file it stands in."""
MAX_COMMAND = 2_000
"""Characters of a command line; patterns are tried on it that take the square of its length."""
MAX_SCRIPT_CHARS = 40_000
SERVES = re.compile(
    r"gunicorn|uwsgi|uvicorn|daphne|granian|hypercorn|waitress|celery|qcluster|huey|rqworker|dramatiq|db_worker|procrastinate|"
    r"DJANGO_SETTINGS_MODULE|DJANGO_CONFIGURATION|runworker|--settings"
)
INSTALLS = re.compile(
    r"\b(pip3?|apt|apt-get|apk|dnf|yum|npm|yarn|uv) (install|add|update|upgrade|pip|tool)\b|"
    r"^\s*(COPY|ADD|chown|mkdir|rm|echo|touch|cp|mv|kill|pkill|which|command -v|systemctl|supervisorctl)\b"
)


@dataclass(frozen=True, slots=True)
class Command:
    """A command line found in a file. `weight` says how much it tells of production, `role` its name there."""

    text: str
    place: Place
    weight: int
    role: str = ""


def lines_of_commands(path: str, sources: Sources, weight: int, role: str = "") -> list[Command]:
    """Return the lines of a script or configuration file that say how something is run, continuations joined."""
    text = sources.text(path)
    if len(text) > MAX_SCRIPT_CHARS or not SERVES.search(text):
        return []
    found: list[Command] = []
    pending, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.startswith(("#", ";", "//")):
            continue
        start = start if pending else number
        pending = f"{pending} {line}".strip()
        if pending.endswith("\\"):
            pending = pending[:-1].rstrip()
            continue
        if SERVES.search(pending) and not INSTALLS.search(pending):
            found.append(Command(pending[:MAX_COMMAND], Place(path, start), weight, role))
        pending = ""
    return found
