"""The whole instruction set of a plan: `Command`, `Upload`, `Wait`, `Pipe`.

`lower` turns the first three into plain commands, so that a transport has one thing to do: run an argument vector with
a standard input. Where a pipe or a loop is unavoidable, the script is a constant and its values are positional
parameters: nothing is ever formatted into shell text.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from shipway.core.secret import Text

UPLOAD_SCRIPT = (
    'umask 077; mkdir -p -- "$(dirname -- "$1")" && cat >"$1.shipway-new" && chmod "$2" "$1.shipway-new"'
    ' && mv -f -- "$1.shipway-new" "$1" || { s=$?; rm -f -- "$1.shipway-new"; exit $s; }'
)
WAIT_SCRIPT = (
    'every=$1; tries=$2; shift 2; n=0; while :; do "$@" && exit 0; s=$?; n=$((n+1));'
    ' [ "$n" -ge "$tries" ] && exit "$s"; sleep "$every"; done'
)


@dataclass(frozen=True, slots=True)
class Command:
    """One program run on a host.

    `argv` holds words, never shell text and never a secret. `stdin` may refer to secrets. After `limit_s` seconds the
    program and everything it started on the host is ended.
    """

    argv: tuple[str, ...]
    stdin: Text = ()
    sudo: bool = False
    limit_s: float = 60.0

    def words(self) -> tuple[str, ...]:
        """Return the argument vector that is really run, with `sudo -n` in front where it is asked for."""
        return ("sudo", "-n", *self.argv) if self.sudo else self.argv

    def shell(self) -> str:
        """Return the command as one line of POSIX shell: the only place where words become shell text."""
        return shlex.join(self.words())


@dataclass(frozen=True, slots=True)
class Upload:
    """A file written on a host, atomically (a rename), with its parent directories; `mode` is octal permission bits."""

    path: str
    body: Text
    mode: int = 0o600
    sudo: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """A command asked every `every_s` seconds until it exits 0, for about `limit_s` seconds, on the host itself.

    `until` has no standard input: the first try would eat it, and an interpreter without a script says yes to anything.
    """

    until: Command
    every_s: float = 1.0
    limit_s: float = 60.0

    def __post_init__(self) -> None:
        if self.until.stdin:
            raise ValueError("a command that is asked again and again cannot have a standard input")


@dataclass(frozen=True, slots=True)
class Pipe:
    """The output of `source`, run on the operator's machine, fed to `sink`, run on the host. Both must exit 0."""

    source: Command
    sink: Command


Action = Command | Upload | Wait | Pipe


def lower(action: Command | Upload | Wait) -> Command:
    """Return the one command that does what `action` says."""
    match action:
        case Command():
            return action
        case Upload(path=path, body=body, mode=mode, sudo=sudo):
            return Command(("sh", "-c", UPLOAD_SCRIPT, "sh", path, f"{mode:o}"), stdin=body, sudo=sudo)
        case Wait(until=until, every_s=every_s, limit_s=limit_s):
            tries = max(1, round(limit_s / every_s))
            argv = ("sh", "-c", WAIT_SCRIPT, "sh", f"{every_s:g}", str(tries), *until.words())
            return Command(argv, limit_s=limit_s + until.limit_s)


def describe(action: Action) -> str:
    """Return `action` as one line for a person: the shell line, with bodies left out."""
    match action:
        case Command():
            return action.shell() + (" < (input)" if action.stdin else "")
        case Upload(path=path, mode=mode):
            return f"write {shlex.quote(path)} (mode {mode:04o})"
        case Wait(until=until, every_s=every_s, limit_s=limit_s):
            return f"wait up to {limit_s:g} s, every {every_s:g} s, for: {until.shell()}"
        case Pipe(source=source, sink=sink):
            return f"(here) {source.shell()} | (host) {sink.shell()}"
