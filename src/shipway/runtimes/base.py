"""The protocol of a runtime. Every method is pure: it returns steps or commands, or reads answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from shipway.core.action import Command
from shipway.core.errors import Finding
from shipway.core.logs import LogsAsked
from shipway.core.ports import Result
from shipway.core.step import Step
from shipway.core.unit import Unit


@dataclass(frozen=True, slots=True)
class Release:
    """A release to be put on hosts: `version` (a git commit) of the repository at `repository` on this machine.

    `project` is the directory of the Django project inside the repository ("" when it is the root).
    """

    release: str
    version: str
    repository: str
    project: str = ""


@dataclass(frozen=True, slots=True)
class RuntimeFacts:
    """What a runtime read from the answers of a host. The names are those of `HostFacts`.

    `is_settled`: every host step is true already, so that a plan need not hold them. `trouble`: why nothing can be run
    on this host, with the command that helps. `schedule`: what stands in the file of that name (`schedule_script.py`):
    the release whose schedule is in force, and all hosts that have jobs of it.
    """

    releases: tuple[str, ...] = ()
    leftovers: tuple[str, ...] = ()
    running: frozenset[tuple[str, str]] = frozenset()
    is_keeper_up: bool = False
    tools: Mapping[str, str] = field(default_factory=dict)
    is_settled: bool = False
    trouble: tuple[Finding, ...] = ()
    schedule: str = ""
    schedule_hosts: tuple[str, ...] = ()


class Runtime(Protocol):
    """How releases run on one host. An instance belongs to one service on one host (it is built with a `Layout`)."""

    @property
    def side_by_side(self) -> bool:
        """Whether two releases of a unit can run at once on one host."""
        ...

    def probes(self) -> Mapping[str, Command]:
        """Return read-only commands by name; their results go to `parse`. They may fail on a bare host."""
        ...

    def parse(self, answers: Mapping[str, Result]) -> RuntimeFacts:
        """Return what the answers to `probes` tell. Malformed or missing answers are read as "nothing there"."""
        ...

    def host_steps(self) -> tuple[Step, ...]:
        """Return what a host needs once: directories, tools, the process keeper. Each has `done`; all are harmless."""
        ...

    def prepare_steps(self, release: Release, units: Sequence[Unit]) -> tuple[Step, ...]:
        """Return the steps that put a release whole on the host without starting it. Undo removes it."""
        ...

    def runnable_after(self, release: str) -> str:
        """Return the id of the step of `prepare_steps` after which `one_off` works in a release not whole yet."""
        ...

    def start_steps(self, unit: Unit) -> tuple[Step, ...]:
        """Return the steps that start a unit and wait until it works. Undo stops it."""
        ...

    def stop_steps(self, unit: Unit) -> tuple[Step, ...]:
        """Return the steps that stop a unit softly (it finishes its work). Undo starts it again."""
        ...

    def remove_steps(self, release: str, roles: Sequence[str]) -> tuple[Step, ...]:
        """Return the steps that remove a stopped release from the host."""
        ...

    def finish_steps(self, release: str, version: str) -> tuple[Step, ...]:
        """Return what is to be done on the host once `release` serves everywhere; run after the commit."""
        ...

    def endpoint(self, unit: Unit) -> str:
        """Return where the proxy of the same host reaches a web unit: `unix//path/to.sock` or `host:port`."""
        ...

    def one_off(self, unit: Unit, argv: Sequence[str]) -> Command:
        """Return a command that runs `argv` in the release and environment of `unit`, in the project's directory."""
        ...

    def inside(self, unit: Unit, argv: Sequence[str]) -> Command:
        """Return a command that runs `argv` where the unit itself runs; as `one_off` where that is no other place."""
        ...

    def log_command(self, unit: Unit, asked: LogsAsked) -> Command:
        """Return a command that prints the log of a unit. Raises ValueError for what the runtime cannot tell."""
        ...

    def vitals(self, units: Sequence[Unit], watched: Mapping[str, str]) -> Command:
        """Return a read-only command that tells how the processes of `units` are; its result goes to `parse_vitals`.

        It also finds processes of the service, whoever started them, whose command line matches one of `watched`:
        regular expressions by name.
        """
        ...

    def listings(self) -> Mapping[str, Command]:
        """Return commands that list what the runtime keeps for the service: `containers`, `images`; none without."""
        ...
