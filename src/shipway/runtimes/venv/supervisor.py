"""supervisor as the keeper: one supervisord per host, one program file per unit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from shipway.core.action import Command, Upload
from shipway.core.layout import Layout
from shipway.core.logs import LogsAsked
from shipway.core.ports import Result
from shipway.core.step import Step
from shipway.runtimes.venv.keeper import Program
from shipway.runtimes.venv.resource import resource

SOCKET_BYTES = 107  # unix(7), sun_path less its closing NUL
SOCKET_SUFFIX_BYTES = 9  # supervisord binds `<socket>.<pid>` first (supervisor/http.py) and renames it
RETRIES = 100  # each try waits one second longer: a database that is away for an hour is survived
KILL_MARGIN_S = 2  # after the unit's own time; a unit that watches an orphan kills by itself before that

PICK_PYTHON = (
    'for p in "$1" "$2"; do if command -v -- "$p" >/dev/null 2>&1; then shift 2; exec "$p" -I -S - "$@"; fi; done;'
    ' echo "no Python found at $1 or $2" >&2; exit 127'
)
UP_SCRIPT = (
    '[ -S "$2" ] && IFS= read -r pid <"$1" && [ -n "$pid" ] && kill -0 "$pid" || exit 1;'
    ' if [ -r "/proc/$pid/cmdline" ]; then tr "\\0" " " <"/proc/$pid/cmdline"; else ps -o args= -p "$pid"; fi'
    " | grep -q supervisord"
)
MATCHES_SCRIPT = 'test -d "$1" && [ "$(cat -- "$2" "$3" 2>/dev/null)" = "$(cat)" ]'
KEEP_DIRS_SCRIPT = 'umask 077; mkdir -p -- "$1" "$2" && chmod 0700 "$1" "$2"'


@dataclass(frozen=True, slots=True)
class Supervisor:
    """Keeps programs with the supervisord of `layout.keeper`. `python` is the host's interpreter.

    Raises ValueError when the path of the control socket would be too long for the system.
    """

    layout: Layout
    python: str = "python3"

    def __post_init__(self) -> None:
        refuse_long_socket(self._socket, SOCKET_BYTES - SOCKET_SUFFIX_BYTES)

    @property
    def tools(self) -> tuple[tuple[str, str], ...]:
        """Return supervisor, from the host or the package index."""
        return (("supervisord", "supervisor>=4.2.5"),)

    def host_steps(self, host: str) -> tuple[Step, ...]:
        """Return: write supervisord's configuration; start it. A running one is never restarted by this."""
        config, launcher = config_file(self.layout), resource("launch.sh")
        programs = f"{self.layout.keeper}/programs"
        matches = ("sh", "-c", MATCHES_SCRIPT, "sh", programs, self._config, self._launcher)
        return (
            Step(
                id=f"{host}/configure-keeper",
                title="configure supervisor",
                host=host,
                do=(
                    Command(("sh", "-c", KEEP_DIRS_SCRIPT, "sh", self.layout.keeper, programs)),
                    Upload(self._launcher, (launcher,), 0o755),
                    Upload(self._config, (config,), 0o600),
                ),
                done=Command(matches, stdin=(config, launcher)),
                harmless=True,
            ),
            Step(
                id=f"{host}/start-keeper",
                title="start supervisor",
                host=host,
                do=(self._script((self.python, self.python), "up", self._conf()),),
                done=self._is_up(),
                harmless=True,
            ),
        )

    def definition(self, program: Program) -> Upload:
        """Return the program's section of supervisord's configuration, written into the release."""
        return Upload(_made(program), (program_file(program),), 0o600)

    def start(self, program: Program) -> Command:
        """Return the command that starts the program; it starts supervisord first where that is down."""
        return self._script(program.pythons, "start", self._conf(program))

    def started(self, program: Program) -> Command:
        """Return the question whether the program lives and its definition is in force."""
        script = 'test -e "$1" && exec /bin/sh "$2" alive "$3"'
        return Command(("sh", "-c", script, "sh", self.installed(program), program.launcher, program.pidfile))

    def stop(self, program: Program) -> tuple[Command, ...]:
        """Return the command that stops the program, whether supervisord knows it, is down, or never heard of it."""
        return (self._script(program.pythons, "stop", self._conf(program), limit_s=program.stop_s + 60),)

    def stopped(self, program: Program) -> Command:
        """Return the question whether the program is neither alive nor kept."""
        argv = ("sh", "-s", "stopped", program.pidfile, self.installed(program))
        return Command(argv, stdin=(resource("launch.sh"),))

    def log(self, program: Program, asked: LogsAsked) -> Command:
        """Return a `tail` of the log; following goes on over a rotation. A line has the time that it prints."""
        if asked.since or asked.container:
            raise ValueError("with supervisor a log is a file: lines have no time of their own, and no container")
        flags = ("-F",) if asked.follows else ()
        return Command(("tail", "-n", str(max(0, asked.lines)), *flags, program.log))

    @property
    def kind(self) -> tuple[str, str]:
        """Return supervisor; there is one of it."""
        return "supervisor", ""

    def known_as(self, program: Program) -> str:
        """Return the program's own name."""
        return program.name

    def probes(self) -> Mapping[str, Command]:
        """Return `keeper`: exit 0 when supervisord runs."""
        return {"keeper": self._is_up()}

    def is_up(self, answers: Mapping[str, Result]) -> bool:
        """Return whether supervisord runs."""
        return "keeper" in answers and answers["keeper"].ok

    def installed(self, program: Program) -> str:
        """Return where the definition of a program in force stands."""
        return f"{self.layout.keeper}/programs/{program.name}.conf"

    @property
    def _socket(self) -> str:
        return f"{self.layout.keeper}/supervisor.sock"

    @property
    def _config(self) -> str:
        return f"{self.layout.keeper}/supervisord.conf"

    @property
    def _launcher(self) -> str:
        return f"{self.layout.keeper}/launch"

    def _is_up(self) -> Command:
        return Command(("sh", "-c", UP_SCRIPT, "sh", f"{self.layout.keeper}/supervisord.pid", self._socket))

    def _conf(self, program: Program | None = None) -> str:
        conf = {"socket": self._socket, "config": self._config, "tools": self.layout.tools}
        if program is not None:
            conf |= {
                "name": program.name,
                "definition": _made(program),
                "text": program_file(program),
                "installed": self.installed(program),
                "pidfile": program.pidfile,
                "launcher": program.launcher,
                "unit_socket": program.socket,
                "signal": program.stop_signal,
                "stop_s": f"{program.stop_s:g}",
            }
        return json.dumps(conf, ensure_ascii=True, sort_keys=True)

    def _script(self, pythons: tuple[str, str], verb: str, conf: str, limit_s: float = 60.0) -> Command:
        argv = ("sh", "-c", PICK_PYTHON, "sh", *pythons, verb, conf)
        return Command(argv, stdin=(resource("supervisor_script.py"),), limit_s=limit_s)


def config_file(layout: Layout) -> str:
    """Return supervisord's own configuration. Paths are relative to it, so that no escaping can go wrong."""
    rotate = _words(("/bin/sh", f"{layout.keeper}/launch", "rotate", layout.root))
    sections = {
        "unix_http_server": {"file": "%(here)s/supervisor.sock", "chmod": "0700"},
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        },
        "supervisord": {
            "identifier": "shipway",
            "directory": "%(here)s",
            "logfile": "%(here)s/supervisord.log",
            "logfile_maxbytes": "10MB",
            "logfile_backups": "3",
            "pidfile": "%(here)s/supervisord.pid",
            "childlogdir": "%(here)s",
            "umask": "022",
        },
        "supervisorctl": {"serverurl": "unix://%(here)s/supervisor.sock"},
        "include": {"files": "programs/*.conf"},
        "program:shipway-logs": {
            "command": rotate,
            "autorestart": "true",
            "startretries": str(RETRIES),
            "stdout_logfile": "NONE",
            "redirect_stderr": "true",
        },
    }
    return _render(sections)


def program_file(program: Program) -> str:
    """Return the section of one program.

    The stop signal goes to the program alone (`stopasgroup`): gunicorn and Celery pass on what their children need, and
    a child that got it too would drop its work. When time is over the whole group is killed (`killasgroup`).
    The program writes its own log: a pipe to supervisord would break with it.
    """
    options = {
        "command": _words(program.argv),
        "directory": "/",
        "autostart": "true",
        "autorestart": "true",
        "startsecs": "1",
        "startretries": str(RETRIES),
        "stopsignal": program.stop_signal,
        "stopwaitsecs": str(int(program.stop_s) + KILL_MARGIN_S),
        "stopasgroup": "false",
        "killasgroup": "true",
        "stdout_logfile": "NONE",
        "redirect_stderr": "true",
    }
    return _render({f"program:{program.name}": options})


def _made(program: Program) -> str:
    return f"{program.definition}.conf"


def _render(sections: Mapping[str, Mapping[str, str]]) -> str:
    lines: list[str] = []
    for section, options in sections.items():
        lines += [f"[{section}]", *(f"{key}={value}" for key, value in options.items()), ""]
    return "\n".join(lines)


def _words(argv: tuple[str, ...]) -> str:
    """Return `argv` as supervisor reads a command: shlex after `%` expansion after an INI file with comments.

    Each unusual character has its own backslash, so that ` ;` and ` #` never begin a comment. Raises ValueError for a
    line break, which an INI file cannot hold.
    """
    text = " ".join("".join(c if c.isalnum() or c in "_./-=:," else f"\\{c}" for c in word) or "''" for word in argv)
    if not text.isprintable():
        raise ValueError(f"control characters cannot be in a path: {text!r}")
    return text.replace("%", "%%")


def refuse_long_socket(path: str, most_bytes: int = SOCKET_BYTES) -> None:
    """Raise ValueError when `path` is too long for a unix socket."""
    length = len(path.encode())
    if length > most_bytes:
        raise ValueError(
            f"the socket path `{path}` has {length} bytes, {most_bytes} are possible: choose a shorter state directory"
        )
