"""What asks a running nginx: one standard-library script, sent by standard input (`python3 -I -S - VERB …`).

It is never imported by Shipway. It needs Python 3.8 or newer, and reads `/proc` of the host. Every verb is idempotent.
A failure is one sentence on standard error and exit status 1.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

# A request can be dialled just before a switch and be seen just after it, so one zero is no proof: three in a row.
QUIET_ANSWERS = 3
POLL_S = 0.05
MASTER, WORKER, LEAVING = "nginx: master process", "nginx: worker process", "is shutting down"
CONNECTED = "03"
"""The column `St` of /proc/net/unix for a socket that two hold (linux/net.h, SS_CONNECTED)."""


class Failed(Exception):
    """What is told to the user."""


def digest(path: pathlib.Path) -> str:
    """Return the SHA-256 of a file, or nothing where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def read(path: pathlib.Path) -> str:
    """Return what the file holds, "" where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def title(pid: int) -> str:
    """Return how a process calls itself."""
    return read(pathlib.Path(f"/proc/{pid}/cmdline")).replace("\0", " ").strip()


def master(home: pathlib.Path) -> int:
    """Return the process id of nginx, 0 where it does not run."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        said = json.loads((home / "nginx/nginx.json").read_text(encoding="utf-8"))
        pid = int(pathlib.Path(said["pid"]).read_text(encoding="ascii"))
        if title(pid).startswith(MASTER):
            return pid
    return 0


def workers(of: int) -> dict[int, str]:
    """Return the workers of a master by process id, and how each calls itself."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):  # never `/stat` here: glob fails on one that ends meanwhile
        # Its fields are: pid, (name), state, parent; a name may have blanks (proc(5)).
        words = read(folder / "stat").rpartition(")")[2].split()
        if len(words) > 1 and words[1] == str(of):
            pid = int(folder.name)
            if (says := title(pid)).startswith(WORKER):
                found[pid] = says
    return found


def configured(folder: str, service: str, wanted: str) -> None:
    """Fail unless the file of the service is `wanted` (SHA-256) and was put into a configuration."""
    home = pathlib.Path(folder)
    if digest(home / "nginx/sites" / f"{service}.json") != wanted or not (home / "nginx/shipway.conf").exists():
        raise Failed("not configured")


def runs(folder: str) -> None:
    """Fail unless nginx runs."""
    if not master(pathlib.Path(folder)):
        raise Failed("nginx does not run")


def gone(folder: str) -> None:
    """Fail while nginx runs."""
    if master(pathlib.Path(folder)):
        raise Failed("nginx still runs")


def up(folder: str, limit_s: str) -> None:
    """Wait until nginx runs; what it reads by then is what stands there."""
    home, end = pathlib.Path(folder), time.monotonic() + float(limit_s)
    while not (pid := master(home)) or not workers(pid):
        if time.monotonic() > end:
            raise Failed(f"nginx did not come up within {limit_s} s; `journalctl -u nginx` has its words")
        time.sleep(POLL_S)
    note(home)


def note(home: pathlib.Path) -> None:
    """Note which configuration nginx runs: it cannot be asked."""
    beside = home / "nginx/loaded.shipway-new"
    beside.write_text(digest(home / "nginx/shipway.conf"), encoding="ascii")
    beside.replace(home / "nginx/loaded")


def running(folder: str) -> None:
    """Fail unless nginx has read the configuration that stands there."""
    home = pathlib.Path(folder)
    if not master(home) or read(home / "nginx/loaded") != digest(home / "nginx/shipway.conf"):
        raise Failed("nginx runs another configuration")


def call(nginx: list[str], *words: str) -> subprocess.CompletedProcess[str]:
    """Return what nginx, called once, answered."""
    environ = {**os.environ, "LC_ALL": "C", "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
    return subprocess.run([*nginx, *words], capture_output=True, text=True, timeout=60, check=False, env=environ)


def reload(folder: str, limit_s: str, *nginx: str) -> None:
    """Make nginx read its configuration, once it has judged it. Waits for the new workers: a signal tells nothing.

    The workers before go on with what they hold, and leave when that is done.
    """
    home = pathlib.Path(folder)
    pid, end = master(home), time.monotonic() + float(limit_s)
    before = workers(pid)
    for words in (("-t",), ("-s", "reload")):
        ran = call(list(nginx), *words)
        if ran.returncode:
            raise Failed("nginx kept its old configuration: " + " ".join(ran.stderr.split("\n"))[-2000:].strip())
    while True:
        now = workers(pid)
        if now.keys() - before.keys() and all(LEAVING in now[one] for one in before.keys() & now.keys()):
            return note(home)
        if time.monotonic() > end:
            raise Failed(f"nginx did not take its new configuration within {limit_s} s; its error log tells why")
        time.sleep(POLL_S)


def again(folder: str, limit_s: str, *nginx: str) -> None:
    """Make a running nginx read its configuration and the files in it again."""
    if master(pathlib.Path(folder)):
        reload(folder, limit_s, *nginx)


def back(folder: str, limit_s: str, *nginx: str) -> None:
    """Make a running nginx read its configuration again, where it has not read the one that stands there."""
    home = pathlib.Path(folder)
    if master(home) and read(home / "nginx/loaded") != digest(home / "nginx/shipway.conf"):
        reload(folder, limit_s, *nginx)


def held(path: str) -> int:
    """Return how many connections the socket at `path` holds: requests, and WebSockets.

    nginx opens one for each request and keeps none, so these are all. Every user may read this.
    """
    rows = (line.split(None, 7) for line in read(pathlib.Path("/proc/net/unix")).splitlines()[1:])
    return sum(1 for row in rows if len(row) == 8 and row[7] == path and row[5] == CONNECTED)  # noqa: PLR2004


def drain(path: str, limit_s: str) -> None:
    """Wait until nothing is held, or the limit is over: neither is a failure."""
    begin = time.monotonic()
    quiet, count = 0, 0
    while quiet < QUIET_ANSWERS:
        count = held(path)
        quiet = 0 if count else quiet + 1
        if time.monotonic() - begin >= float(limit_s):
            say(f"not drained: {count} requests left after {limit_s} s")
            return
        time.sleep(POLL_S)
    say(f"drained in {time.monotonic() - begin:.1f} s")


def holds(folder: str, *wanted: str) -> None:
    """Fail unless the pages in `folder` are exactly those `wanted` (NAME=SHA256)."""
    found = {f"{path.name}={digest(path)}" for path in pathlib.Path(folder).glob("*.html")}
    if found != set(wanted):
        raise Failed("other pages")


def included(folder: str, *places: str) -> None:
    """Fail unless one of `places` is our include file."""
    wanted = f"include {folder}/nginx/*.conf;"
    if not any(wanted in read(pathlib.Path(place)) for place in places):
        raise Failed("not included")


def is_settled(home: str, service: str, wanted: Any) -> bool:
    """Return whether there is nothing to do: nginx runs with the wanted site and pages."""
    try:
        configured(home, service, wanted["site"])
        holds(f"{home}/errors/{service}", *wanted["pages"])
        included(home, *wanted["includes"])
        running(home)
    except (Failed, OSError, ValueError):
        return False
    return all((pathlib.Path(home) / "live" / service / role).is_symlink() for role in wanted["roles"])


def facts(home: str, service: str, wanted: str) -> None:
    """Tell what is there; everything is bounded, nothing is required. `wanted` is JSON, see `is_settled`."""
    root, live = pathlib.Path(home), {}
    for path in sorted((root / "live" / service).glob("*"))[:200]:
        with contextlib.suppress(OSError):
            target = os.readlink(path) if path.is_symlink() else ""
            if target.startswith("/") and "." not in path.name:
                live[path.name] = f"unix/{target[:1000]}"
    say(
        json.dumps(
            {
                "live": live,
                "up": bool(master(root)),
                "maintenance": (root / "maintenance" / service).exists(),
                "hash": digest(root / "nginx/sites" / f"{service}.json")[:12],
                "settled": is_settled(home, service, json.loads(wanted)),
            }
        )
    )


def say(text: str) -> None:
    """Print a line for a person."""
    sys.stdout.write(text + "\n")


VERBS: dict[str, Callable[..., None]] = {
    "again": again,
    "back": back,
    "configured": configured,
    "drain": drain,
    "facts": facts,
    "gone": gone,
    "holds": holds,
    "included": included,
    "reload": reload,
    "running": running,
    "runs": runs,
    "up": up,
}


if __name__ == "__main__":
    try:
        VERBS[sys.argv[1]](*sys.argv[2:])
    except Failed as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{error.filename or 'the proxy'}: {error.strerror or error}")
    except (ValueError, KeyError) as error:
        sys.exit(f"a file of the proxy could not be read: {error!r}")
