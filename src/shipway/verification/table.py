"""The checks from inside: which of them run, which turn a deploy back, and with what keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar, cast

from shipway.config.verify import VerifySection
from shipway.config.verify_inside import (
    CacheCheck,
    DatabaseCheck,
    EmailCheck,
    LogsCheck,
    RestartsCheck,
    SchedulerCheck,
    SecureCheck,
    StorageCheck,
    WorkersCheck,
)
from shipway.config.verify_keys import CheckKeys, setting
from shipway.verification.defaults import check_of
from shipway.verification.outcome import Check

SERVICES = ("database", "cache", "email", "storage")
SEEN = ("media", "secure")
WORKERS = ("workers", "tasks", "probe_task", "queues")
LOGS = ("logs", "errors")


@dataclass(frozen=True, slots=True)
class Line:
    """One code: the key of the configuration that has it, its keys, and whether a failure turns a deploy back."""

    key: str
    model: type[CheckKeys]
    is_required: bool


CODES = {
    "database": "verify.database",
    "cache": "verify.cache",
    "email": "verify.email",
    "storage": "verify.storage",
    "media": "verify.media",
    "secure": "verify.secure",
    "workers": "verify.workers",
    "tasks": "verify.tasks",
    "probe_task": "verify.probe_task",
    "queues": "verify.queues",
    "scheduler": "verify.scheduler",
    "restarts": "verify.restarts",
    "logs": "verify.logs",
    "errors": "verify.errors",
}
# What a release can break, and an earlier one has not, turns a deploy back. What a way back does not mend (a mail
# server, queues that were long before) or what may have been so for years is told.
INSIDE: Mapping[str, Line] = {
    "database": Line("database", DatabaseCheck, True),
    "cache": Line("cache", CacheCheck, True),
    "email": Line("email", EmailCheck, False),
    "storage": Line("storage", StorageCheck, True),
    "media": Line("media", CheckKeys, False),
    "secure": Line("secure", SecureCheck, False),
    "workers": Line("workers", WorkersCheck, True),
    "tasks": Line("workers", WorkersCheck, True),
    "probe_task": Line("workers", WorkersCheck, True),
    "queues": Line("workers", WorkersCheck, False),
    "scheduler": Line("scheduler", SchedulerCheck, True),
    "restarts": Line("restarts", RestartsCheck, True),
    "logs": Line("logs", LogsCheck, False),
    "errors": Line("logs", LogsCheck, True),
}
Keys = TypeVar("Keys", bound=CheckKeys)


@dataclass(frozen=True, slots=True)
class On:
    """A check from inside that is to run. `kind` is a name of `INSIDE`, `is_named`: the configuration names it.

    `limit_s` is what the configuration allows one question; the check itself has more, since a process must start.
    """

    kind: str
    check: Check
    keys: CheckKeys
    is_named: bool

    @property
    def limit_s(self) -> float:
        """How long one question may take."""
        return self.check.limit_s

    def at(self, host: str, name: str, limit_s: float) -> Check:
        """Return the check as it is asked on a host, of something, with the time that the whole may take."""
        return replace(self.check, name=name, host=host, limit_s=limit_s)


def switched_on(section: VerifySection, kind: str) -> On | None:
    """Return the check `kind`, None where it is switched off, or not named and there are no defaults."""
    line = INSIDE[kind]
    written = cast("CheckKeys | bool | None", getattr(section, line.key))
    keys = setting(line.model, written)
    is_named = written is not None
    if keys is None or not (is_named or section.defaults):
        return None
    is_required = line.is_required if keys.required is None else keys.required
    return On(kind, check_of(section, CODES[kind], "", keys, is_required=is_required), keys, is_named)


def all_on(section: VerifySection, kinds: tuple[str, ...]) -> tuple[On, ...]:
    """Return those of `kinds` that are to run."""
    return tuple(one for kind in kinds if (one := switched_on(section, kind)) is not None)


def keys_of(found: tuple[On, ...], model: type[Keys]) -> Keys:
    """Return the keys of the first of `found` that has such, or what they are where nothing is written."""
    return next((one.keys for one in found if isinstance(one.keys, model)), model())
