"""Errors, findings and exit codes. One shape for all: code, what, where, next (and now, once something was changed).

ShipwayError
├── Bug             1    unforeseen: our fault
├── UsageError      2    the command line is wrong
├── ConfigError     3    a file, key or secret is wrong or missing; no host was contacted
├── Refused         4    a check said no; nothing was changed
├── Unreachable     5    DNS, connection, login, host key, sudo; nothing was changed
├── Locked          6    another run holds the lock
├── StepFailed      10   failed and undone: the old release serves
│                   11   failed and mixed: the command to continue is printed
├── Held            11   verification failed, and both releases run until a person decides
├── ConnectionLost       raised by a transport in the middle of an exchange; the executor decides what it means
└── Interrupted     130  interrupted before any change
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Literal


class Exit(IntEnum):
    """What a pipeline learns from the exit code: is the site all right?"""

    OK = 0
    BUG = 1
    USAGE = 2
    CONFIG = 3
    REFUSED = 4
    UNREACHABLE = 5
    LOCKED = 6
    UNDONE = 10
    MIXED = 11
    INTERRUPTED = 130


Level = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a check noticed. `next` is a command that can be pasted, or a question."""

    code: str
    what: str
    where: str = ""
    next: str = ""
    level: Level = "error"


class ShipwayError(Exception):
    """The root of all errors that are told to a user. `said` is output of the program that failed (last lines)."""

    exit: ClassVar[Exit] = Exit.BUG
    said_lines: ClassVar[int] = 10  # how many of the last lines of `said` are shown

    def __init__(  # noqa: PLR0913  one shape for every error: these are its parts
        self, code: str, what: str, *, where: str = "", said: str = "", now: str = "", next: str = ""
    ) -> None:
        super().__init__(what)
        self.code, self.what, self.where = code, what, where
        self.said, self.now, self.next = said, now, next

    @property
    def exit_code(self) -> Exit:
        """The exit code of the process when this error ends it."""
        return self.exit


class Bug(ShipwayError):
    """Something that cannot be: a mistake in Shipway."""


class UsageError(ShipwayError):
    """The command line is wrong."""

    exit = Exit.USAGE


class ConfigError(ShipwayError):
    """The configuration is wrong. Carries every finding at once, each with file:line in `where`."""

    exit = Exit.CONFIG

    def __init__(
        self, code: str, what: str, *, where: str = "", next: str = "", findings: tuple[Finding, ...] = ()
    ) -> None:
        super().__init__(code, what, where=where, next=next)
        self.findings = findings


class Refused(ShipwayError):
    """A check said no. Nothing was changed."""

    exit = Exit.REFUSED

    def __init__(  # noqa: PLR0913  one shape for every error: these are its parts
        self,
        code: str,
        what: str,
        *,
        where: str = "",
        said: str = "",
        next: str = "",
        findings: tuple[Finding, ...] = (),
    ) -> None:
        super().__init__(code, what, where=where, said=said, next=next)
        self.findings = findings


class Unreachable(ShipwayError):
    """A host cannot be reached or does not let us in. Nothing was changed."""

    exit = Exit.UNREACHABLE


class Locked(ShipwayError):
    """Another run holds the lock."""

    exit = Exit.LOCKED


class StepFailed(ShipwayError):
    """A step of a run failed. The executor decides whether it ended undone (10) or mixed (11)."""

    def __init__(  # noqa: PLR0913  one shape for every error: these are its parts
        self, code: str, what: str, *, ended: Exit, where: str = "", said: str = "", now: str = "", next: str = ""
    ) -> None:
        super().__init__(code, what, where=where, said=said, now=now, next=next)
        self.ended = ended

    @property
    def exit_code(self) -> Exit:
        """10 when everything was undone, 11 when it was not."""
        return self.ended


class Held(ShipwayError):
    """A run is to stay as it is, with what it did standing, until a person decides."""

    exit = Exit.MIXED


class ConnectionLost(ShipwayError):
    """The connection to a host broke while something ran there: what ran is in doubt."""

    exit = Exit.UNREACHABLE


class Interrupted(ShipwayError):
    """Ctrl-C or SIGTERM before anything was changed."""

    exit = Exit.INTERRUPTED
