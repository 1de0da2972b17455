"""Puts the schedule of a release in force on its host, and takes it away. Python 3.9, standard library.

    schedule.py check HOME RELEASE WAY       exits 0 where it can be put in force; says why not
    schedule.py activate HOME RELEASE WAY    makes the jobs of RELEASE those of this host; without any: none
    schedule.py pause HOME WAIT_S            none, and what runs has ended (after WAIT_S seconds it is asked to)
    schedule.py report HOME                  prints what is in force and how it went last, as JSON
    schedule.py clear HOME                   none, and nothing is kept but the logs

A job is a timer of systemd: of the machine for root or by sudo, of the login with linger; or a line of the login's
crontab. WAY is `cron` where that comes first. The jobs of a release stand in HOME/releases/RELEASE/schedule.json.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from typing import IO, Any

Job = dict[str, Any]
SYSTEM, USER = "/etc/systemd/system", os.path.expanduser("~/.config/systemd/user")
KEPT = ("PATH", "HOME", "LANG", "XDG_RUNTIME_DIR", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG")
LIMIT_S = 60


class Trouble(Exception):
    """What a person must know; ends the script."""


def call(*words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """Return what a program answered; one that is missing has failed."""
    environment = dict(os.environ)
    environment.setdefault("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
    try:
        return subprocess.run(
            words, input=given, capture_output=True, text=True, errors="replace", check=False, timeout=LIMIT_S,
            env=environment,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(words, 127, "", str(error))


def need(*words: str, given: str | None = None) -> str:
    """Run a program that must succeed."""
    done = call(*words, given=given)
    if done.returncode:
        raise Trouble("`{}` failed: {}".format(" ".join(words[:6]), (done.stderr or done.stdout).strip()[-1000:]))
    return done.stdout


def read(path: str) -> dict[str, Any]:
    """Return what a file of JSON holds; nothing for one that is missing."""
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Trouble(f"could not read {path}: {error}") from error
    return found if isinstance(found, dict) else {}


def write(path: str, text: str) -> None:
    """Write a file at once."""
    with open(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".new", path)


def quoted(word: str) -> str:
    """Return a word as it stands in a line of a unit file (systemd.syntax(7), systemd.service(5))."""
    return '"{}"'.format(word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$"))


class Timers:
    """Timers of systemd: of the machine (`root`, `sudo`) or of the login (`user`)."""

    def __init__(self, home: str, way: str) -> None:
        self.home, self.way = home, way
        self.sudo = ("sudo", "-n") if way == "sudo" else ()
        self.folder = USER if way == "user" else SYSTEM
        self.mark = f"# Schedule of {home}, written by Shipway"

    def control(self, *words: str) -> tuple[str, ...]:
        """Return the words of a call of systemctl."""
        return (*self.sudo, "systemctl", *(("--user",) if self.way == "user" else ()), *words)

    def trouble(self, _job: Job) -> str:
        """Return why a job cannot be a timer, "" when it can."""
        if not os.path.isdir("/run/systemd/system"):
            return "there is no systemd"
        if self.way == "root":
            return ""
        if self.way == "sudo":
            return "" if call("sudo", "-n", "true").returncode == 0 else "the login may not use sudo without a password"
        login = call("id", "-un").stdout.strip()
        if not os.path.exists("/var/lib/systemd/linger/" + login) and call("loginctl", "enable-linger").returncode:
            return f"units of {login} end with its session: `loginctl enable-linger {login}` as root"
        answers = call(*self.control("show", "--property=Version")).returncode == 0
        return "" if answers else f"the manager of {login} does not answer"

    def stem(self, name: str) -> str:
        """Return the name of a job's units. A service of ours has no dot in its name, so no unit of it begins so."""
        return f"shipway-schedule.{os.path.basename(self.home)}.{name}"

    def here(self) -> list[str]:
        """Return the names of the jobs that have a timer of this home."""
        found = []
        first = self.stem("")
        for path in sorted(glob.glob(os.path.join(self.folder, glob.escape(first) + "*.timer"))):
            with open(path, encoding="utf-8") as file:
                if self.mark in file.read().splitlines():
                    found.append(os.path.basename(path)[len(first) : -len(".timer")])
        return found

    def texts(self, job: Job) -> tuple[tuple[str, str], ...]:
        """Return the files of a job: suffix and text."""
        words = (sys.executable, "-I", "-S", f"{self.home}/schedule/run.py", "run", self.home, job["name"])
        title = "Description={}: {} (Shipway)".format(os.path.basename(self.home), job["name"])
        user = ["User=" + call("id", "-un").stdout.strip()] if self.way == "sudo" else []
        service = [self.mark, "[Unit]", title, "[Service]", "Type=oneshot", *user, "TimeoutStopSec=60"]
        service.append("SuccessExitStatus=75 78")  # it runs already, or has just gone
        service.append("ExecStart=" + " ".join(map(quoted, words)))
        timer = [self.mark, "[Unit]", title, "[Timer]", *("OnCalendar=" + one for one in job["calendars"])]
        timer += ["AccuracySec=1s", "[Install]", "WantedBy=timers.target"]
        return ((".service", "\n".join(service) + "\n"), (".timer", "\n".join(timer) + "\n"))

    def put(self, path: str, text: str) -> bool:
        """Write a unit file; return whether it changed. Raises Trouble for one that is not ours."""
        with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8") as file:
            old = file.read()
            if old == text:
                return False
            if self.mark not in old.splitlines():
                raise Trouble(f"{path} is not of this state directory: it stays as it is")
        need(*self.sudo, "mkdir", "-p", "--", self.folder)
        script = 'umask 022; cat >"$1.shipway-new" && mv -f -- "$1.shipway-new" "$1"'
        need(*self.sudo, "sh", "-c", script, "sh", path, given=text)
        return True

    def set(self, jobs: list[Job]) -> None:
        """Make the timers those of `jobs`, and no others."""
        gone = [name for name in self.here() if name not in [job["name"] for job in jobs]]
        if gone:
            need(*self.control("disable", "--now", "--quiet", *(self.stem(name) + ".timer" for name in gone)))
            stems = [os.path.join(self.folder, self.stem(name)) for name in gone]
            need(*self.sudo, "rm", "-f", "--", *(stem + end for stem in stems for end in (".timer", ".service")))
        changed = False
        for job in jobs:
            for suffix, text in self.texts(job):
                changed |= self.put(os.path.join(self.folder, self.stem(job["name"]) + suffix), text)
        if gone or changed:
            need(*self.control("daemon-reload"))
        timers = [self.stem(job["name"]) + ".timer" for job in jobs]
        if not changed and self.are_active(timers):
            return
        need(*self.control("enable", "--quiet", *timers))
        need(*self.control("restart", *timers))
        if not self.are_active(timers):
            raise Trouble("systemd did not start all of " + ", ".join(timers))

    def are_active(self, timers: list[str]) -> bool:
        """Return whether all timers wait for their time; `is-active` asks for any of several."""
        asked = ("show", "--property=ActiveState", "--value", *timers)
        return not timers or call(*self.control(*asked)).stdout.split() == ["active"] * len(timers)


class Crontab:
    """Lines of the login's crontab, between two marks."""

    way = folder = "cron"

    def __init__(self, home: str) -> None:
        self.home = home
        self.begin = f"# Begin of the schedule of {home}, written by Shipway"
        self.end = f"# End of the schedule of {home}"

    def trouble(self, job: Job) -> str:
        """Return why a job cannot be a line of the crontab, "" when it can."""
        if not shutil.which("crontab"):
            return "there is no cron"
        if not any(name in ("cron", "crond") for name in map(program, glob.glob("/proc/[0-9]*/comm"))):
            return "cron does not run"
        if not same_clock(job["timezone"]):
            return "cron goes by the clock of the host, which is not that of {}".format(job["timezone"])
        return ""

    def lines(self) -> tuple[list[str], list[str]]:
        """Return the crontab of the login: what stands before, between and after the marks."""
        done = call("crontab", "-l")
        if done.returncode and "no crontab" not in done.stderr.lower():
            raise Trouble(f"could not read the crontab: {done.stderr.strip() or done.returncode}")
        all_lines = done.stdout.splitlines() if done.returncode == 0 else []
        if self.begin not in all_lines:
            return all_lines, []
        first = all_lines.index(self.begin)
        if self.end not in all_lines[first:]:
            raise Trouble(f"the crontab has `{self.begin}` and not `{self.end}`: mend it with `crontab -e`")
        last = all_lines.index(self.end, first)
        return all_lines[:first] + all_lines[last + 1 :], all_lines[first + 1 : last]

    def here(self) -> list[str]:
        """Return the names of the jobs that have a line."""
        if not shutil.which("crontab"):
            return []
        return [line.rpartition(" # ")[2] for line in self.lines()[1] if not line.startswith("#")]

    def set(self, jobs: list[Job]) -> None:
        """Make the lines those of `jobs`, and no others."""
        others, ours = self.lines() if jobs or shutil.which("crontab") else ([], [])
        words = (sys.executable, "-I", "-S", f"{self.home}/schedule/run.py", "run", self.home)
        runner = " ".join(map(shell_quoted, words)).replace("%", "\\%")  # a bare one is a new line: crontab(5)
        wanted = [f"{job['cron']} {runner} {job['name']} >/dev/null 2>&1 # {job['name']}" for job in jobs]
        if wanted != ours:
            block = [self.begin, *wanted, self.end] if wanted else []
            need("crontab", "-", given="".join(line + "\n" for line in (*others, *block)))


def program(path: str) -> str:
    """Return what a process runs, "" for one that has gone."""
    with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
        return file.read().strip()
    return ""


def shell_quoted(word: str) -> str:
    """Return a word for the shell."""
    return word if re.fullmatch(r"[A-Za-z0-9_./-]+", word) else "'{}'".format(word.replace("'", "'\\''"))


def same_clock(name: str) -> bool:
    """Return whether the host's clocks show the time of a zone, on every day of the year to come."""
    if name in ("UTC", "Etc/UTC"):
        zone: dt.tzinfo = dt.timezone.utc  # noqa: UP017  Python 3.9
    else:
        import zoneinfo

        try:
            zone = zoneinfo.ZoneInfo(name)
        except Exception as error:  # it raises several
            raise Trouble(f"this host does not know the time zone {name}: install tzdata") from error
    days = (dt.datetime.fromtimestamp(time.time() + 86400 * day, zone) for day in range(366))
    return all(one.astimezone().utcoffset() == one.utcoffset() for one in days)


def ways(home: str, first: str) -> list[Timers | Crontab]:
    """Return all that can keep a schedule, the best first."""
    timers = [Timers(home, "root" if os.getuid() == 0 else "sudo"), Timers(home, "user")]
    return [Crontab(home), *timers] if first == "cron" else [*timers, Crontab(home)]


def chosen(home: str, jobs: list[Job], first: str) -> Timers | Crontab:
    """Return what keeps the schedule here. Raises Trouble where nothing can."""
    why: list[str] = []
    for way in ways(home, first):
        found = next(filter(None, (way.trouble(job) for job in jobs)), "")
        if not found:
            return way
        why += [found] if found not in why else []
    raise Trouble("nothing on this host can keep a schedule: " + "; ".join(why))


def known_zones(jobs: list[Job]) -> None:
    """Raise Trouble for a time zone that systemd of this host would not know."""
    for zone in sorted({job["timezone"] for job in jobs}):
        if zone not in ("UTC", "Etc/UTC"):
            same_clock(zone)


def jobs_of(home: str, release: str) -> tuple[list[Job], dict[str, Any]]:
    """Return the jobs that a release has on this host, and all that stands beside them."""
    document = read(os.path.join(home, "releases", release, "schedule.json")) if release else {}
    return document.get("jobs", []), document


def check(home: str, release: str, first: str) -> None:
    """Say whether the schedule of a release can be put in force. Changes nothing but linger of the login."""
    jobs, _ = jobs_of(home, release)
    known_zones(jobs)
    if jobs:
        chosen(home, jobs, first)


def activate(home: str, release: str, first: str = "") -> None:
    """Make the jobs of a release those of this host."""
    jobs, document = jobs_of(home, release)
    place = os.path.join(home, "schedule")
    os.makedirs(place, mode=0o700, exist_ok=True)
    folder = os.open(os.path.dirname(home), os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)  # two services of one login share its crontab
    keeper = chosen(home, jobs, first) if jobs else None
    for other in ways(home, first):
        if (keeper is None or other.folder != keeper.folder) and other.here():
            other.set([])
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    way = keeper.way if keeper else ""
    active = {"release": release, "way": way, "environment": environment, "jobs": jobs}
    write(os.path.join(place, "active.json"), json.dumps(active))
    if keeper:
        keeper.set(jobs)
    hosts = sorted({host for some in document.get("hosts", {}).values() for host in some})
    write(os.path.join(place, "active"), "{} {}\n".format(release or "-", ",".join(hosts) or "-"))


def pause(home: str, wait_s: str) -> None:
    """Take the schedule out of force, and wait until nothing of it runs."""
    activate(home, "")
    limit = time.monotonic() + float(wait_s)
    for path in sorted(glob.glob(os.path.join(glob.escape(home), "schedule", "lock", "*"))):
        with open(path, encoding="utf-8") as file:
            is_asked = False
            while not is_free(file):
                if time.monotonic() > limit and not is_asked:
                    is_asked, limit = True, time.monotonic() + 45
                    end(home, os.path.basename(path))
                elif time.monotonic() > limit:
                    raise Trouble(f"the job {os.path.basename(path)} does not end")
                time.sleep(0.2)


def is_free(file: IO[str]) -> bool:
    """Return whether nobody has the lock of a job."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    fcntl.flock(file, fcntl.LOCK_UN)
    return True


def end(home: str, name: str) -> None:
    """Ask a job that runs to end; its runner tells the command, and notes it."""
    state = read(os.path.join(home, "schedule", "state", name + ".json"))
    sys.stdout.write(f"the job {name} is asked to end\n")
    with contextlib.suppress(OSError, KeyError, TypeError, ValueError):
        os.kill(int(state["pid"]), 15)


def report(home: str) -> None:
    """Print what is in force and how it went last."""
    place = os.path.join(home, "schedule")
    active = read(os.path.join(place, "active.json"))
    way = next((one for one in ways(home, "") if one.way == active.get("way")), None)
    there = set(way.here()) if way else set()
    jobs = []
    for job in active.get("jobs", []):
        state = read(os.path.join(place, "state", job["name"] + ".json"))
        lock = os.path.join(place, "lock", job["name"])
        is_running = False
        if os.path.exists(lock):
            with open(lock, encoding="utf-8") as file:
                is_running = not is_free(file)
        skipped = read(os.path.join(place, "state", job["name"] + ".skipped")).get("at", "")
        about = {name: job[name] for name in ("name", "cron", "timezone", "role")}
        now = {"is_set": job["name"] in there, "is_running": is_running, "state": state, "skipped": skipped}
        jobs.append({**about, **now})
    sys.stdout.write(json.dumps({"release": active.get("release", ""), "way": active.get("way", ""), "jobs": jobs}))


def clear(home: str) -> None:
    """Take the schedule away; logs stay."""
    if os.path.isdir(os.path.join(home, "schedule")):
        pause(home, "30")
        for name in ("active", "active.json", "run.py", "schedule.py", "lock"):
            path = os.path.join(home, "schedule", name)
            shutil.rmtree(path, ignore_errors=True)
            with contextlib.suppress(OSError):
                os.unlink(path)


VERBS: dict[str, Callable[..., None]] = {one.__name__: one for one in (check, activate, pause, report, clear)}

if __name__ == "__main__":
    try:
        VERBS[sys.argv[1]](*sys.argv[2:])
    except Trouble as error:
        code = "schedule.impossible" if sys.argv[1] == "check" else "schedule.failed"
        sys.exit(f"error[{code}]: {error}")
