"""The schedule of a release as a file, and the commands that put it in force on a host. The same for every runtime."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Literal

from shipway.core.action import Action, Command, Upload
from shipway.core.cron import Cron, calendars, parse_cron
from shipway.core.job import Job
from shipway.core.layout import Layout

Way = Literal["auto", "cron"]
"""What keeps a schedule: `auto` is systemd where it can be used, else cron; `cron` the other way round."""
LIMIT_S = 120.0
_END_S = 60.0
_ACTIVE = re.compile(r"^schedule ([A-Za-z0-9-][A-Za-z0-9_.-]{0,99}) ([!-~]{1,4000})$", re.MULTILINE)


def script(name: Literal["schedule", "schedule_run"]) -> str:
    """Return the text of a script that is run on hosts."""
    return resources.files("shipway.runtimes").joinpath(f"{name}_script.py").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Scheduling:
    """Builds the commands that keep the schedule of one service on one host."""

    layout: Layout
    way: Way = "auto"

    def describe(self, release: str, jobs: Sequence[tuple[Job, tuple[str, ...]]]) -> tuple[Action, ...]:
        """Return what writes the schedule of a release, and asks whether this host can keep it.

        `jobs` are all that the release has, each with its argument vector, () where it does not run on this host.
        """
        return (
            Upload(self.layout.schedule_of(release), (schedule_text(release, jobs),), 0o600),
            self._command("check", self.layout.home, release, self.way),
        )

    def activate(self, release: str) -> tuple[Action, ...]:
        """Return what makes the schedule of a release the one in force; "" for none."""
        return (*self._scripts(), self._command("activate", self.layout.home, release, self.way))

    def pause(self, wait_s: float) -> tuple[Action, ...]:
        """Return what takes the schedule out of force. What runs may go on for `wait_s`, then it is asked to end."""
        command = self._command("pause", self.layout.home, f"{wait_s:g}", limit_s=wait_s + LIMIT_S)
        return (*self._scripts(), command)

    def clear(self) -> tuple[Action, ...]:
        """Return what takes the schedule off the host; logs stay."""
        return (self._command("clear", self.layout.home),)

    def report(self) -> Command:
        """Return the question what is in force; `app.schedule` reads the answer."""
        return self._command("report", self.layout.home, limit_s=30.0)

    def run(self, name: str, who: str, limit_s: float) -> Command:
        """Return the command that runs a job now, and ends as it does."""
        words = ("python3", "-I", "-S", self.layout.schedule_runner, "now", self.layout.home, name, who)
        return Command(words, limit_s=limit_s + _END_S)

    def log(self, name: str, lines: int, *, follows: bool) -> Command:
        """Return the command that prints the end of a job's log."""
        words = ("python3", "-I", "-S", self.layout.schedule_runner, "log", self.layout.home, name, str(lines))
        return Command((*words, "follow") if follows else words)

    def _scripts(self) -> tuple[Upload, ...]:
        return (
            Upload(self.layout.schedule_runner, (script("schedule_run"),), 0o644),
            Upload(self.layout.schedule_script, (script("schedule"),), 0o644),
        )

    @staticmethod
    def _command(*words: str, limit_s: float = LIMIT_S) -> Command:
        return Command(("python3", "-I", "-S", "-", *words), stdin=(script("schedule"),), limit_s=limit_s)


def schedule_text(release: str, jobs: Sequence[tuple[Job, tuple[str, ...]]]) -> str:
    """Return the schedule of a release for one host as JSON."""
    here = [
        {
            "name": job.name,
            "times": _times(parse_cron(job.cron)),
            "cron": parse_cron(job.cron).text,
            "timezone": job.timezone,
            "calendars": calendars(parse_cron(job.cron), job.timezone),
            "argv": argv,
            "limit_s": job.limit_s,
            "role": job.role,
        }
        for job, argv in jobs
        if argv
    ]
    hosts = {job.name: job.hosts for job, _ in jobs}
    return json.dumps({"format": 1, "release": release, "hosts": hosts, "jobs": here}, indent=1) + "\n"


def _times(cron: Cron) -> dict[str, list[int] | bool]:
    """Return the times as numbers: whoever runs a job asks them whether it is due."""
    sets = {name: getattr(cron, name) for name in ("minutes", "hours", "days", "months", "weekdays")}
    return {**{name: sorted(numbers) for name, numbers in sets.items()}, "any_day": cron.any_day}


def parse_schedule(text: str) -> tuple[str, tuple[str, ...]]:
    """Return what the line `schedule RELEASE HOST,…` of a runtime's probe tells; ("", ()) without such a line.

    Both are `-` where nothing is in force.
    """
    found = _ACTIVE.search(text)
    if found is None:
        return "", ()
    return found[1], tuple(host for host in found[2].split(",") if host != "-")
