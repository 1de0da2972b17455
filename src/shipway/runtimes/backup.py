"""The command that backs a database up before a release migrates it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Literal

from shipway.core.action import Command
from shipway.core.layout import Layout

Proof = Literal["postgresql", "mysql", "any"]
Server = Literal["postgresql", "mysql"]
MARGIN_S = 60.0

# Both run in the server's own container, which has the programs that fit its version and its password in its
# environment. Nothing of it becomes an argument: libpq reads PGPASSWORD, MySQL's client MYSQL_PWD.
PG_DUMP_SCRIPT = (
    'PGPASSWORD=${POSTGRES_PASSWORD-}; [ -n "$PGPASSWORD" ] || [ ! -r "${POSTGRES_PASSWORD_FILE-}" ]'
    ' || PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE"); export PGPASSWORD; u=${POSTGRES_USER:-postgres};'
    ' exec pg_dump --format=custom --no-password --username="$u" --dbname="${POSTGRES_DB:-$u}"'
)
MYSQL_DUMP_SCRIPT = (
    "MYSQL_PWD=${MARIADB_ROOT_PASSWORD:-${MYSQL_ROOT_PASSWORD-}};"
    ' f=${MARIADB_ROOT_PASSWORD_FILE:-${MYSQL_ROOT_PASSWORD_FILE-}}; [ -n "$MYSQL_PWD" ] || [ ! -r "$f" ]'
    ' || MYSQL_PWD=$(cat "$f"); export MYSQL_PWD; p=mariadb-dump; command -v "$p" >/dev/null || p=mysqldump;'
    ' exec "$p" --user=root --single-transaction --quick --routines --triggers --events'
    ' "${MARIADB_DATABASE:-${MYSQL_DATABASE:?the container names no database}}"'
)


@dataclass(frozen=True, slots=True)
class BackupSpec:
    """How backups are made.

    `command` is a line of shell, run in the environment of the new release; or ("") the database in `container` of
    `host` is dumped by the programs of its own `server`. `when`: before migrations that a person must approve, or
    before all. The newest `keep` stay; one may take `limit_s`.
    """

    command: str = ""
    host: str = ""
    container: str = ""
    server: Server = "postgresql"
    when: Literal["risky", "always"] = "risky"
    keep: int = 3
    limit_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class Dump:
    """What is run for a backup: words, and by what a whole one is known."""

    words: tuple[str, ...]
    proof: Proof = "any"


def accessory_dump(container: str, server: Server) -> Dump:
    """Return the dump of the database that the container of an accessory was made with."""
    script = PG_DUMP_SCRIPT if server == "postgresql" else MYSQL_DUMP_SCRIPT
    return Dump(("docker", "exec", container, "sh", "-c", script), server)


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where backups stand, under which name this one will, how many stay, and how long it may take."""

    layout: Layout
    run: str
    name: str
    keep: int
    limit_s: float


def backup_command(dump: Dump, keeping: Keeping) -> Command:
    """Return the command that makes a backup of `dump`, and prints one line about it."""
    layout = keeping.layout
    words = (layout.backups, keeping.name, str(keeping.keep), layout.ledger, keeping.run, dump.proof, *dump.words)
    text = resources.files("shipway.runtimes").joinpath("backup_script.py").read_text(encoding="utf-8")
    return Command(("python3", "-I", "-S", "-", *words), stdin=(text,), limit_s=keeping.limit_s + MARGIN_S)
