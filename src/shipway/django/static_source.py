"""What looks through the static files of a release, to be run behind `collectstatic` in the same process."""

from __future__ import annotations

from functools import cache

from shipway.django.probe import files
from shipway.django.probe_source import joined


@cache
def static_source() -> str:
    """Return the program: it needs a project that is loaded, and ends it with 1 and the reason where names are missing.

    The first line of `joined` may stand at the beginning of a program only.
    """
    body = joined((files,)).partition("\n")[2]
    return f"{body}\nimport sys\nif refuse_static(static_facts()):\n    sys.exit(refuse_static(static_facts()))\n"
