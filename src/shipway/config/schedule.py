"""`schedule`: commands of manage.py at times that cron would understand, for teams without a scheduler of their own."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from shipway.config.keys import MapOf, Section, key
from shipway.config.kinds import Integer, Text
from shipway.config.report import Report
from shipway.config.tree import Path
from shipway.core.cron import parse_cron

EVERY_HOST = "all"
LIMIT_S = 3600
"""What ends a command that hangs: the next ones would never run. An hour is what most nightly work stays below."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,49}")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}")
_SHELL = frozenset("();<>|&")


def _check_cron(text: str) -> str:
    try:
        parse_cron(text)
    except ValueError as error:
        return f"`{text}` {error}"
    return ""


def _check_zone(text: str) -> str:
    return "" if _ZONE.fullmatch(text) else f"should be a time zone such as UTC or Europe/Berlin, not `{text}`"


def _check_command(text: str) -> str:
    try:
        words = command_words(text)
    except ValueError as error:
        return f"cannot be read ({error}): {text}"
    if not words:
        return "should be a command of manage.py, such as `clearsessions`"
    if words[0] in ("python", "python3", "./manage.py", "manage.py") or words[0].endswith("/manage.py"):
        rest = next((at for at, word in enumerate(words) if word.endswith("manage.py")), 0) + 1
        return f"is given to manage.py as it stands: write `{shlex.join(words[rest:]) or 'clearsessions'}`"
    if any(set(word) <= _SHELL for word in words) or "\n" in text.strip():
        return f"is one command of manage.py and no line of a shell: {text}"
    return ""


def check_job_name(name: str) -> str:
    """Return what is wrong with the name of a job, or ""."""
    return "" if _NAME.fullmatch(name) else "a name has letters, digits, `_` and `-` only, 50 at most"


def command_words(text: str) -> tuple[str, ...]:
    """Return the words of a command of manage.py. Raises ValueError for quotes that are left open."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars="".join(sorted(_SHELL)))
    lexer.commenters = ""
    lexer.whitespace_split = True
    return tuple(lexer)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSection:
    """One job as it was written."""

    cron: str | None = key(
        Text(check=_check_cron), "When: `30 4 * * MON-FRI` (minute hour day month weekday), or `@daily` and the like."
    )
    command: str | None = key(Text(check=_check_command), "The command of manage.py, with its arguments.")
    timezone: str = key(
        Text(check=_check_zone), "The time zone of `cron`, such as `Europe/Berlin`.", default="UTC", value="UTC"
    )
    role: str | None = key(
        Text(), "The role in whose environment it runs, on its first host.", default="the primary role"
    )
    host: str | None = key(
        Text(), f"One host of the role, or `{EVERY_HOST}`: once on each of them.", default="the first of the role"
    )
    timeout: int = key(
        Integer(least=1, unit="s"), "Seconds after which it is ended.", default=str(LIMIT_S), value=LIMIT_S
    )


def _check_job(job: JobSection, path: Path, report: Report) -> None:
    for name in ("cron", "command"):
        if getattr(job, name) is None and not any(
            f"{'/'.join(map(str, path))}/{name}" in e.where for e in report.errors
        ):
            hints = {"cron": 'add `cron: "@daily"`', "command": "add `command: clearsessions`"}
            report.add("required", path, f"has no `{name}`", next=hints[name])


SCHEDULE = MapOf(Section(JobSection, check=_check_job), check=check_job_name)
