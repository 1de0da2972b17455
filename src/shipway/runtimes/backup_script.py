"""Keeps what a command prints as a backup of a database. Python 3.9, standard library. Sent on standard input.

    backup.py DIRECTORY NAME KEEP LEDGER RUN PROOF WORD…    runs WORD… and keeps what it prints as DIRECTORY/NAME

PROOF says by what a whole backup is known: `postgresql` (the archive of pg_dump), `mysql` (the last line of mysqldump)
or `any`: then a command that prints nothing has put its backup elsewhere, and that is told. The newest KEEP backups
stay. A file is there when it is whole, and nobody else may read it. Size and time go to the ledger, and are printed.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

SUFFIX = ".backup"
_HEAD = {"postgresql": b"PGDMP"}
_TAIL = {"mysql": b"-- Dump completed"}
TAIL_BYTES = 400


def fail(what: str) -> None:
    """Say why there is no backup, and end."""
    sys.stderr.write(what + "\n")
    sys.exit(1)


def missing(path: str, proof: str) -> str:
    """Return what a file lacks to be a whole backup, "" for nothing."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        head = file.read(16)
        file.seek(max(0, size - TAIL_BYTES))
        tail = file.read()
    if proof in _HEAD and not head.startswith(_HEAD[proof]):
        return "it does not begin as an archive of pg_dump does"
    if proof in _TAIL and _TAIL[proof] not in tail:
        return "its last line is missing"
    return ""


def dump(words: list[str], path: str) -> int:
    """Run a command with its output in a file that only we may read; return its exit status."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=number, start_new_session=True)

    def end(asked: int, _frame: object) -> None:
        with contextlib.suppress(OSError):
            os.killpg(child.pid, signal.SIGTERM)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        sys.exit(128 + asked)

    for asked in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(asked, end)
    status = child.wait()
    os.fsync(number)
    os.close(number)
    return status


def prune(directory: str, keep: int) -> None:
    """Remove all backups but the newest, and what was left half done."""
    names = sorted(name for name in os.listdir(directory) if name.endswith(SUFFIX))  # a name begins with its time
    for name in names[: max(0, len(names) - keep)]:
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(directory, name))


def note(ledger: str, run: str, text: str, **detail: object) -> None:
    """Write a line into the ledger of the host (core/record.py), by one write."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    line = json.dumps({"kind": "note", "run": run, "at": at, "detail": {"note": text, **detail}}, separators=(",", ":"))
    number = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(number, (line + "\n").encode())
    os.close(number)


def main(words: list[str]) -> None:
    """Make a backup; exits 1 where there is none afterwards."""
    directory, name, keep, ledger, run, proof, *command = words
    os.makedirs(directory, mode=0o700, exist_ok=True)
    os.chmod(directory, 0o700)
    path = os.path.join(directory, name + SUFFIX)
    part = path + ".part"
    begun, size = time.monotonic(), 0
    try:
        status = dump(command, part)
        why = f"the command ended with exit status {status}" if status else missing(part, proof)
        if why:
            fail(f"the backup is not whole: {why}")
        size = os.path.getsize(part)
        if size:
            os.replace(part, path)
    except OSError as error:
        fail(f"the backup could not be written: {error}")
    finally:
        with contextlib.suppress(OSError):
            os.unlink(part)
    took_s = round(time.monotonic() - begun, 3)
    if size:
        prune(directory, int(keep))
    text = f"{path}, {size} bytes in {took_s:.1f} s" if size else f"kept elsewhere by its command, in {took_s:.1f} s"
    note(ledger, run, f"backup: {text}", backup=path if size else "", bytes=size, took_s=took_s)
    sys.stdout.write(f"backup: {text}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
