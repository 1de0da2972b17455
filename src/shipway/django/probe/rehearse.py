"""One act of a rehearsal in one release: make the scratch databases, seed, apply, try, or remove them."""

from __future__ import annotations

import os
from typing import Any

from shipway.django.probe.common import Answer, explain, limit
from shipway.django.probe.exercise import Exercise, words
from shipway.django.probe.project import find_settings, where_from
from shipway.django.probe.redirect import mute_settings, mute_signals, redirect
from shipway.django.probe.scratch import drop, leftovers, make, plan_names


def rehearse(options: dict[str, Any]) -> None:
    """Do what `options["act"]` says, and leave at once."""
    answer = Answer()
    answer.learn_secrets(dict(os.environ))
    for name, do in acts(answer, options):
        answer.begin(name)
        try:
            with limit(options["section_s"]):
                answer.give(name, do())
        except BaseException as error:  # a project may raise anything, SystemExit included
            answer.give(name + ".error", explain(error, answer))
            break
    answer.give("end", True)
    os._exit(0)


def acts(answer: Answer, options: dict[str, Any]) -> Any:
    """Return the sections of an act, in order."""
    if options["act"] in ("make", "drop"):
        return [("where", lambda: settings_only(answer, options)), (options["act"], lambda: servers(answer, options))]
    return [("where", lambda: start(answer, options)), (options["act"], lambda: databases(options))]


def settings_only(answer: Answer, options: dict[str, Any]) -> dict[str, Any]:
    """Find the settings, and start nothing: no code of the project's apps runs while connections are live."""
    find_settings(options["manage"])
    from django.conf import settings

    answer.learn_secrets({f"{a}_PASSWORD": one.get("PASSWORD") for a, one in settings.DATABASES.items()})
    return where_from()


def servers(answer: Answer, options: dict[str, Any]) -> dict[str, Any]:
    """Make or remove the scratch databases."""

    def told(error: BaseException) -> dict[str, Any]:
        return explain(error, answer)

    if options["act"] == "drop":
        return {"failed": drop(options["scratch"], told)}
    from django.conf import settings

    names = plan_names(options["name"], options["directory"])
    users = {alias: str(settings.DATABASES[alias].get("USER") or "") for alias in names}
    found = leftovers(names)
    made = make(names, -1 if options["fresh"] else int(options["rows"]), told)
    return {"made": made, "leftovers": found, "users": users}


def start(answer: Answer, options: dict[str, Any]) -> dict[str, Any]:
    """Find the settings, turn everything away from what is live, and only then start the project."""
    find_settings(options["manage"])
    from django.conf import settings

    answer.learn_secrets({f"{a}_PASSWORD": one.get("PASSWORD") for a, one in settings.DATABASES.items()})
    redirect(options["scratch"])
    mute_settings()
    import django

    django.setup()
    mute_signals()
    return where_from()


def databases(options: dict[str, Any]) -> dict[str, Any]:
    """Do an act in each scratch database."""
    from django.db import connections

    do = {"seed": seed, "apply": apply, "try": try_again}[options["act"]]
    found: dict[str, Any] = {}
    done: set[str] = set()
    for alias, name in options["scratch"].items():
        if name and name not in done:
            done.add(name)
            known = options["known"].get(alias, {})
            found[alias] = do(connections[alias], known)
    return found


def seed(connection: Any, known: dict[str, Any]) -> dict[str, Any]:
    """The old release, on the schema that it knows: rows of its own, and what it can do.

    Migrations of its own that the database lacks come first.
    """
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    targets = executor.loader.graph.leaf_nodes()
    plan = executor.migration_plan(targets)
    if plan:
        executor.migrate(targets, plan)
    exercise = Exercise(connection, known)
    failed = exercise.seed()
    exercise.known = exercise.snapshot()
    prepared = [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
    return {
        "prepared": prepared,
        "failed": failed,
        "known": exercise.known,
        "actions": exercise.try_all(),
        "meets": exercise.meets(),
    }


def apply(connection: Any, known: dict[str, Any]) -> dict[str, Any]:
    """The new release: what it can do before, its migrations, what it can do after, and rows that it writes."""
    from django.db.migrations.executor import MigrationExecutor

    before = Exercise(connection, known).try_all(everything=False)
    begun: list[str] = []

    def progress(action: str, migration: Any = None, *_: Any) -> None:
        if action == "apply_start":
            begun.append(f"{migration.app_label}.{migration.name}")

    executor = MigrationExecutor(connection, progress)
    targets = executor.loader.graph.leaf_nodes()
    plan = executor.migration_plan(targets)
    result = {"before": before, "applied": begun, "error": "", "failed": ""}
    try:
        executor.migrate(targets, plan)
    except Exception as error:
        result.update(error=words(error), failed=begun.pop() if begun else "")
        return result
    exercise = Exercise(connection, known)
    result["actions"] = exercise.try_all(everything=False)
    exercise.write()
    return result


def try_again(connection: Any, known: dict[str, Any]) -> dict[str, Any]:
    """The old release, on the new schema and among the rows that the new one wrote."""
    exercise = Exercise(connection, known)
    return {"actions": exercise.try_all(), "changed": exercise.changed(), "meets": exercise.meets()}
