"""A PostgreSQL server of our own, on a socket in a temporary directory."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.absent import absent

PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
BIN = next((p for p in PLACES if (p / "initdb").exists()), None) or (
    Path(found).parent if (found := shutil.which("initdb")) else None
)


def as_owner(*words: str) -> None:
    """Run a program of PostgreSQL: it refuses to be root, so root becomes `postgres` for it."""
    prefix = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
    subprocess.run((*prefix, *words), check=True, capture_output=True, cwd="/", timeout=120)


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Give the directory of the socket of a running server; the user is `postgres`, nobody needs a password."""
    if BIN is None:
        absent("PostgreSQL is not installed (on Debian: apt-get install postgresql)")
    place = Path(tempfile.mkdtemp(prefix="shipway-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        os.chown(place, pwd.getpwnam("postgres").pw_uid, -1)
    data = str(place / "data")
    options = f"-k {place} -c listen_addresses='' -c fsync=off -c autovacuum=off"
    try:
        as_owner(str(BIN / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "--no-sync")
        as_owner(str(BIN / "pg_ctl"), "-D", data, "-o", options, "-l", str(place / "log"), "-w", "start")
        try:
            yield str(place)
        finally:
            as_owner(str(BIN / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(place, ignore_errors=True)
