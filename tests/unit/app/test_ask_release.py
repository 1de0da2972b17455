"""Two releases that need the same are not asked before going from the one to the other."""

from dataclasses import replace

import pytest

from shipway.app.ask_release import Recorded
from shipway.django.manifest import Manifest, ManifestDatabase, Origin

KEYS = frozenset({("ships", "0001_initial")})
DATABASE = ManifestDatabase("postgresql", "16", 4, KEYS, (), {})
MANIFEST = Manifest(
    Origin("r1", "abc", "", "2026-01-01T00:00:00Z"), "3.11", "5.2.1", {"default": DATABASE}, {"celery": ["a"]}
)


def recorded(manifest=MANIFEST):
    return Recorded("r2", manifest)


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        (replace(MANIFEST, python="3.12", hash="another"), True),
        (replace(MANIFEST, django="5.2.9"), True),
        (replace(MANIFEST, django="6.0"), False),
        (replace(MANIFEST, tasks={"celery": ["b"]}), False),
        (replace(MANIFEST, databases={}), False),
        (replace(MANIFEST, databases={"default": replace(DATABASE, vendor="mysql")}), False),
        (replace(MANIFEST, databases={"default": replace(DATABASE, keys=frozenset())}), False),
        (replace(MANIFEST, databases={"default": replace(DATABASE, footprint={"t": None})}), False),
        (None, False),
    ],
)
def test_what_is_compared(other, is_same):
    assert recorded().needs_what(recorded(other), tasks=True) is is_same
    assert recorded(other).needs_what(recorded(), tasks=True) is is_same


@pytest.mark.parametrize("tasks", [True, False])
def test_tasks_that_neither_could_name_are_asked_for_where_there_are_workers(tasks):
    nothing = recorded(replace(MANIFEST, tasks={}))
    assert nothing.needs_what(nothing, tasks=tasks) is not tasks
