"""systemd as the keeper: a unit file for each unit of each release, in force and enabled only while it is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shipway.core.action import Command, Upload
from shipway.core.layout import Layout
from shipway.core.logs import LogsAsked
from shipway.core.ports import Result
from shipway.core.step import Step
from shipway.runtimes.venv.keeper import Program
from shipway.runtimes.venv.resource import resource
from shipway.runtimes.venv.unit_text import Scope, UnitText, mark, unit_text

Way = Literal["root", "sudo", "user"]
"""How the manager is spoken to: that of the machine by root or by `sudo -n`, or that of the user."""

SYSTEM_UNITS = "/etc/systemd/system"
USER_UNITS = ".config/systemd/user"  # systemd.unit(5), below the home directory

# A session without PAM's (`transport: local` in a cron job) has no XDG_RUNTIME_DIR.
MANAGER = (
    "case $1 in user) XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}; export XDG_RUNTIME_DIR;"
    ' ctl() { systemctl --user "$@"; };; *) ctl() { systemctl "$@"; };; esac;'
)
# $1 scope, $2 unit, $3 its file in force, $4 its file in the release, $5 the mark. Standard input: the file, for a
# release that has none. `enable` makes systemd read the file. The start is not waited for: health is asked next, and
# tells more.
START_SCRIPT = MANAGER + (
    ' set -e; umask 022; mkdir -p -- "${3%/*}";'
    ' if [ -e "$3" ] && ! grep -qxF -- "$5" "$3"; then'
    ' echo "$3 is not of this state directory: it stays as it is" >&2; exit 1; fi;'
    ' if [ -r "$4" ]; then cat -- "$4"; else cat; fi >"$3.shipway-new"; mv -f -- "$3.shipway-new" "$3";'
    ' ctl reset-failed "$2" 2>/dev/null || :;'
    ' ctl enable --quiet --now --no-block "$2"'
)
# $4 and $5 are what the program may have left. Disabled first: a host that restarts meanwhile does not start it.
# 5 is "not loaded" (systemctl(1), exit status).
STOP_SCRIPT = MANAGER + (
    ' ctl disable --quiet "$2" 2>/dev/null || :;'
    ' ctl stop "$2" 2>/dev/null || { s=$?; [ "$s" -eq 5 ] || { ctl stop "$2" || exit "$s"; }; };'
    ' rm -f -- "$3" "$4" ${5:+"$5"}; ctl reset-failed "$2" 2>/dev/null || :'
)
STARTED_SCRIPT = 'test -e "$1" && exec /bin/sh "$2" alive "$3"'
UP_SCRIPT = MANAGER + " [ -d /run/systemd/system ] && ctl show --property=Version >/dev/null"
LINGER_SCRIPT = 'test -e "/var/lib/systemd/linger/$(id -un)"'

_SPAN = re.compile(r"(?:[0-9]{1,6}(?:s|m|h|d|w))+")
_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:\.[0-9]+)?(Z|\+00:00)?)?")


@dataclass(frozen=True, slots=True)
class Systemd:
    """Keeps programs as units `shipway-<name>.service`. `user` runs them; `home` is that user's home directory."""

    layout: Layout
    way: Way
    user: str
    home: str = ""

    @property
    def scope(self) -> Scope:
        """Whose manager it is."""
        return "user" if self.way == "user" else "system"

    @property
    def tools(self) -> tuple[tuple[str, str], ...]:
        """Nothing: systemd is there, or this keeper is not chosen."""
        return ()

    def host_steps(self, host: str) -> tuple[Step, ...]:
        """Return nothing for the machine's manager. That of a user must begin with the machine and never end."""
        if self.scope == "system":
            return ()
        return (
            Step(
                id=f"{host}/enable-linger",
                title=f"let units of {self.user} run without a login",
                host=host,
                do=(Command(("loginctl", "enable-linger")),),
                done=Command(("sh", "-c", LINGER_SCRIPT)),
                harmless=True,
            ),
        )

    def definition(self, program: Program) -> Upload:
        """Return the unit file, written into the release."""
        return Upload(self._made(program), (self.text(program),), 0o600)

    def text(self, program: Program) -> str:
        """Return the unit file of a program of a release. Its log is the journal."""
        return unit_text(
            UnitText(
                title=f"{program.name} (Shipway)",
                argv=(*program.argv, "journal"),
                root=self.layout.root,
                scope=self.scope,
                user=self.user,
                stop_signal=program.stop_signal,
                stop_s=program.stop_s,
                notifies=program.notifies,
            )
        )

    def installed(self, program: Program) -> str:
        """Return where the unit file in force stands."""
        return self.place(program.name)

    def start(self, program: Program) -> Command:
        """Return the command that puts the unit file in force, enables the unit and starts it."""
        return self.start_unit(program.name, self._made(program), self.text(program))

    def started(self, program: Program) -> Command:
        """Return the question whether the program lives and its unit file is in force."""
        words = (self.installed(program), program.launcher, program.pidfile)
        return Command(("sh", "-c", STARTED_SCRIPT, "sh", *words))

    def stop(self, program: Program) -> tuple[Command, ...]:
        """Return the command that disables and stops the unit, and removes its file."""
        return (self.stop_unit(program.name, program.pidfile, program.socket, program.stop_s),)

    def stopped(self, program: Program) -> Command:
        """Return the question whether the program neither lives nor has a unit file in force."""
        argv = ("sh", "-s", "stopped", program.pidfile, self.installed(program))
        return Command(argv, stdin=(resource("launch.sh"),))

    def log(self, program: Program, asked: LogsAsked) -> Command:
        """Return what prints the unit's part of the journal."""
        return self.journal(program.name, asked)

    @property
    def kind(self) -> tuple[str, str]:
        """Return systemd, and whether it is the machine's or the user's."""
        return "systemd", self.scope

    def known_as(self, program: Program) -> str:
        """Return the name of the unit."""
        return _unit(program.name)

    def probes(self) -> Mapping[str, Command]:
        """Return `keeper`: exit 0 when the manager answers."""
        return {"keeper": Command(("sh", "-c", UP_SCRIPT, "sh", self.scope))}

    def is_up(self, answers: Mapping[str, Result]) -> bool:
        """Return whether the manager answers."""
        return "keeper" in answers and answers["keeper"].ok

    def place(self, name: str) -> str:
        """Return where the unit file of `name` stands while it is in force."""
        folder = SYSTEM_UNITS if self.scope == "system" else f"{self.home}/{USER_UNITS}"
        return f"{folder}/{_unit(name)}"

    def start_unit(self, name: str, made: str, text: str) -> Command:
        """Return the command that starts the unit `name` with the file at `made`, or with `text` for none."""
        words = (self.scope, _unit(name), self.place(name), made, mark(self.layout.root))
        return Command(("sh", "-c", START_SCRIPT, "sh", *words), stdin=(text,), sudo=self._sudo)

    def stop_unit(self, name: str, pidfile: str, socket: str, stop_s: float) -> Command:
        """Return the command that stops the unit `name` for good."""
        words = (self.scope, _unit(name), self.place(name), pidfile, socket)
        return Command(("sh", "-c", STOP_SCRIPT, "sh", *words), sudo=self._sudo, limit_s=stop_s + 60)

    def journal(self, name: str, asked: LogsAsked) -> Command:
        """Return what prints the journal of the unit `name`. Raises ValueError for a container, or an unclear time."""
        if asked.container:
            raise ValueError("with `runtime: venv` there are no containers")
        # A time goes before a number of lines: without either the whole journal would come.
        words = ["journalctl", "--quiet", "--no-pager", f"--lines={max(0, asked.lines)}"]
        words += [f"--output={'short-iso' if asked.has_times else 'cat'}"]
        words += [f"--since={since(asked.since)}"] if asked.since else []
        words += ["--follow"] if asked.follows else []
        words += [f"--{'user-unit' if self.scope == 'user' else 'unit'}={_unit(name)}"]
        return Command(tuple(words), sudo=self._sudo)

    @property
    def _sudo(self) -> bool:
        return self.way == "sudo"

    def _made(self, program: Program) -> str:
        return f"{program.definition}.service"


def since(text: str) -> str:
    """Return a time as journalctl reads it: `10m` and `1h30m` are ago, the rest is a date, with a time or without.

    Raises ValueError for what is neither.
    """
    if _SPAN.fullmatch(text):
        return f"-{text}"
    found = _TIME.fullmatch(text)
    if not found:
        raise ValueError(f"`{text}` is no time: write 10m, 2h, 2026-01-31 or 2026-01-31T12:00:00Z")
    day, time, zone = found.groups()
    return " ".join(word for word in (day, time, "UTC" if zone else "") if word)


def _unit(name: str) -> str:
    return f"shipway-{name}.service"
