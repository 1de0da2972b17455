"""The `venv` runtime: a virtualenv per release, its processes kept by a keeper (systemd or supervisor)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from shipway.core.action import Action, Command, Upload
from shipway.core.layout import Layout
from shipway.core.logs import LogsAsked
from shipway.core.ports import Result
from shipway.core.step import Step
from shipway.core.unit import Unit, patience
from shipway.runtimes import health, vitals
from shipway.runtimes.base import Release, Runtime, RuntimeFacts
from shipway.runtimes.health_script import LOG_LINES
from shipway.runtimes.venv.commands import command_line, default_server, notifies
from shipway.runtimes.venv.environment import env_file, unit_file
from shipway.runtimes.venv.keeper import Keeper, Program
from shipway.runtimes.venv.parse import parse_probe
from shipway.runtimes.venv.release import MANAGE_LIMIT_S, OnDisk
from shipway.runtimes.venv.resource import resource
from shipway.runtimes.venv.settings import VenvSettings
from shipway.runtimes.venv.supervisor import PICK_PYTHON, Supervisor, refuse_long_socket
from shipway.runtimes.venv.tools import tools_steps

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\Z")
_SIGNALS = frozenset({"TERM", "HUP", "INT", "QUIT", "KILL", "USR1", "USR2"})  # supervisor/datatypes.py, SIGNALS
STEADY_S = 3.0  # how long a busy unit that cannot be asked must stay up; one that has come to rest needs less
HEALTH_MARGIN_S = 15.0
# The first parameter is a command as `Command.shell` writes it; the others are words, and read standard input.
BOTH_SCRIPT = 'eval "$1" </dev/null >/dev/null || exit 1; shift; exec "$@"'


class Venv:
    """Releases of one service on one host, each with a virtualenv of its own.

    Methods that take a unit raise ValueError for what can never run: names with other characters than letters,
    digits, `.`, `_` and `-`, a socket path over 107 bytes, a command that is not one simple command.
    """

    def __init__(self, layout: Layout, host: str, settings: VenvSettings, keeper: Keeper | None = None) -> None:
        if not layout.root.startswith("/"):
            raise ValueError(f"the state directory `{layout.root}` is not an absolute path")
        _refuse_names(layout.service)
        self._layout, self._host, self._settings = layout, host, settings
        self._disk = OnDisk(layout, host, settings)
        self._keeper: Keeper = keeper or Supervisor(layout, settings.python)

    @property
    def side_by_side(self) -> bool:
        """Two releases of a unit can run at once: each has its own virtualenv, socket and log."""
        return True

    def probes(self) -> Mapping[str, Command]:
        """Return two cheap questions: what is there and runs, and whether the keeper is up."""
        argv = ("sh", "-s", "probe", self._layout.home, self._layout.tools)
        return {"venv": Command(argv, stdin=(resource("launch.sh"),)), **self._keeper.probes()}

    def parse(self, answers: Mapping[str, Result]) -> RuntimeFacts:
        """Return what the answers tell; nothing for answers that are missing or malformed."""
        return parse_probe(answers.get("venv"), is_keeper_up=self._keeper.is_up(answers))

    def host_steps(self) -> tuple[Step, ...]:
        """Return: directories, tools, the keeper's configuration, the keeper itself."""
        tools = tools_steps(self._layout, self._host, self._settings, self._keeper.tools)
        return (self._disk.home_step(), *tools, *self._keeper.host_steps(self._host))

    def prepare_steps(self, release: Release, units: Sequence[Unit]) -> tuple[Step, ...]:
        """Return: source, environment and programs, packages, the project's own check with static files, the mark."""
        if not units:
            raise ValueError(f"{release.release} has no role on {self._host}")
        return (
            self._disk.unpack_step(release),
            self._describe_step(release.release, units),
            self._disk.packages_step(release),
            self._check_step(release.release, units),
            self._disk.complete_step(release),
        )

    def runnable_after(self, release: str) -> str:
        """Return the id of the step that installs packages: source, environment and links stand before it."""
        return self._disk.packages_id(release)

    def start_steps(self, unit: Unit) -> tuple[Step, ...]:
        """Return the one step that starts a unit and waits until it works; its undo stops it."""
        program = self._program(unit)
        return (
            Step(
                id=f"{self._host}/start-{unit.role}-{unit.release}",
                title=f"start {unit.name}",
                host=self._host,
                do=self._start(unit, program),
                done=self._works_now(unit, program),
                undo=self._keeper.stop(program),
            ),
        )

    def stop_steps(self, unit: Unit) -> tuple[Step, ...]:
        """Return the one step that stops a unit softly; its undo starts it again and waits until it works."""
        program = self._program(unit)
        return (
            Step(
                id=f"{self._host}/stop-{unit.role}-{unit.release}",
                title=f"stop {unit.name}{patience(unit)}",
                host=self._host,
                do=self._keeper.stop(program),
                done=self._keeper.stopped(program),
                undo=self._start(unit, program),
            ),
        )

    def remove_steps(self, release: str, roles: Sequence[str]) -> tuple[Step, ...]:
        """Return the one step that removes a release; it fails, and removes nothing, while a role of it runs."""
        _refuse_names(release, *roles)
        return (self._disk.remove_step(release, [self._pidfile(role, release) for role in roles]),)

    def finish_steps(self, release: str, version: str) -> tuple[Step, ...]:  # noqa: ARG002  the protocol
        """Nothing: what a release published stands since its start."""
        return ()

    def endpoint(self, unit: Unit) -> str:
        """Return the unit's socket as Caddy writes it: `unix/` and the absolute path, so `unix//var/…`."""
        return f"unix/{self._socket(unit)}"

    def one_off(self, unit: Unit, argv: Sequence[str]) -> Command:
        """Return a command that runs `argv` in the project's directory with the unit's environment, and no other."""
        _refuse_names(unit.role, unit.release)
        env, source = self._layout.env(unit.release, unit.role), self._layout.source(unit.release)
        words = ("/bin/sh", self._launcher(unit.release), "exec", env, source, *argv)
        return Command(words, limit_s=MANAGE_LIMIT_S)

    def inside(self, unit: Unit, argv: Sequence[str]) -> Command:
        """Return `one_off`: a process of a release shares everything with the others."""
        return self.one_off(unit, argv)

    def log_command(self, unit: Unit, asked: LogsAsked) -> Command:
        """Return what prints the unit's log, as its keeper has it. Raises ValueError for what that cannot tell."""
        return self._keeper.log(self._program(unit), asked)

    def vitals(self, units: Sequence[Unit], watched: Mapping[str, str]) -> Command:
        """Return the question about `units`, to their keeper and to the kernel."""
        programs = [self._program(unit) for unit in units]
        rows = [
            {"role": u.role, "release": u.release, "name": self._keeper.known_as(p), "pidfile": p.pidfile}
            for u, p in zip(units, programs, strict=True)
        ]
        kind, scope = self._keeper.kind
        asked = vitals.question(kind, watched, scope=scope, home=self._layout.home, units=rows)
        pythons = programs[0].pythons if programs else (self._settings.python, self._settings.python)
        argv = ("sh", "-c", PICK_PYTHON, "sh", *pythons, asked)
        return Command(argv, stdin=(vitals.script(),), limit_s=vitals.LIMIT_S)

    def listings(self) -> Mapping[str, Command]:
        """Return nothing: releases and processes are all there is."""
        return {}

    def health_question(self, unit: Unit, *, once: bool = False) -> Command:
        """Return the command that waits until a unit works; `once` asks one time. Its answer goes to `health.parse`.

        A unit without a health check works when its process stays the same until it rests, or for `STEADY_S`.
        """
        program, target = self._program(unit), self._target(unit)
        body = health.question(target, unit.health, once=once)
        wait_s = unit.health.limit_s + unit.health.timeout_s if unit.health else 30.0
        argv = (program.pythons[0], "-I", "-S", "-", body)
        return Command(argv, stdin=(health.script(),), limit_s=wait_s + HEALTH_MARGIN_S)

    def _target(self, unit: Unit) -> health.Target:
        launcher, pidfile = self._launcher(unit.release), self._pidfile(unit.role, unit.release)
        return health.Target(
            socket=self._socket(unit) if unit.kind == "web" and unit.health else "",
            alive=("/bin/sh", launcher, "alive", pidfile),
            log=self._keeper.log(self._program(unit), LogsAsked(LOG_LINES)).words(),
            steady_s=STEADY_S,
        )

    def _start(self, unit: Unit, program: Program) -> tuple[Action, ...]:
        actions: list[Action] = [self._keeper.start(program), self.health_question(unit)]
        if unit.proxied and self._collects:
            actions.append(self._disk.publish_command(unit.release, "replace"))
        return tuple(actions)

    def _works_now(self, unit: Unit, program: Program) -> Command:
        """Return the question whether a unit is kept, alive and, where it can be asked, healthy."""
        started, asked = self._keeper.started(program), self.health_question(unit, once=True)
        argv = ("sh", "-c", BOTH_SCRIPT, "sh", started.shell(), *asked.argv)
        return Command(argv, stdin=asked.stdin, limit_s=asked.limit_s)

    def _describe_step(self, release: str, units: Sequence[Unit]) -> Step:
        """Return the step that writes what a release needs besides its source: environment, programs, links."""
        actions: list[Action] = [*self._disk.script_uploads(release)]
        for unit in units:
            actions += self._unit_files(unit)
        if link := self._disk.link_command(release):
            actions.append(link)
        where = self._layout.release(release)
        return Step(
            id=f"{self._host}/describe-{release}",
            title=f"write the environment of {release}: {', '.join(unit.role for unit in units)}",
            host=self._host,
            do=tuple(actions),
            undo=(Command(("rm", "-rf", "--", f"{where}/env", f"{where}/units")),),
            repeatable=True,
        )

    def _unit_files(self, unit: Unit) -> tuple[Upload, ...]:
        program, socket = self._program(unit), self._socket(unit) if unit.kind == "web" else ""
        env = env_file(unit, self._settings, self._layout.venv(unit.release), socket)
        values = {
            "pidfile": program.pidfile,
            "log": self._log(unit),
            "env": self._layout.env(unit.release, unit.role),
            "dir": self._layout.source(unit.release),
            "signal": unit.stop_signal,
            "stop_s": str(int(unit.stop_s)),
            "cmd": command_line(unit, self._settings, socket),
            "role": unit.role,
            "release": unit.release,
        }
        return (
            Upload(self._layout.env(unit.release, unit.role), env, 0o600),
            Upload(self._unit_path(unit, ".unit"), unit_file(values), 0o600),
            self._keeper.definition(program),
        )

    def _check_step(self, release: str, units: Sequence[Unit]) -> Step:
        """Return the step that imports the project, runs Django's checks and collects, before anything is started."""
        server = next((name for unit in units if (name := default_server(unit, self._settings))), "")
        commands = [["check"]]
        if self._collects:
            commands.append(["collectstatic", "--noinput", "--verbosity", "0"])
        words = ("python", "-", server, self._settings.manage, json.dumps(commands))
        manage = replace(
            self.one_off(_first(units), words), stdin=(resource("manage_script.py"), self._settings.static_check)
        )
        return Step(
            id=f"{self._host}/check-{release}",
            title=f"check the project of {release}" + (" and collect its static files" if self._collects else ""),
            host=self._host,
            do=(manage, self._disk.publish_command(release, "publish")) if self._collects else (manage,),
            repeatable=True,
            harmless=True,
        )

    @property
    def _collects(self) -> bool:
        return bool(self._settings.collect_static and self._settings.static_root)

    def _program(self, unit: Unit) -> Program:
        _refuse_names(unit.service, unit.role, unit.release)
        if unit.stop_signal not in _SIGNALS:
            raise ValueError(f"`{unit.stop_signal}` is no signal that a unit can be stopped with: {sorted(_SIGNALS)}")
        launcher = self._launcher(unit.release)
        return Program(
            name=unit.name,
            argv=("/bin/sh", launcher, "keep", self._unit_path(unit, ".unit")),
            definition=self._unit_path(unit, ""),
            pidfile=self._pidfile(unit.role, unit.release),
            launcher=launcher,
            pythons=(f"{self._layout.venv(unit.release)}/bin/python", self._settings.python),
            socket=self._socket(unit) if unit.kind == "web" else "",
            log=self._log(unit),
            stop_signal=unit.stop_signal,
            stop_s=unit.stop_s,
            notifies=notifies(unit, self._settings),
        )

    def _socket(self, unit: Unit) -> str:
        _refuse_names(unit.role, unit.release)
        path = self._layout.socket(unit.role, unit.release)
        refuse_long_socket(path)
        return path

    def _launcher(self, release: str) -> str:
        return f"{self._layout.release(release)}/launch"

    def _unit_path(self, unit: Unit, suffix: str) -> str:
        return f"{self._layout.release(unit.release)}/units/{unit.role}{suffix}"

    def _pidfile(self, role: str, release: str) -> str:
        return f"{self._layout.run_dir}/{role}-{release}.pid"

    def _log(self, unit: Unit) -> str:
        return f"{self._layout.log}/{unit.role}-{unit.release}.log"


def _first(units: Sequence[Unit]) -> Unit:
    """Return the unit whose environment one-off commands of the release use: a web unit where there is one."""
    return next((unit for unit in units if unit.kind == "web"), units[0])


def _refuse_names(*names: str) -> None:
    for name in names:
        if not _NAME.match(name):
            raise ValueError(f"`{name}` cannot name a service, role or release: use letters, digits, `.`, `_`, `-`")


_: type[Runtime] = Venv
