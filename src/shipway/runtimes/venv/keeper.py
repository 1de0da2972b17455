"""Who keeps the processes of a release: the protocol behind which supervisor stands now, and systemd later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from shipway.core.action import Command, Upload
from shipway.core.ports import Result
from shipway.core.step import Step


@dataclass(frozen=True, slots=True)
class Program:
    """One unit as a keeper sees it.

    `name` is unique on the host. `argv` becomes the unit's program in the foreground (it `exec`s: its process is the
    unit's). `definition` is where the keeper's own description of it is written inside the release, so that an old
    release is started again as it was. `pidfile` and `socket` are written by the program ("" for no socket).
    `launcher` is `launch.sh` in the release. `pythons` are interpreters to try for the keeper's own scripts.
    """

    name: str
    argv: tuple[str, ...]
    definition: str
    pidfile: str
    launcher: str
    pythons: tuple[str, str]
    socket: str = ""
    stop_signal: str = "TERM"
    stop_s: float = 30.0


class Keeper(Protocol):
    """Keeps the programs of every service on one host. Every method is pure."""

    def host_steps(self, host: str) -> tuple[Step, ...]:
        """Return what the host needs once for this keeper: its program, its configuration, itself running."""
        ...

    def definition(self, program: Program) -> Upload:
        """Return the keeper's description of `program`, written into the release and not in force yet."""
        ...

    def start(self, program: Program) -> Command:
        """Return the command that puts the definition in force and starts the program; harmless if it runs."""
        ...

    def started(self, program: Program) -> Command:
        """Return the question whether the program lives and is kept: exit 0 for yes."""
        ...

    def stop(self, program: Program) -> Command:
        """Return the command that ends the program softly and waits for it; harmless if it is unknown.

        Only the program itself is signalled; what is left of its process group is killed when its time is over.
        """
        ...

    def stopped(self, program: Program) -> Command:
        """Return the question whether the program does not live and is not kept: exit 0 for yes."""
        ...

    def probes(self) -> Mapping[str, Command]:
        """Return the read-only commands that tell whether the keeper is up."""
        ...

    def is_up(self, answers: Mapping[str, Result]) -> bool:
        """Return whether the keeper runs, from the answers to `probes`."""
        ...
