"""What a bare server lacks before anything can run on it, and the steps that put it there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shipway.core.action import Command
from shipway.core.errors import Finding
from shipway.core.ports import Result
from shipway.core.step import Step

PROBE_SCRIPT = (
    # $1 the state directory. Prints `name=value`, a line each; what cannot be told is left out. The group may be there
    # and not yet in this session: both are told.
    'u=$(id -un); printf "uid=%s\\nuser=%s\\ngroups= %s \\n" "$(id -u)" "$u" "$(id -nG)";'
    ' printf "listed= %s \\n" "$(id -nG "$u")"; sudo -n true 2>/dev/null && echo sudo=yes;'
    ' (. /etc/os-release 2>/dev/null && printf "os=%s %s\\nname=%s\\n" "$ID" "$ID_LIKE" "$PRETTY_NAME");'
    " command -v apt-get >/dev/null && echo apt=yes;"
    ' e=$(docker version --format "{{.Server.Version}}" 2>&1 </dev/null) && printf "engine=%s\\n" "$e";'
    " [ -z \"$e\" ] || printf 'said=%.300s\\n' \"$(printf %s \"$e\" | tr '\\n' ' ')\";"
    ' e=$(sudo -n docker version --format "{{.Server.Version}}" 2>/dev/null </dev/null)'
    ' && printf "sudo_engine=%s\\n" "$e";'
    # A client alone is no Docker.
    " command -v docker >/dev/null && { docker version >/dev/null 2>&1 </dev/null"
    " || PATH=$PATH:/usr/sbin:/sbin command -v dockerd >/dev/null; } && echo docker=yes;"
    " command -v python3 >/dev/null && echo python3=yes;"
    ' python3 -c "import venv, ensurepip" 2>/dev/null </dev/null && echo venv=yes;'
    " PATH=$PATH:/usr/sbin:/sbin command -v nginx >/dev/null && echo nginx=yes;"
    " [ -d /run/systemd/system ] && echo systemd=yes;"
    ' p=$1; while [ ! -e "$p" ]; do p=$(dirname -- "$p"); done; [ -d "$p" ] && [ -w "$p" ] && echo state=yes; :'
)
_LIMIT_S = 60.0
INSTALL_LIMIT_S = 1800.0
_LINE = re.compile(r"([a-z0-9_]+)=(.{0,400})")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}\$?\Z")
DOCKER_GROUP = "docker"

# The package manager of a new server is often busy with its first updates: it is waited for. $1 is where it is noted
# which packages were not there before; a note that was begun stays for the next try. Debian's nginx comes with a site
# that answers for every name: it goes, where nginx is ours.
INSTALL_SCRIPT = (
    "installed() { dpkg-query -W -f '${db:Status-Abbrev} ${Package}\\n' | sed -n 's/^ii  *//p' | sort -u; };"
    ' record=$1; shift; mkdir -p -- "$record"; [ -s "$record/before" ] || installed >"$record/before" || exit;'
    " export DEBIAN_FRONTEND=noninteractive; n=0;"
    ' until apt-get -o DPkg::Lock::Timeout=300 update; do n=$((n+1)); [ "$n" -lt 5 ] || exit 1; sleep 5; done;'
    ' [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" != Y ] || set -- "$@" apparmor;'
    ' apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends -- "$@" </dev/null || exit;'
    ' installed | comm -13 "$record/before" - >>"$record/packages"; site=/etc/nginx/sites-enabled/default;'
    ' if grep -qx nginx "$record/packages" && [ -L "$site" ]; then'
    ' readlink -- "$site" >"$record/default-site" && rm -f -- "$site"; fi; rm -f -- "$record/before"'
)
INSTALLED_SCRIPT = (  # $1… `docker`, `nginx`, `python3` or `venv`
    'PATH=$PATH:/usr/sbin:/sbin; for w in "$@"; do case $w in'
    ' venv) python3 -c "import venv, ensurepip" 2>/dev/null </dev/null;;'
    " docker) docker version >/dev/null 2>&1 </dev/null || command -v dockerd >/dev/null;;"
    ' *) command -v -- "$w" >/dev/null;; esac || exit 1; done'
)
ENGINE_SCRIPT = (  # $1: where it is noted whether it began with the machine
    'mkdir -p -- "$1"; [ -e "$1/engine" ] || systemctl is-enabled docker >"$1/engine" 2>/dev/null;'
    " if [ -d /run/systemd/system ]; then systemctl enable --now docker; else service docker start; fi;"
    ' n=0; until docker version >/dev/null 2>&1; do n=$((n+1)); [ "$n" -lt 60 ] || { docker version >&2; exit 1; };'
    " sleep 1; done"
)
JOIN_SCRIPT = 'mkdir -p -- "$2" && printf "%s\\n" "$1" >>"$2/group" && exec usermod -aG docker -- "$1"'
IN_GROUP_SCRIPT = 'case " $(id -nG -- "$1") " in *" docker "*) exit 0;; esac; exit 1'
OWN_SCRIPT = 'mkdir -p -- "$1" && chown -- "$2" "$1" && chmod 0700 -- "$1"'
"""Makes the state directory ($1) and gives it to its user ($2); what stands above it stays root's."""


@dataclass(frozen=True, slots=True)
class HostState:
    """One server as it was found. `engine` is the version of the Docker engine that this login reaches, "" for none.

    `is_listed`: the user is in the group `docker`, whether this session knows it or not. `sudo_engine`: the engine
    answers root only. `owns_state`: the login may write the state directory. `record`: where it is noted what Shipway
    changed here.
    """

    host: str
    user: str = ""
    is_root: bool = False
    has_sudo: bool = False
    system: str = ""
    is_debian: bool = False
    has_docker: bool = False
    engine: str = ""
    sudo_engine: str = ""
    said: str = ""
    is_listed: bool = False
    has_python: bool = False
    has_venv: bool = False
    has_nginx: bool = False
    owns_state: bool = True
    record: str = "/var/lib/shipway/bootstrap"

    @property
    def may_change(self) -> bool:
        """Whether this login may do what only root may."""
        return self.is_root or self.has_sudo


@dataclass(frozen=True, slots=True)
class Needs:
    """What a server is for: containers (`docker`), virtualenvs (`venv`), `nginx`, or only the proxy's scripts."""

    docker: bool = True
    venv: bool = False
    nginx: bool = False


def probe(state_directory: str) -> Command:
    """Return the read-only command that tells what a server has."""
    return Command(("sh", "-c", PROBE_SCRIPT, "sh", state_directory), limit_s=_LIMIT_S)


def parse(host: str, result: Result) -> HostState:
    """Return what the answer to `probe` tells; what it does not tell is not there."""
    lines = (_LINE.fullmatch(line) for line in result.text[:20_000].splitlines())
    told = {line[1]: line[2] for line in lines if line}
    system = told.get("os", "").split()
    return HostState(
        host=host,
        user=told.get("user", "") if _USER.match(told.get("user", "")) else "",
        is_root=told.get("uid") == "0",
        has_sudo=told.get("sudo") == "yes",
        system=told.get("name", "") or "an unknown system",
        is_debian=told.get("apt") == "yes" and bool({"debian", "ubuntu"} & set(system)),
        has_docker=told.get("docker") == "yes",
        engine=told.get("engine", "").strip(),
        sudo_engine=told.get("sudo_engine", "").strip(),
        said=told.get("said", "").strip(),
        is_listed=f" {DOCKER_GROUP} " in told.get("listed", ""),
        has_python=told.get("python3") == "yes",
        has_venv=told.get("venv") == "yes",
        has_nginx=told.get("nginx") == "yes",
        owns_state=told.get("state") == "yes",
    )


def missing(state: HostState, needs: Needs) -> tuple[str, ...]:
    """Return what is to be installed: `docker`, `python3`, `venv`, `nginx`."""
    wanted = {
        "docker": needs.docker and not state.has_docker,
        "python3": not state.has_python,
        "venv": needs.venv and not state.has_venv,
        "nginx": needs.nginx and not state.has_nginx,
    }
    return tuple(word for word, is_wanted in wanted.items() if is_wanted)


_PACKAGES = {"docker": "docker.io", "python3": "python3", "venv": "python3-venv", "nginx": "nginx"}


_NAMES = {"docker": "Docker", "python3": "Python 3", "venv": "Python's venv", "nginx": "nginx"}


def check(state: HostState, needs: Needs) -> Iterator[Finding]:
    """Yield what Shipway cannot put right by itself, each with what a person has to do."""
    lacking = missing(state, needs)
    names = " and ".join(_NAMES[word] for word in lacking)
    if lacking and not state.is_debian:
        yield Finding(
            "setup.unknown_system",
            f"{state.host} runs {state.system} and has no {names}; Shipway installs on Debian and Ubuntu only",
            where=state.host,
            next=f"Install {names} there, start the Docker engine, and call `shipway setup` again",
        )
    elif lacking and not state.may_change:
        packages = " ".join(_PACKAGES[word] for word in lacking)
        yield _no_sudo(state, f"has no {names}", f"apt-get install -y {packages}")
    if not needs.docker or lacking:
        if not state.owns_state and not state.may_change:
            yield _no_sudo(state, "does not let this user write the state directory", "")
        return
    if not state.engine and not state.may_change:
        how = "systemctl enable --now docker" if state.is_listed else f"usermod -aG docker {state.user or 'USER'}"
        yield _no_sudo(state, "has a Docker engine that does not answer this user", how)
    if not state.owns_state and not state.may_change:
        yield _no_sudo(state, "does not let this user write the state directory", "")


def _no_sudo(state: HostState, what: str, command: str) -> Finding:
    do = f"as root there: `{command}`; or" if command else "Set `state_directory: ~/.shipway`, or"
    return Finding(
        "setup.no_sudo",
        f"{state.host} {what}, and {state.user or 'the login'} may not use sudo without a password",
        where=state.host,
        next=f"{do} log in as root, or allow `sudo -n` for {state.user or 'the login'}",
    )


def steps(state: HostState, needs: Needs) -> tuple[Step, ...]:
    """Return the steps that this server still needs; none when it has everything. All of them stay, harmlessly."""
    return tuple(_steps(state, needs))


def _steps(state: HostState, needs: Needs) -> Iterator[Step]:
    sudo = not state.is_root
    if lacking := missing(state, needs):
        packages = tuple(_PACKAGES[word] for word in lacking)
        yield _step(
            state,
            "install-packages",
            f"install {', '.join(packages)}",
            Command(("sh", "-c", INSTALL_SCRIPT, "sh", state.record, *packages), sudo=sudo, limit_s=INSTALL_LIMIT_S),
            Command(("sh", "-c", INSTALLED_SCRIPT, "sh", *lacking)),
        )
    if needs.docker and not (state.engine or state.sudo_engine):
        yield _step(
            state,
            "start-docker",
            "start the Docker engine, now and at every boot",
            Command(("sh", "-c", ENGINE_SCRIPT, "sh", state.record), sudo=sudo, limit_s=180.0),
            Command(("docker", "version"), sudo=sudo),
        )
    if needs.docker and sudo and not state.engine and not state.is_listed and state.user:
        yield _step(
            state,
            "join-docker-group",
            f"let {state.user} use Docker (group docker, which is as good as root)",
            Command(("sh", "-c", JOIN_SCRIPT, "sh", state.user, state.record), sudo=True),
            Command(("sh", "-c", IN_GROUP_SCRIPT, "sh", state.user)),
        )


def _step(state: HostState, verb: str, title: str, do: Command, done: Command) -> Step:
    return Step(id=f"{state.host}/{verb}", title=title, host=state.host, do=(do,), done=done, harmless=True)


def own_state_directory(state: HostState, state_directory: str) -> Command:
    """Return the command that makes the state directory this user's. Doing it twice is doing it once."""
    argv = ("sh", "-c", OWN_SCRIPT, "sh", state_directory, state.user or "root")
    return Command(argv, sudo=not state.is_root, limit_s=_LIMIT_S)
