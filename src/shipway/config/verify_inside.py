"""`verify`: the checks that are asked inside the release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shipway.config.keys import ListOf, MapOf, key
from shipway.config.kinds import Boolean, Integer, Text
from shipway.config.verify_keys import CheckKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseCheck(CheckKeys):
    """Reads, and writes in a transaction that is rolled back."""

    aliases: tuple[str, ...] = key(ListOf(Text()), "The databases, by their names in DATABASES.", value=())
    write: bool = key(Boolean(), "Whether a write is tried, and rolled back.", default="true", value=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheCheck(CheckKeys):
    """Sets a key, gets it back and deletes it."""

    aliases: tuple[str, ...] = key(ListOf(Text()), "The caches, by their names in CACHES.", value=())


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailCheck(CheckKeys):
    """Opens and closes the connection of the e-mail backend; nothing is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageCheck(CheckKeys):
    """Saves a small file by the default storage, reads it back and deletes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecureCheck(CheckKeys):
    """`request.is_secure()` is what the client used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkersCheck(CheckKeys):
    """Workers are alive and know the tasks; a task is sent and done."""

    tasks: tuple[str, ...] = key(ListOf(Text()), "Tasks that the workers must know.", value=())
    probe: str | None = key(Text(), "A task of the project, without arguments, that is sent to each queue.")
    queues: tuple[str, ...] = key(ListOf(Text()), "The queues that are looked at.", default="those found", value=())
    most_waiting: int | None = key(Integer(least=0), "How many tasks may wait in a queue.", default="any number")
    within: int | None = key(
        Integer(least=1, unit="s"), "Seconds in which the probe must be done.", default="`timeout`"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerCheck(CheckKeys):
    """Exactly one scheduler runs on all hosts together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsCheck(CheckKeys):
    """New errors and tracebacks since the start, compared with the release before."""

    patterns: Mapping[str, str] = key(
        MapOf(Text()), "Regular expressions that must not match a line, by a name for each.", value={}
    )
    allow: tuple[str, ...] = key(ListOf(Text()), "Regular expressions of lines that are no error.", value=())


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartsCheck(CheckKeys):
    """No process was started again since the deploy, and none uses more memory than allowed."""

    memory_mb: int | None = key(Integer(least=1, unit="MB"), "The most memory of one unit, in megabytes.")
