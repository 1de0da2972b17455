"""Applies the migrations that it is told to, and no other, by the project's own `migrate` command.

Each is told of before and after. A statement that waits for a lock gives up soon and is tried again, where nothing of
the migration stands; a failure says what stands.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from shipway.django.probe.one_migrator import NotAlone, only_one
from shipway.django.probe.project import load_project

LOCK_WORDS = ("lock timeout", "lock wait timeout exceeded", "database is locked", "database table is locked")
PG_OLD = """
SELECT pid, usename, application_name, state, now() - xact_start FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
ORDER BY xact_start LIMIT 3
"""
PG_INVALID = """
SELECT c.relname, i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_class c ON c.oid = x.indrelid WHERE NOT x.indisvalid AND pg_table_is_visible(c.oid)
"""
LONGEST_PAUSE_S = 30.0


def say(text: str) -> None:
    """Tell how far it is."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Migrator:
    """Stands between the `migrate` command and Django's executor."""

    def __init__(self, connection: Any, asked: dict[str, Any]) -> None:
        self.connection, self.asked = connection, asked
        self.wanted = {tuple(key) for key in asked["keys"]}
        self.applied: list[str] = []
        self.current: Any = None

    def run(self) -> None:
        """Migrate. Raises what a migration raises; `current` is the one that did."""
        from django.core.management import call_command
        from django.db.migrations.executor import MigrationExecutor

        plan_of, apply = MigrationExecutor.migration_plan, MigrationExecutor.apply_migration
        migrator = self

        def planned(executor: Any, targets: Any, clean_start: Any = None) -> Any:
            whole = plan_of(executor, targets, clean_start=bool(clean_start))
            return whole if clean_start else migrator.chosen(whole, executor)

        def applied(executor: Any, state: Any, migration: Any, **how: Any) -> Any:
            return migrator.patiently(lambda now: apply(executor, now, migration, **how), state, migration)

        MigrationExecutor.migration_plan, MigrationExecutor.apply_migration = planned, applied
        call_command("migrate", database=self.connection.alias, interactive=False, verbosity=0)

    def chosen(self, whole: Any, executor: Any) -> Any:
        """Return the part of a plan that is wanted. Raises LookupError for a migration that is not in this release."""
        unknown = sorted(key for key in self.wanted if key not in executor.loader.graph.nodes)
        if unknown:
            raise LookupError("not in this release: " + ", ".join(".".join(key) for key in unknown))
        return [(m, back) for m, back in whole if not back and (m.app_label, m.name) in self.wanted]

    def patiently(self, apply: Any, state: Any, migration: Any) -> Any:
        """Apply one migration; where a lock was not to be had, wait and try again as often as is allowed."""
        from django.db.utils import OperationalError

        self.current, name = migration, label(migration)
        for left in range(int(self.asked["tries"]) - 1, -1, -1):
            begun = time.monotonic()
            self.limit_waiting(migration)
            say(f"{name}: begins")
            try:
                state = apply(state)
            except OperationalError as error:
                if not left or not is_lock(error) or not self.may_repeat(migration):
                    raise
                self.pause(name, int(self.asked["tries"]) - left)
                state = self.state_now()
                continue
            say(f"{name}: applied in {time.monotonic() - begun:.2f} s")
            self.applied.append(name)
            self.current = None
            return state
        raise AssertionError("the last try returns or raises")

    def limit_waiting(self, migration: Any) -> None:
        """Tell the server how long a statement may wait for a lock; a concurrent index build may for ever."""
        seconds = 0.0 if is_concurrent(migration) else float(self.asked["lock_timeout_s"])
        if self.connection.vendor == "postgresql":
            wanted = f"{int(seconds * 1000)}ms"
            with self.connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, false)", [wanted])
                cursor.execute("SELECT setting FROM pg_settings WHERE name = 'lock_timeout'")
                if cursor.fetchone()[0] != str(int(seconds * 1000)):
                    say(f"warning: the server did not take lock_timeout = {wanted}")
        elif self.connection.vendor == "mysql":
            with self.connection.cursor() as cursor:
                # Whole seconds, and no word for "for ever".
                cursor.execute(f"SET SESSION lock_wait_timeout = {max(1, round(seconds)) if seconds else 3600}")

    def may_repeat(self, migration: Any) -> bool:
        """Whether nothing of a failed migration stands: it was rolled back, or could only have failed as a whole."""
        if migration.atomic and self.connection.features.can_rollback_ddl:
            return True
        return len(migration.operations) == 1 and not is_concurrent(migration)

    def pause(self, name: str, number: int) -> None:
        """Wait a little longer than the last time, and say who may be in the way."""
        seconds = min(LONGEST_PAUSE_S, 2.0 ** (number - 1) * (0.5 + os.getpid() % 50 / 100))
        say(f"{name}: a lock was not to be had; tried again in {seconds:.1f} s{self.in_the_way()}")
        time.sleep(seconds)

    def in_the_way(self) -> str:
        """Return words about the oldest transactions of the database."""
        if self.connection.vendor != "postgresql":
            return ""
        with self.connection.cursor() as cursor:
            cursor.execute(PG_OLD)
            rows = cursor.fetchall()
        return "".join(
            f"; process {pid} ({who}, {name or 'no name'}) is {what} for {age}" for pid, who, name, what, age in rows
        )

    def state_now(self) -> Any:
        """Return the state of the models as the database has it recorded: the one that failed has spoilt its own."""
        from django.db.migrations.executor import MigrationExecutor

        state = MigrationExecutor(self.connection)._create_project_state(with_applied_migrations=True)
        state.apps  # noqa: B018  renders the models, as Django's executor does before its first migration
        return state

    def failure(self, error: BaseException) -> str:
        """Return what stands after a failure."""
        kept = f"applied before it, and kept: {', '.join(self.applied)}" if self.applied else "none was applied before"
        if self.current is None:
            return f"{type(error).__name__}: {error}\n{kept}"
        name, app = label(self.current), self.current.app_label
        if self.current.atomic and self.connection.features.can_rollback_ddl:
            rest = f"nothing of {name} stands: it was rolled back"
        else:
            rest = (
                f"a part of {name} may stand, and it is not recorded: its first operations are not rolled back.\n"
                f"See what stands (manage.py sqlmigrate {app} {self.current.name}), do the rest by hand, then"
                f" manage.py migrate --fake {app} {self.current.name}"
            )
        return f"{name} failed: {type(error).__name__}: {error}\n{rest}\n{kept}"


def label(migration: Any) -> str:
    """Return `app.name`."""
    return f"{migration.app_label}.{migration.name}"


def is_lock(error: BaseException) -> bool:
    """Whether an error of a database says that a lock was not to be had in time."""
    return any(words in str(error).lower() for words in LOCK_WORDS)


def is_concurrent(migration: Any) -> bool:
    """Whether a migration builds or drops an index concurrently: that waits for old transactions by its nature."""
    words = [f"{type(operation).__name__} {getattr(operation, 'sql', '')}" for operation in migration.operations]
    return not migration.atomic and any("concurrently" in text.lower() for text in words)


def tell_invalid(connection: Any) -> None:
    """Tell of indexes that an interrupted concurrent build left: the same build would fail, or keep the bad one."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(PG_INVALID)
        for table, index in cursor.fetchall():
            say(f'warning: the index {index} of {table} is invalid; repair: DROP INDEX CONCURRENTLY "{index}";')


def apply_migrations(asked: dict[str, Any]) -> None:
    """Apply what is asked, and leave with status 1 and a report on standard error when that fails."""
    load_project(asked["manage"])
    from django.db import connections

    connection = connections[asked["alias"]]
    migrator = Migrator(connection, asked)
    try:
        with only_one(connection, float(asked["wait_s"]), say):
            tell_invalid(connection)
            migrator.run()
    except NotAlone as error:
        leave(str(error))
    except BaseException as error:  # a migration may raise anything, SystemExit included
        leave(migrator.failure(error))
    leave("")


def leave(text: str) -> None:
    """End at once, with a report on failure: no thread or handler of the project may keep us."""
    sys.stdout.flush()
    sys.stderr.write(text + "\n" if text else "")
    sys.stderr.flush()
    os._exit(1 if text else 0)
