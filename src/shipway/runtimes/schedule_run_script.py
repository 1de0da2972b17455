"""Runs one job of a schedule on its host, never twice at once. Python 3.9, standard library; stands in HOME/schedule.

    run.py run HOME NAME            what a timer or cron calls: the output goes to the log
    run.py now HOME NAME WHO        the same for a person: the output is also printed; exits as the command did
    run.py log HOME NAME LINES [follow]   prints the end of the log

The job is read anew each time, so it is always that of the release that serves: its code, its environment. Exits 75
(EX_TEMPFAIL of sysexits.h) when the last run is still going on, 78 (EX_CONFIG) for a job that is not in the schedule.
"""

from __future__ import annotations

import contextlib
import ctypes
import datetime as dt
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from typing import Any

Job = dict[str, Any]
BUSY, UNKNOWN = 75, 78
LOG_BYTES = 1_000_000  # a log that has grown beyond this is begun anew; the one before it is kept beside it
RUN_BYTES = 5_000_000  # of one run: a command that prints for ever must not fill the disk
LATE_S = 600  # a host that has much to do calls late
GRACE_S = 30.0  # from the request to end until it is ended
PIECE = 65_536


def stamp(at: float | None = None) -> str:
    """Return a time as the logs and states have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def read(path: str) -> dict[str, Any]:
    """Return what a file of JSON holds; nothing for one that is missing or torn."""
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write(path: str, value: dict[str, Any]) -> None:
    """Write a file of JSON at once."""
    new = f"{path}.{os.getpid()}.new"
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.replace(new, path)


class Log:
    """The log of a job, and what a person sees of it."""

    def __init__(self, path: str, *, is_shown: bool) -> None:
        with contextlib.suppress(OSError):
            if os.path.getsize(path) > LOG_BYTES:
                os.replace(path, path + ".1")
        self.number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.left, self.is_shown, self.ends_line = RUN_BYTES, is_shown, True

    def note(self, text: str) -> None:
        """Write a line of ours."""
        line = "{}--- {} {}\n".format("" if self.ends_line else "\n", stamp(), text)
        self.ends_line = True
        os.write(self.number, line.encode())

    def take(self, piece: bytes) -> None:
        """Write a piece of what the command says."""
        if self.is_shown:
            try:
                os.write(1, piece)
            except OSError:  # whoever watched is gone; the run goes on
                self.is_shown = False
        if self.left > 0:
            os.write(self.number, piece[: self.left])
            self.ends_line = piece.endswith(b"\n")
            if len(piece) > self.left:
                self.note(f"the rest of the output is left out: it has more than {RUN_BYTES} bytes")
        self.left -= len(piece)


def end_with_parent() -> None:
    """Let this process be asked to end when its parent is killed: nobody would end it in time, or note its end."""
    with contextlib.suppress(Exception):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG of prctl(2)


class Run:
    """One run of one job."""

    def __init__(self, job: Job, log: Log) -> None:
        self.limit_s, self.log = float(job["limit_s"]), log
        self.why = ""
        self.child = subprocess.Popen(
            job["argv"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=end_with_parent,  # noqa: PLW1509  we have no threads
        )
        self.pipe = self.child.stdout.fileno() if self.child.stdout else -1

    def end(self, why: str, number: int = signal.SIGTERM) -> None:
        """Ask the command, and all that it started, to end."""
        self.why = self.why or why
        with contextlib.suppress(OSError):
            os.killpg(self.child.pid, number)

    def watch(self) -> int:
        """Wait until the command has ended; return its exit status."""
        begun, pipe = time.monotonic(), self.pipe
        asked_at = None
        is_open = True
        while is_open or self.child.poll() is None:
            now = time.monotonic()
            if self.why and asked_at is None:
                asked_at = now
            if asked_at is None and now - begun > self.limit_s:
                self.end(f"it took longer than {self.limit_s:.0f} s")
            elif asked_at is not None and now - asked_at > GRACE_S:
                self.end("", signal.SIGKILL)
                is_open = is_open and self.child.poll() is None
            if not is_open:
                time.sleep(0.1)
                continue
            ready, _, _ = select.select([pipe], [], [], 0.5)
            if ready:
                piece = os.read(pipe, PIECE)
                is_open = bool(piece)
                if piece:
                    self.log.take(piece)
            elif self.child.poll() is not None:
                is_open = False  # what it left running in the background has the pipe, and nobody waits for that
        status = self.child.wait()
        return 128 - status if status < 0 else status


def run(home: str, name: str, who: str) -> int:
    """Run a job; return the exit status."""
    place = os.path.join(home, "schedule")
    active = read(os.path.join(place, "active.json"))
    job = next((one for one in active.get("jobs", []) if one["name"] == name), None)
    if job is None:
        sys.stderr.write("`{}` is not in the schedule of {}\n".format(name, active.get("release", "any release")))
        return UNKNOWN
    if who == "timer" and not is_due(job, time.time()):
        sys.stderr.write(f"`{name}` is not due now: a timer that is set anew can call for a time that has passed\n")
        return UNKNOWN
    for folder in ("lock", "log", "state"):
        os.makedirs(os.path.join(place, folder), mode=0o700, exist_ok=True)
    state = os.path.join(place, "state", name + ".json")
    lock = os.open(os.path.join(place, "lock", name), os.O_RDWR | os.O_CREAT, 0o600)
    if not taken(lock):
        write(os.path.join(place, "state", name + ".skipped"), {"at": stamp(), "by": who})
        sys.stderr.write(
            "`{}` is still running since {}: not begun again\n".format(name, read(state).get("began", "?"))
        )
        return BUSY
    os.environ.update(active.get("environment", {}))
    about = {"release": active.get("release", ""), "by": who}
    log = Log(os.path.join(place, "log", name + ".log"), is_shown=who != "timer")
    return carried_out(job, log, state, about)


def is_due(job: Job, now: float) -> bool:
    """Return whether a job was to begin within the last minutes. A timer of systemd that is started again looks back.

    Within hours of a change of clocks a time counts an hour later, too: it may have been left out.
    """
    times = job.get("times")
    if not times:
        return True
    zone: dt.tzinfo = dt.timezone.utc  # noqa: UP017  Python 3.9
    if job["timezone"] not in ("UTC", "Etc/UTC"):
        import zoneinfo

        zone = zoneinfo.ZoneInfo(job["timezone"])
    here = [dt.datetime.fromtimestamp(now - back, zone) for back in range(0, LATE_S, 60)]
    if here[0].utcoffset() != dt.datetime.fromtimestamp(now - 3 * 3600, zone).utcoffset():
        here += [one - dt.timedelta(hours=1) for one in here]
    return any(fits(times, one) for one in here)


def fits(times: dict[str, Any], when: dt.datetime) -> bool:
    """Return whether a minute is among the times of a job."""
    if when.month not in times["months"] or when.hour not in times["hours"] or when.minute not in times["minutes"]:
        return False
    days = (when.day in times["days"], when.isoweekday() % 7 in times["weekdays"])
    return any(days) if times["any_day"] else all(days)


def taken(lock: int) -> bool:
    """Return whether the lock is ours now. Whoever only looks has it for a moment."""
    for _ in range(10):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(0.1)
        else:
            return True
    return False


def carried_out(job: Job, log: Log, state: str, about: dict[str, Any]) -> int:
    """Run a job whose lock is ours until we end, with a note of it before and after; return the exit status."""
    begun = time.time()
    about = {**about, "began": stamp(begun), "pid": os.getpid()}
    before = read(state)
    write(state, {**about, "last": before if "ended" in before else before.get("last", {})})
    log.note("begun by {}, with {}".format(about["by"], about["release"]))
    try:
        going = Run(job, log)
    except OSError as error:
        status, why = 127, f"could not start: {error}"
    else:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda got, _: going.end(f"it was asked to end (signal {got})"))
        status = going.watch()
        why = going.why
    took = round(time.time() - begun, 3)
    log.note(f"ended with exit status {status} after {took:.1f} s" + (f": {why}" if why else ""))
    write(state, {**about, "ended": stamp(), "status": status, "took_s": took, "why": why})
    if why and log.is_shown:
        sys.stderr.write(why + "\n")
    return status or (1 if why else 0)


def show(home: str, name: str, lines: str, follow: str = "") -> int:
    """Become what prints the end of a log; say so where there is none yet."""
    path = os.path.join(home, "schedule", "log", name + ".log")
    if not os.path.exists(path):
        sys.stderr.write(f"`{name}` has not run yet\n")
        return 1
    return subprocess.call(["tail", "-n", lines, *(["-F"] if follow else []), "--", path])


if __name__ == "__main__":
    verb, words = sys.argv[1], sys.argv[2:]
    if verb == "log":
        sys.exit(show(*words))
    sys.exit(run(words[0], words[1], words[2] if verb == "now" else "timer"))
