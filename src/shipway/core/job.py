"""Job: a command of manage.py that runs at times of its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job of a schedule.

    `cron` is when, as written (`core.cron.parse_cron` reads it), in the time zone `timezone`. `command` are the words
    after `manage.py`. It runs in the environment of `role`, once on each of `hosts`, `limit_s` seconds at most.
    """

    name: str
    cron: str
    command: tuple[str, ...]
    timezone: str
    role: str
    hosts: tuple[str, ...]
    limit_s: int
