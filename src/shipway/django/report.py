"""What a release answered about itself: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shipway.core.migration import Database, Key

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class Fault:
    """An error of the project: its type, message and own last lines, the place in the project that caused it.

    `variable` is the environment variable whose absence it is, "" for another error.
    """

    type: str
    message: str
    lines: tuple[str, ...] = ()
    file: str = ""
    line: int = 0
    variable: str = ""


@dataclass(frozen=True, slots=True)
class App:
    """An installed app, and the distribution (`name==version`) that brought it, "" for one of the project's own."""

    label: str
    module: str
    package: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One finding of `manage.py check --deploy`; `level` is Django's number (30 warning, 40 error)."""

    id: str
    level: int
    what: str
    hint: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class DatabaseReport:
    """One database alias: what the analysis needs, what is on disk, and what is wrong.

    `fault` is why the database did not answer. `problems` are (kind, words…): `conflict` with an app and its leaf
    nodes, `history` and `graph` with Django's own sentence. `invalid_indexes` are (table, index).
    """

    database: Database
    fault: Fault | None = None
    disk: frozenset[Key] = frozenset()
    leaves: tuple[Key, ...] = ()
    problems: tuple[tuple[str, ...], ...] = ()
    invalid_indexes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The answer of a probe. Sections that failed are in `faults`, by name; those not asked for are empty."""

    python: str
    django: str
    settings_module: str
    settings: Mapping[str, Json] = field(default_factory=dict)
    apps: tuple[App, ...] = ()
    databases: Mapping[str, DatabaseReport] = field(default_factory=dict)
    tasks: Mapping[str, Json] = field(default_factory=dict)
    queued: Mapping[str, Json] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    caches: Mapping[str, str] = field(default_factory=dict)
    storage: Mapping[str, Json] = field(default_factory=dict)
    files: Mapping[str, Json] = field(default_factory=dict)
    faults: Mapping[str, Fault] = field(default_factory=dict)
