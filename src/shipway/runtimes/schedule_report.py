"""Reads what `schedule_script.py report` printed. The answer comes from a host, so every part of it is checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_BYTES = 1 << 20
_CHARS = 300


@dataclass(frozen=True, slots=True)
class Went:
    """One run of a job. `ended` is "" while it runs; `why` says why it was ended before its time."""

    release: str = ""
    by: str = ""
    began: str = ""
    ended: str = ""
    status: int = -1
    took_s: float = 0.0
    why: str = ""


@dataclass(frozen=True, slots=True)
class KeptJob:
    """A job of the schedule that is in force on a host. `is_set`: its timer, or its line in the crontab, is there.

    `now` is the run that goes on, `last` the last that ended; `skipped` when it was due while it still ran.
    """

    name: str
    cron: str
    timezone: str
    role: str
    is_set: bool
    now: Went | None = None
    last: Went | None = None
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class KeptSchedule:
    """What of a schedule is in force on one host. `way` is what keeps it: root, sudo, user (systemd), cron."""

    release: str = ""
    way: str = ""
    jobs: Mapping[str, KeptJob] = field(default_factory=dict)


def parse_report(stdout: bytes) -> KeptSchedule:
    """Return what a host told; nothing for an answer that is not of the form."""
    try:
        found = json.loads(stdout[:MAX_BYTES])
    except ValueError:
        return KeptSchedule()
    if not isinstance(found, dict) or not isinstance(found.get("jobs"), list):
        return KeptSchedule()
    jobs = [_job(one) for one in found["jobs"] if isinstance(one, dict)]
    return KeptSchedule(_text(found, "release"), _text(found, "way"), {job.name: job for job in jobs if job.name})


def _job(found: dict[str, Any]) -> KeptJob:
    state = found.get("state")
    went = _went(state) if isinstance(state, dict) else None
    before = _went(state.get("last")) if isinstance(state, dict) else None
    is_over = went is not None and bool(went.ended)
    is_running = found.get("is_running") is True
    return KeptJob(
        name=_text(found, "name"),
        cron=_text(found, "cron"),
        timezone=_text(found, "timezone"),
        role=_text(found, "role"),
        is_set=found.get("is_set") is True,
        now=went if is_running and not is_over else None,
        last=went if is_over or not is_running else before,
        skipped=_text(found, "skipped"),
    )


def _went(found: object) -> Went | None:
    if not isinstance(found, dict) or not _text(found, "began"):
        return None
    status, took = found.get("status"), found.get("took_s")
    return Went(
        release=_text(found, "release"),
        by=_text(found, "by"),
        began=_text(found, "began"),
        ended=_text(found, "ended"),
        status=status if isinstance(status, int) else -1,
        took_s=float(took) if isinstance(took, int | float) else 0.0,
        why=_text(found, "why"),
    )


def _text(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    return value[:_CHARS] if isinstance(value, str) else ""
