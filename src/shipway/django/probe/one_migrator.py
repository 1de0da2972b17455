"""One migrator at a time on one database: two at once ran the Python code of a migration twice, and both said "OK".

The lock is polled. Waiting inside `pg_advisory_lock` would hold a snapshot, which stops the other's concurrent index.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator
from typing import Any

POLL_S = 1.0
PG_HOLDER = """
SELECT a.pid, a.application_name, a.client_addr, now() - a.backend_start FROM pg_locks l
JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted AND l.pid <> pg_backend_pid()
"""


class NotAlone(Exception):
    """Somebody else has migrated for as long as we were ready to wait, or the lock cannot be relied on."""


@contextlib.contextmanager
def only_one(connection: Any, wait_s: float, say: Any) -> Iterator[None]:
    """Hold the lock of the migrators of `connection`'s database in the body. Raises NotAlone after `wait_s`."""
    take = {"postgresql": postgresql_lock, "mysql": mysql_lock, "sqlite": sqlite_lock}.get(connection.vendor)
    if take is None:
        yield
        return
    with contextlib.ExitStack() as stack:
        attempt = take(connection, stack)
        deadline, told = time.monotonic() + wait_s, False
        while True:
            holder = attempt()
            if holder is None:
                break
            if not told:
                say(f"another migration of this database is running, and is waited for{holder}")
                told = True
            if time.monotonic() > deadline:
                raise NotAlone(f"another migration of this database did not end in {wait_s:g} s{holder}")
            time.sleep(POLL_S)
        yield


def lock_name(connection: Any) -> str:
    """Return the name of the lock: the same for everybody who migrates this database."""
    return f"shipway-migrate-{connection.settings_dict.get('NAME') or ''}"


def postgresql_lock(connection: Any, stack: Any) -> Any:
    """Return what tries to take an advisory lock on a connection of its own: None, or words about the holder."""
    other = connection.copy()
    stack.callback(other.close)
    key = int.from_bytes(hashlib.sha256(lock_name(connection).encode()).digest()[:8], "big", signed=True)

    def attempt() -> Any:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
            if not cursor.fetchone()[0]:
                cursor.execute(PG_HOLDER)
                rows = cursor.fetchmany(3)
                return "".join(f" (process {pid}, {name or 'no name'}, since {age})" for pid, name, _, age in rows)
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
            if not cursor.fetchone()[0]:
                raise NotAlone(
                    "the database is reached through a pooler that gives each statement another session, so no lock"
                    " holds: give migrations a direct URL"
                )
        stack.callback(release)
        return None

    def release() -> None:
        with contextlib.suppress(Exception), other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [key])

    return attempt


def mysql_lock(connection: Any, stack: Any) -> Any:
    """Return what tries GET_LOCK on a connection of its own."""
    other = connection.copy()
    stack.callback(other.close)
    name = hashlib.sha256(lock_name(connection).encode()).hexdigest()[:48]

    def attempt() -> Any:
        with other.cursor() as cursor:
            cursor.execute("SELECT GET_LOCK(%s, 0), IS_USED_LOCK(%s)", [name, name])
            taken, holder = cursor.fetchone()
            return None if taken == 1 else f" (connection {holder})"

    return attempt


def sqlite_lock(connection: Any, stack: Any) -> Any:
    """Return what tries to lock a file beside the database; a database in memory is nobody else's."""
    import fcntl

    path = str(connection.settings_dict.get("NAME") or "")
    if not path or ":memory:" in path or path.startswith("file:"):
        return lambda: None
    directory, name = os.path.split(os.path.abspath(path))
    os.makedirs(directory, exist_ok=True)
    number = os.open(os.path.join(directory, f".{name}.migrating"), os.O_RDWR | os.O_CREAT, 0o600)
    stack.callback(os.close, number)

    def attempt() -> Any:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return ""
        return None

    return attempt
