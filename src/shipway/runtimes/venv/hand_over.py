"""Two keepers on one host: a new one takes over release by release, what the old one keeps is ended by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shipway.core.action import Command, Upload
from shipway.core.logs import LogsAsked
from shipway.core.ports import Result
from shipway.core.step import Step
from shipway.runtimes.venv.keeper import Keeper, Program
from shipway.runtimes.venv.resource import resource

# The first parameter is a file, the others words: nothing is done where the file is not.
WHERE_SCRIPT = '[ -e "$1" ] || exit 0; shift; exec "$@"'
# $1 the launcher, $2 the file with the process id, then the files by which keepers keep it.
STARTED_SCRIPT = 'l=$1 p=$2; shift 2; for f; do if [ -e "$f" ]; then exec /bin/sh "$l" alive "$p"; fi; done; exit 1'
# Triples: a file, and two commands as `Command.shell` writes them, for where it is and where it is not.
EITHER_SCRIPT = 'if [ -e "$1" ]; then eval "exec $2"; else eval "exec $3"; fi'


@dataclass(frozen=True, slots=True)
class HandOver:
    """Starts everything with `now`, and ends what `before` still keeps. Nothing that runs is moved."""

    now: Keeper
    before: Keeper

    @property
    def tools(self) -> tuple[tuple[str, str], ...]:
        """Return what the new keeper needs."""
        return self.now.tools

    def host_steps(self, host: str) -> tuple[Step, ...]:
        """Return what the new keeper needs."""
        return self.now.host_steps(host)

    def definition(self, program: Program) -> Upload:
        """Return the definition for the new keeper."""
        return self.now.definition(program)

    def installed(self, program: Program) -> str:
        """Return where the new keeper has its definitions in force."""
        return self.now.installed(program)

    def start(self, program: Program) -> Command:
        """Return the new keeper's start."""
        return self.now.start(program)

    def started(self, program: Program) -> Command:
        """Return the question whether the program lives, and one of the two keeps it."""
        places = (self.now.installed(program), self.before.installed(program))
        return Command(("sh", "-c", STARTED_SCRIPT, "sh", program.launcher, program.pidfile, *places))

    def stop(self, program: Program) -> tuple[Command, ...]:
        """Return the old keeper's stop, where it keeps the program, and the new one's."""
        place = self.before.installed(program)
        old = (
            Command(("sh", "-c", WHERE_SCRIPT, "sh", place, *stop.words()), stop.stdin, limit_s=stop.limit_s)
            for stop in self.before.stop(program)
        )
        return (*old, *self.now.stop(program))

    def stopped(self, program: Program) -> Command:
        """Return the question whether the program does not live, and none of the two keeps it."""
        places = (self.now.installed(program), self.before.installed(program))
        return Command(("sh", "-s", "stopped", program.pidfile, *places), stdin=(resource("launch.sh"),))

    def log(self, program: Program, asked: LogsAsked) -> Command:
        """Return what prints the log of the keeper that has the program. Raises ValueError where one cannot tell it."""
        old, new = self.before.log(program, asked), self.now.log(program, asked)
        return Command(
            ("sh", "-c", EITHER_SCRIPT, "sh", self.before.installed(program), old.shell(), new.shell()),
            limit_s=new.limit_s,
        )

    @property
    def kind(self) -> tuple[str, str]:
        """Return the new keeper's: of what the old one has, the process tells enough."""
        return self.now.kind

    def known_as(self, program: Program) -> str:
        """Return the new keeper's name of a program."""
        return self.now.known_as(program)

    def probes(self) -> Mapping[str, Command]:
        """Return the new keeper's probes."""
        return self.now.probes()

    def is_up(self, answers: Mapping[str, Result]) -> bool:
        """Return whether the new keeper runs."""
        return self.now.is_up(answers)
