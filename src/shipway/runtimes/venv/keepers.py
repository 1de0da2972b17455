"""Which keeper a host has: asked once, chosen by what the host can and by what keeps its programs already."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from shipway.core.action import Command
from shipway.core.errors import Refused
from shipway.core.layout import Layout
from shipway.core.ports import Result
from shipway.runtimes.venv.hand_over import HandOver
from shipway.runtimes.venv.keeper import Keeper
from shipway.runtimes.venv.supervisor import Supervisor
from shipway.runtimes.venv.systemd import SYSTEM_UNITS, USER_UNITS, Systemd, Way
from shipway.runtimes.venv.unit_text import mark

Wanted = Literal["auto", "systemd", "supervisor"]
Name = Literal["supervisor", "root", "sudo", "user"]
"""supervisor, or the way in which systemd is spoken to."""

# $1: the state directory as it was written, "" for the default. Prints who asks, the ways in which systemd can be used,
# best first, and what has programs in force. Units of a user need linger: it is on, or the user may switch it on
# (polkit). `/run/systemd/system` is how systemd itself tells that it is there (sd_booted(3)).
QUESTION_SCRIPT = (
    'u=$(id -un); printf "user %s\\n" "$u";'
    ' case $1 in /*) r=$1;; "") if [ "$(id -u)" -eq 0 ]; then r=/var/lib/shipway; else r=$HOME/.shipway; fi;;'
    ' *) r=$HOME/${1#"~"};; esac; case $1 in "~/"*) r=$HOME/${1#??};; esac; r=${r%/};'
    ' for f in "$r"/keeper/programs/*.conf; do [ ! -e "$f" ] || { echo "kept supervisor"; break; }; done;'
    ' grep -qsxF -- "$3$r" "$2"/shipway-*.service && echo "kept system";'
    ' grep -qsxF -- "$3$r" "$HOME/$4"/shipway-*.service && echo "kept user";'
    " [ -d /run/systemd/system ] || exit 0;"
    ' if [ "$(id -u)" -eq 0 ]; then echo "way root"; exit 0; fi;'
    ' sudo -n sh -c : >/dev/null 2>&1 </dev/null && echo "way sudo";'
    ' { [ -e "/var/lib/systemd/linger/$u" ]'
    " || pkcheck --action-id org.freedesktop.login1.set-self-linger --process $$ >/dev/null 2>&1; }"
    " && XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)} systemctl --user show --property=Version"
    ' >/dev/null 2>&1 </dev/null && echo "way user"; :'
)
_USER = re.compile(r"user ([A-Za-z_][A-Za-z0-9_.-]{0,63}\$?)\Z")
_WAYS: tuple[Way, ...] = ("root", "sudo", "user")
_LIMIT_S = 20.0


@dataclass(frozen=True, slots=True)
class KeeperFacts:
    """What a host has of keepers.

    `user` is the login, `home` its home directory. `ways`: how systemd can be used there. `kept`: what has programs of
    this state directory in force: `supervisor`, `system` (units of the machine), `user` (units of the login).
    """

    user: str = ""
    home: str = ""
    ways: tuple[Way, ...] = ()
    kept: frozenset[str] = frozenset()


def keepers_question(state_directory: str) -> Command:
    """Return the read-only question after the keepers of a host. `state_directory` as the configuration has it."""
    words = (state_directory, SYSTEM_UNITS, mark(""), USER_UNITS)
    return Command(("sh", "-c", QUESTION_SCRIPT, "sh", *words), limit_s=_LIMIT_S)


def parse_keepers(result: Result, home: str) -> KeeperFacts:
    """Return what the answer tells; lines that are not of its forms are passed over."""
    lines = result.text[:10_000].splitlines()
    user = next((found[1] for line in lines if (found := _USER.match(line))), "")
    return KeeperFacts(
        user=user,
        home=home,
        ways=tuple(way for way in _WAYS if user and f"way {way}" in lines),
        kept=frozenset(name for name in ("supervisor", "system", "user") if f"kept {name}" in lines),
    )


def chosen(wanted: Wanted, facts: KeeperFacts) -> Name | None:
    """Return the keeper to use, None where `systemd` was asked for and cannot be used.

    What keeps programs already stays: a host moves only when the configuration names the other keeper, and between the
    machine's units and the login's own it does not move at all.
    """
    if wanted == "supervisor" or (wanted == "auto" and ("supervisor" in facts.kept or not facts.ways)):
        return "supervisor"
    if "user" in facts.kept and "system" not in facts.kept and "user" in facts.ways:
        return "user"
    return next(iter(facts.ways), None)


def keeper_of(wanted: Wanted, layout: Layout, host: str, python: str, facts: KeeperFacts) -> Keeper:
    """Return the keeper of a host. Raises Refused `host.no_systemd`; ValueError for a state directory too long."""
    name = chosen(wanted, facts)
    if name is None:
        raise Refused(
            "host.no_systemd",
            f"systemd was asked for, and {host} has none that {facts.user or 'the login'} may use",
            where="venv/keeper",
            next=f"`loginctl enable-linger {facts.user}` as root there, or `keeper: auto` under `venv`",
        )
    now = _made(name, layout, python, facts)
    before: Name | None = None
    if name != "supervisor" and "supervisor" in facts.kept:
        before = "supervisor"
    elif name == "supervisor":
        before = _systemd_before(facts)
    return HandOver(now, _made(before, layout, python, facts)) if before else now


def _systemd_before(facts: KeeperFacts) -> Name | None:
    """Return the way to the units of systemd that are in force, None without such."""
    if "system" in facts.kept:
        return next((way for way in facts.ways if way != "user"), None)
    return "user" if "user" in facts.kept else None


def _made(name: Name, layout: Layout, python: str, facts: KeeperFacts) -> Keeper:
    if name == "supervisor":
        return Supervisor(layout, python)
    return Systemd(layout, name, facts.user, facts.home)
