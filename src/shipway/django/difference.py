"""What differs between two releases, from what each recorded about itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from shipway.core.migration import Key
from shipway.django.manifest import Manifest
from shipway.django.report import Json


@dataclass(frozen=True, slots=True)
class Change:
    """One thing under its name, before and after; "" where it is not there."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two releases. `environment` has names alone, `role: NAME`; None: one did not record it."""

    versions: tuple[Change, ...] = ()
    packages: tuple[Change, ...] = ()
    migrations: tuple[Change, ...] = ()
    tasks: tuple[Change, ...] = ()
    settings: tuple[Change, ...] = ()
    environment: tuple[Change, ...] | None = None


def compare(before: Manifest, after: Manifest) -> Difference:
    """Return what differs from `before` to `after`."""
    here, there = _names(before), _names(after)
    return Difference(
        versions=changes(
            {"Python": before.python, "Django": before.django, "settings module": before.settings_module},
            {"Python": after.python, "Django": after.django, "settings module": after.settings_module},
        ),
        packages=changes(before.packages, after.packages),
        migrations=changes(dict(_migrations(before)), dict(_migrations(after))),
        tasks=changes(dict.fromkeys(_tasks(before), "there"), dict.fromkeys(_tasks(after), "there")),
        settings=changes(dict(_settings(before)), dict(_settings(after))),
        environment=None if here is None or there is None else changes(here, there),
    )


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    """Return the entries that differ, by name."""
    names = sorted({*before, *after})
    found = (Change(name, before.get(name, ""), after.get(name, "")) for name in names)
    return tuple(change for change in found if change.before != change.after)


def _names(manifest: Manifest) -> dict[str, str] | None:
    if manifest.environment is None:
        return None
    return {f"{role}: {name}": "set" for role, names in manifest.environment.items() for name in names}


def _migrations(manifest: Manifest) -> Iterator[tuple[str, str]]:
    for alias, database in manifest.databases.items():
        for key in database.keys:
            yield _label(alias, key), "there"


def _label(alias: str, key: Key) -> str:
    return ".".join(key) + ("" if alias == "default" else f" ({alias})")


def _tasks(manifest: Manifest) -> Iterator[str]:
    for queue, known in manifest.tasks.items():
        listed = known.get("tasks", []) if isinstance(known, dict) else []
        for task in listed if isinstance(listed, list) else []:
            if isinstance(task, dict):
                yield f"{queue}: {task.get('name', '')}"


def _settings(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yield the settings as text; where the release stands is no difference."""
    place = re.compile(rf'"[^"]*/releases/{re.escape(manifest.origin.release)}/')
    for name, value in _flat(manifest.settings):
        yield name, place.sub('"…/', json.dumps(value, ensure_ascii=False, sort_keys=True))


def _flat(settings: Mapping[str, Json]) -> Iterable[tuple[str, Json]]:
    for name, value in settings.items():
        if isinstance(value, dict) and value:
            yield from ((f"{name}.{key}", part) for key, part in value.items())
        else:
            yield name, value
