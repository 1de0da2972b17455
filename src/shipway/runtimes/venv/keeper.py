"""Who keeps the processes of a release: the protocol behind which systemd and supervisor stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from shipway.core.action import Command, Upload
from shipway.core.logs import LogsAsked
from shipway.core.ports import Result
from shipway.core.step import Step


@dataclass(frozen=True, slots=True)
class Program:
    """One unit as a keeper sees it.

    `name` is unique on the host. `argv` becomes the unit's program in the foreground (it `exec`s: its process is the
    unit's). `definition` is where the keeper's own description of it is written inside the release, without its suffix,
    so that an old release is started again as it was. `pidfile`, `socket` and `log` are written by the program ("" for
    no socket; a keeper with a log of its own has no such file). `launcher` is `launch.sh` in the release. `pythons` are
    interpreters to try for the keeper's own scripts. `notifies`: the program tells systemd when it has started.
    """

    name: str
    argv: tuple[str, ...]
    definition: str
    pidfile: str
    launcher: str
    pythons: tuple[str, str]
    socket: str = ""
    log: str = ""
    stop_signal: str = "TERM"
    stop_s: float = 30.0
    notifies: bool = False


class Keeper(Protocol):
    """Keeps the programs of every service on one host. Every method is pure."""

    @property
    def tools(self) -> tuple[tuple[str, str], ...]:
        """Return what the host needs, as pairs: a program, and the package of the package index that brings it."""
        ...

    def host_steps(self, host: str) -> tuple[Step, ...]:
        """Return what the host needs once for this keeper: its configuration, itself running."""
        ...

    def definition(self, program: Program) -> Upload:
        """Return the keeper's description of `program`, written into the release and not in force yet."""
        ...

    def installed(self, program: Program) -> str:
        """Return where the description in force stands: a file that is there while the program is kept."""
        ...

    def start(self, program: Program) -> Command:
        """Return the command that puts the definition in force and starts the program; harmless if it runs.

        A release that has no definition for this keeper, since another one kept it, is given one.
        """
        ...

    def started(self, program: Program) -> Command:
        """Return the question whether the program lives and is kept: exit 0 for yes."""
        ...

    def stop(self, program: Program) -> tuple[Command, ...]:
        """Return the commands that end the program softly and wait for it; harmless if it is unknown.

        Only the program itself is signalled; what is left of it is killed when its time is over.
        """
        ...

    def stopped(self, program: Program) -> Command:
        """Return the question whether the program does not live and is not kept: exit 0 for yes."""
        ...

    def log(self, program: Program, asked: LogsAsked) -> Command:
        """Return the command that prints what the program said. Raises ValueError for what its log cannot tell."""
        ...

    @property
    def kind(self) -> tuple[str, str]:
        """Return what `vitals_script.py` calls this keeper, and whose manager it is ("" where there is one only)."""
        ...

    def known_as(self, program: Program) -> str:
        """Return the keeper's own name of a program."""
        ...

    def probes(self) -> Mapping[str, Command]:
        """Return the read-only commands that tell whether the keeper is up."""
        ...

    def is_up(self, answers: Mapping[str, Result]) -> bool:
        """Return whether the keeper runs, from the answers to `probes`."""
        ...
