"""What applies migrations in a release, as one program for the standard input of `python - JSON`."""

from __future__ import annotations

from functools import cache

from shipway.django.probe import migrate, one_migrator, project
from shipway.django.probe_source import joined


@cache
def apply_source() -> str:
    """Return the program. Its one argument is JSON: what `apply_migrations` is asked for."""
    return f"{joined((project, one_migrator, migrate))}\nimport json\napply_migrations(json.loads(sys.argv[1]))\n"
