"""When an accessory counts as ready: it answers the question that its own kind of server has for that."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from shipway.core.action import Command
from shipway.runtimes.docker.accessory import AccessorySpec
from shipway.runtimes.docker.accessory_scripts import READY_SCRIPT

READY_LIMIT_S = 120
"""A database that is set up for the first time needs half a minute on a slow disk."""
_MARGIN_S = 60.0
_KINDS = {
    "postgres": ("postgres", "postgis", "pgvector", "timescale"),
    "redis": ("redis", "valkey"),
    "mysql": ("mysql", "mariadb", "percona"),
}
_TITLES = {"postgres": "PostgreSQL", "redis": "Redis", "mysql": "MySQL"}
# Programs that are named after the server that they talk to.
_OTHERS = re.compile(r"exporter|admin|commander|insight|bouncer|pool|backup|dump|proxy|sentinel|browser")
_PORT = re.compile(r"(?:--port(?:=|\s+)|(?:^|\s)-p\s*)(\d{1,5})(?:\s|$)")


def kind_of(image: str) -> str:
    """Return `postgres`, `redis` or `mysql` for an image that is named after its server, else ""."""
    name = PurePosixPath(image.partition("@")[0]).name.partition(":")[0].lower()
    if _OTHERS.search(name):
        return ""
    return next((kind for kind, words in _KINDS.items() if any(word in name for word in words)), "")


def port_of(cmd: str) -> str:
    """Return the port that a server was told to listen on by its own command, "" where it was not told."""
    found = _PORT.search(cmd)
    return found[1] if found else ""


def ready_command(spec: AccessorySpec, limit_s: int = READY_LIMIT_S) -> Command:
    """Return the command that waits until the accessory answers; it fails at once when it has ended.

    The image's own HEALTHCHECK decides where it has one, else the question of its kind, asked inside the container
    where the program for it stands there, else that it stays up.
    """
    argv = ("sh", "-c", READY_SCRIPT, "sh", spec.container, kind_of(spec.image), port_of(spec.cmd), str(limit_s))
    return Command(argv, limit_s=limit_s * 2 + _MARGIN_S)


def ready_title(spec: AccessorySpec) -> str:
    """Return what is waited for, for a person."""
    return f"wait until {_TITLES.get(kind_of(spec.image), spec.name)} in {spec.container} answers"
