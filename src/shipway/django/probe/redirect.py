"""Turning a project's connections to scratch databases before it starts, and its other hands to nothing.

Nothing of a rehearsal may reach what is live: a connection whose database is not the scratch one ends the process, and
PostgreSQL sessions are read-only until they were seen to be in it.
"""

from __future__ import annotations

import os
import sys
from typing import Any

DUMMY = "django.db.backends.dummy"
BROKERS = (
    "CELERY_BROKER_URL",
    "BROKER_URL",
    "CELERY_RESULT_BACKEND",
    "DRAMATIQ_BROKER",
    "RQ_QUEUES",
    "HUEY",
    "Q_CLUSTER",
)


def redirect(scratch: dict[str, str]) -> None:
    """Point each alias of DATABASES to its scratch database, and those that have none to nothing. Before setup."""
    from django.conf import settings
    from django.db import connections
    from django.db.backends.signals import connection_created

    os.environ["PGOPTIONS"] = (os.environ.get("PGOPTIONS", "") + " -c default_transaction_read_only=on").strip()
    for alias, one in settings.DATABASES.items():
        if scratch.get(alias):
            one["NAME"] = scratch[alias]
            one["CONN_MAX_AGE"] = 0
        else:
            one.clear()
            one["ENGINE"] = DUMMY
    for alias in settings.DATABASES:
        try:
            del connections[alias]
        except AttributeError:
            pass

    def check(connection: Any = None, **_: Any) -> None:
        guard(connection, scratch)

    connection_created.connect(check, weak=False)


def guard(connection: Any, scratch: dict[str, str]) -> None:
    """End the process unless `connection` is in its scratch database; let PostgreSQL write there."""
    wanted = str(scratch.get(connection.alias, ""))
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA database_list")
            name, wanted = str(cursor.fetchone()[2]), os.path.realpath(wanted)
        else:
            cursor.execute("SELECT current_database()" if connection.vendor == "postgresql" else "SELECT DATABASE()")
            name = str(cursor.fetchone()[0])
        if not wanted or name != wanted:
            sys.stderr.write(f"the alias {connection.alias} led to {name} and not to the scratch database: ended\n")
            sys.stderr.flush()
            os._exit(3)
        if connection.vendor == "postgresql":
            cursor.execute("SET default_transaction_read_only = off")
            if connection.in_atomic_block or not connection.get_autocommit():
                cursor.execute("SET TRANSACTION READ WRITE")


def mute_settings() -> None:
    """Let mail, caches, files and tasks lead to memory or nowhere. After the settings were found, before setup."""
    from django.conf import settings

    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    local = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    settings.CACHES = {alias: {**local, "LOCATION": alias} for alias in {**settings.CACHES, "default": {}}}
    if hasattr(settings, "STORAGES"):
        memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
        settings.STORAGES = {**settings.STORAGES, "default": memory}
    if hasattr(settings, "TASKS"):
        settings.TASKS = {alias: {"BACKEND": "django.tasks.backends.dummy.DummyBackend"} for alias in settings.TASKS}
    for name in BROKERS[:3]:
        if isinstance(getattr(settings, name, None), str):
            setattr(settings, name, "cache+memory://" if "RESULT" in name else "memory://")


def mute_signals() -> None:
    """Let no receiver hear that a row was written or deleted: it may send mail, tasks or requests."""
    from django.db.models import signals

    for one in (
        signals.pre_save,
        signals.post_save,
        signals.pre_delete,
        signals.post_delete,
        signals.m2m_changed,
        signals.pre_migrate,
        signals.post_migrate,
    ):
        one.receivers = []
        one.sender_receivers_cache.clear()
