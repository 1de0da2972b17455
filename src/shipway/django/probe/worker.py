"""The process that loads the project and answers, section by section."""

from __future__ import annotations

import os
from typing import Any

from shipway.django.probe.columns import Naming, tables_of
from shipway.django.probe.common import Answer, TooSlow, explain, limit, section
from shipway.django.probe.database import (
    char_bytes,
    make_read_only,
    open_database,
    prepare_environment,
    pretend_server,
    table_sizes,
    vendor_of,
)
from shipway.django.probe.facts import app_facts, cache_facts, check_findings, packages, settings_facts, storage_facts
from shipway.django.probe.files import files_facts
from shipway.django.probe.live import invalid_indexes, live_schema
from shipway.django.probe.project import learn_settings, load_project, where_from
from shipway.django.probe.queued import queued_facts
from shipway.django.probe.tasks import task_facts
from shipway.django.probe.walk import Walker


def work(options: dict[str, Any]) -> None:
    """Answer all sections that `options["want"]` names, and leave at once: no thread or handler may keep us."""
    options["pgoptions"] = prepare_environment(options["section_s"])
    answer = Answer()
    answer.learn_secrets(dict(os.environ))
    if section(answer, "where", options, lambda: start(answer, options)):
        for name, look in sections(answer, options).items():
            if name in options["want"]:
                section(answer, name, options, look)
    answer.give("end", True)
    os._exit(0)


def start(answer: Answer, options: dict[str, Any]) -> dict[str, Any]:
    """Load the project, see to it that no database session can write, and return what is running."""
    load_project(options["manage"])
    from django.db.backends.signals import connection_created

    connection_created.connect(make_read_only, weak=False)
    learn_settings(answer)
    return where_from()


def sections(answer: Answer, options: dict[str, Any]) -> dict[str, Any]:
    """Return the sections after the first, the most important ones first."""
    return {
        "settings": settings_facts,
        "apps": app_facts,
        "databases": lambda: databases(answer, options),
        "tasks": task_facts,
        "queued": lambda: queued_facts(answer, options),
        "files": lambda: files_facts(options["files"]),
        "packages": packages,
        "checks": lambda: check_findings(answer),
        "caches": lambda: cache_facts(answer, options["ask_s"]),
        "storage": lambda: storage_facts(answer, options["ask_s"]),
    }


def databases(answer: Answer, options: dict[str, Any]) -> dict[str, Any]:
    """Return what there is to know of every database alias that migrations may run on."""
    from django.db import connections

    found = {}
    for alias in connections:
        try:
            connection = connections[alias]
        except Exception as error:
            found[alias] = {"vendor": engine_vendor(alias), "error": explain(error, answer), "walk": []}
            connection = stand_in(alias)
        facts = found.setdefault(alias, {})
        if "error" not in facts:
            facts.update(ask(connection, answer, options))
        facts.update(migrations(connection, answer, "" if "error" in facts else "live"))
    return found


def engine_vendor(alias: str) -> str:
    """Return the vendor that the name of an engine speaks of."""
    from django.conf import settings

    engine = str(settings.DATABASES[alias].get("ENGINE", "")).lower()
    words = {"postg": "postgresql", "postgis": "postgresql", "mysql": "mysql", "mariadb": "mysql", "sqlite": "sqlite"}
    return next((vendor for word, vendor in words.items() if word in engine), "")


def stand_in(alias: str) -> Any:
    """Return an SQLite connection in memory that names columns where the project's own backend cannot be loaded."""
    from django.db.backends.sqlite3.base import DatabaseWrapper

    return DatabaseWrapper({"NAME": ":memory:", "OPTIONS": {}, "TIME_ZONE": None, "ENGINE": ""}, alias)


def ask(connection: Any, answer: Answer, options: dict[str, Any]) -> dict[str, Any]:
    """Return what one database says about itself, or the reason why it does not."""
    facts: dict[str, Any] = {"vendor": str(connection.vendor)}
    try:
        with limit(options["ask_s"]):
            facts["version"] = open_patiently(connection, options)
        facts["vendor"] = vendor_of(connection, facts["version"])
        with limit(options["section_s"] / 2):
            facts["char_bytes"] = char_bytes(connection)
            facts["live"] = live_schema(connection)
            facts["sizes"] = table_sizes(connection)
            facts["invalid_indexes"] = invalid_indexes(connection)
    except (Exception, TooSlow) as error:
        facts["error"] = explain(error, answer)
        connection.close()
        pretend_server(connection)
    return facts


def open_patiently(connection: Any, options: dict[str, Any]) -> str:
    """Connect as `open_database` does; a pooler that refuses PGOPTIONS is asked again without."""
    try:
        return open_database(connection, options["ask_s"], options["connect"])
    except Exception as error:
        if "startup parameter" not in str(error):
            raise
        os.environ["PGOPTIONS"] = options["pgoptions"]
        return open_database(connection, options["ask_s"], options["connect"])


def migrations(connection: Any, answer: Answer, live: str) -> dict[str, Any]:
    """Return the walk over all migrations for one database, what is recorded as applied, and faults of the graph."""
    from django.db.migrations.exceptions import InconsistentMigrationHistory, NodeNotFoundError
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.recorder import MigrationRecorder
    from django.db.migrations.state import ProjectState

    facts: dict[str, Any] = {"problems": []}
    if live:
        facts["applied"] = sorted(list(key) for key in MigrationRecorder(connection).applied_migrations())
    try:
        loader = MigrationLoader(connection if live else None)
    except NodeNotFoundError as error:
        return {**facts, "problems": [["graph", answer.clean(error)]]}
    conflicts = loader.detect_conflicts()
    facts["problems"] += [["conflict", app, *sorted(names)] for app, names in sorted(conflicts.items())]
    try:
        if live:
            loader.check_consistent_history(connection)
    except InconsistentMigrationHistory as error:
        facts["problems"].append(["history", answer.clean(error)])
    facts["disk"] = sorted(list(key) for key in loader.disk_migrations)
    facts["leaves"] = sorted(list(key) for key in loader.graph.leaf_nodes())
    facts["footprint"] = footprint(connection)
    walker = Walker(connection, ProjectState(real_apps=loader.unmigrated_apps), answer)
    facts["walk"] = [walker.migration(loader.graph.nodes[key], loader) for key in in_order(loader.graph)]
    return facts


def in_order(graph: Any) -> list[Any]:
    """Return the keys of all migrations, each after those that it depends on, conflicting leaves included."""
    seen: dict[Any, None] = {}
    for leaf in sorted(graph.leaf_nodes()):
        for key in graph.forwards_plan(leaf):
            seen.setdefault(key)
    return list(seen)


def footprint(connection: Any) -> dict[str, Any]:
    """Return the tables and columns that the code of this release names: those of its real models."""
    from django.apps import apps
    from django.db.migrations.state import ProjectState

    state = ProjectState.from_apps(apps)
    naming = Naming(connection)
    return {name: t for model in state.models.values() for name, t in tables_of(model, state, naming).items()}
