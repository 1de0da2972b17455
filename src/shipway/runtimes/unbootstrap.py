"""What `server bootstrap` changed on a server, and the steps that take it back: nothing that was there before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shipway.core.action import Command
from shipway.core.errors import Finding
from shipway.core.ports import Result
from shipway.core.step import Step

# $1 the state directory, $2 the record. Reads only: which packages could go is tried on a copy of apt's own notes, as
# if nobody had asked for them. What something else needs by now, a person's own site of nginx too, stays.
PROBE_SCRIPT = (
    '{ [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; } && echo "sudo yes";'
    ' for d in "$1"/*/releases; do [ -z "$(ls -A "$d" 2>/dev/null)" ] || {'
    ' d=${d%/releases}; echo "service ${d##*/}"; };'
    " done; docker ps --all --format 'container {{.Names}}' 2>/dev/null </dev/null;"
    ' for d in /etc/nginx/sites-enabled /etc/nginx/conf.d; do for f in "$d"/*; do [ ! -e "$f" ] || case $f in'
    ' */zz-shipway.conf) echo "ours ${f##*/}";; *) echo "site ${f##*/}";; esac; done; done;'
    ' cd "$2" 2>/dev/null || exit 0; echo "record yes"; [ ! -s group ] || sed "s/^/group /" group | sort -u;'
    ' [ ! -s engine ] || echo "engine $(head -n 1 engine)";'
    " [ -s packages ] && command -v apt-get >/dev/null || exit 0;"
    " there=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\\n' | sed -n 's/^ii  *//p' | sort -u"
    ' | grep -xFf packages); [ -n "$there" ] || exit 0;'
    ' t=$(mktemp) && cp /var/lib/apt/extended_states "$t" 2>/dev/null || : >"$t";'
    ' apt-mark -o Dir::State::extended_states="$t" auto $there >/dev/null 2>&1;'
    # What is only suggested by something else was not there before either (iproute2 suggests python3).
    ' gone=" $(apt-get -s -o Dir::State::extended_states="$t" -o APT::AutoRemove::SuggestsImportant=false autoremove'
    " 2>/dev/null"
    ' | sed -n "s/^Remv \\([^ ]*\\).*/\\1/p" | tr "\\n" " ")"; rm -f -- "$t";'
    ' for p in $there; do case $gone in *" $p "*) echo "package $p";; *) echo "stays $p";; esac;'
    " done"
)
# Nothing else may go with them: what was installed since is asked once more.
REMOVE_SCRIPT = (
    "export DEBIAN_FRONTEND=noninteractive;"
    ' more=$(apt-get -s remove -- "$@" </dev/null | sed -n "s/^Remv \\([^ ]*\\).*/\\1/p"'
    ' | grep -vxF "$(printf "%s\\n" "$@")") && { echo "something else needs them by now: $more" >&2; exit 1; };'
    ' exec apt-get -o DPkg::Lock::Timeout=300 remove -y -- "$@" </dev/null'
)
REMOVED_SCRIPT = (
    'for p do [ "$(dpkg-query -W -f "\\${db:Status-Abbrev}" -- "$p" 2>/dev/null | cut -c 2)" != i ] || exit 1; done'
)
LEAVE_SCRIPT = 'gpasswd --delete "$1" docker >/dev/null 2>&1; case " $(id -nG -- "$1") " in *" docker "*) exit 1;; esac'
LEFT_SCRIPT = 'case " $(id -nG -- "$1" 2>/dev/null) " in *" docker "*) exit 1;; esac'
SITE_SCRIPT = (
    'to=$(cat -- "$1/default-site") && [ -e /etc/nginx/sites-available/default ]'
    ' && ln -sf -- "$to" /etc/nginx/sites-enabled/default; :'
)
_LIMIT_S, _REMOVE_LIMIT_S = 90.0, 900.0
_WORD = r"[A-Za-z0-9][A-Za-z0-9+._-]{0,120}"
_LINE = re.compile(rf"(service|container|site|ours|group|engine|package|stays|record|sudo) ({_WORD})")
DOCKER, NGINX = "docker.io", "nginx"


@dataclass(frozen=True, slots=True)
class Changed:
    """What is known of one server: what Shipway changed there, and what still uses it.

    `packages` were installed by Shipway and nothing needs them; `stays` were, and something does. `groups`: logins that
    were let into the group of Docker. `services` have releases there; `sites` are files of nginx that are not ours.
    """

    host: str
    record: str
    may_change: bool = False
    is_known: bool = False
    is_root: bool = False
    services: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    has_include: bool = False
    groups: tuple[str, ...] = ()
    engine: str = ""
    packages: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()


def probe(state_directory: str, record: str) -> Command:
    """Return the read-only command that tells what was changed on a server, and what uses it."""
    return Command(("sh", "-c", PROBE_SCRIPT, "sh", state_directory, record), limit_s=_LIMIT_S)


def parse(host: str, record: str, result: Result, *, is_root: bool) -> Changed:
    """Return what the answer to `probe` tells; lines that are not of its forms are passed over."""
    told: dict[str, list[str]] = {}
    for line in result.text[:200_000].splitlines():
        if found := _LINE.fullmatch(line):
            told.setdefault(found[1], []).append(found[2])
    packages, stays = told.get("package", []), told.get("stays", [])
    if told.get("site") and NGINX in packages:  # a person's own site: all of nginx stays
        stays += [one for one in packages if one.startswith((NGINX, "libnginx"))]
        packages = [one for one in packages if one not in stays]
    return Changed(
        host=host,
        record=record,
        may_change="sudo" in told,
        is_known="record" in told,
        is_root=is_root,
        services=tuple(told.get("service", ())),
        containers=tuple(told.get("container", ())),
        sites=tuple(told.get("site", ())),
        has_include="ours" in told,
        groups=tuple(told.get("group", ())),
        engine=told.get("engine", [""])[0],
        packages=tuple(packages),
        stays=tuple(stays),
    )


def check(changed: Changed) -> Iterator[Finding]:
    """Yield what forbids to take things back: something still runs with them, or the login may not."""
    if not changed.is_known:
        return
    host = changed.host
    if changed.services or changed.has_include:
        names = ", ".join(changed.services) or "a site of Shipway in nginx"
        yield Finding("unbootstrap.in_use", f"{host} has {names}", host, "`shipway remove` first, for each service")
    elif DOCKER in changed.packages and changed.containers:
        what = f"Docker on {host} has the containers {', '.join(changed.containers[:8])}"
        yield Finding("unbootstrap.in_use", what, host, "remove them first: `docker rm`, or `shipway remove`")
    if not changed.may_change:
        what = f"{host} needs root for that, and this login may not use sudo without a password"
        yield Finding("unbootstrap.no_sudo", what, host, "log in as root, or allow `sudo -n`")


def notes(changed: Changed, state_directory: str) -> Iterator[str]:
    """Yield what stays, and why."""
    host = changed.host
    if not changed.is_known:
        yield f"{host}: nothing is known that Shipway installed there"
        return
    if changed.stays:
        yield f"{host}: {', '.join(changed.stays)} stay: something else needs them by now"
    if DOCKER in changed.packages:
        yield f"{host}: images and volumes stay in /var/lib/docker"
    yield f"{host}: the ledger, uploads and shared files stay in {state_directory}"


def steps(changed: Changed) -> tuple[Step, ...]:
    """Return the steps that take back what Shipway changed on a server; none where it changed nothing."""
    return tuple(_steps(changed)) if changed.is_known else ()


def _steps(changed: Changed) -> Iterator[Step]:
    sudo = not changed.is_root
    for user in changed.groups:
        yield _step(
            changed,
            f"leave-docker-group-{user}",
            f"take {user} out of the group docker",
            Command(("sh", "-c", LEAVE_SCRIPT, "sh", user), sudo=sudo),
            Command(("sh", "-c", LEFT_SCRIPT, "sh", user)),
        )
    if changed.engine == "disabled" and DOCKER not in changed.packages and not changed.containers:
        yield _step(
            changed,
            "stop-docker",
            "stop the Docker engine, which did not begin with the machine before",
            Command(("systemctl", "disable", "--now", "docker.service", "docker.socket"), sudo=sudo),
            Command(("sh", "-c", "! systemctl is-enabled --quiet docker")),
        )
    if changed.packages:
        yield _step(
            changed,
            "remove-packages",
            f"remove {', '.join(changed.packages)}",
            Command(("sh", "-c", REMOVE_SCRIPT, "sh", *changed.packages), sudo=sudo, limit_s=_REMOVE_LIMIT_S),
            Command(("sh", "-c", REMOVED_SCRIPT, "sh", *changed.packages)),
        )
    if NGINX in changed.stays:
        yield _step(
            changed,
            "default-site",
            "give nginx its example site back",
            Command(("sh", "-c", SITE_SCRIPT, "sh", changed.record), sudo=sudo),
            Command(("test", "!", "-e", f"{changed.record}/default-site")),
        )
    yield _step(
        changed,
        "forget-bootstrap",
        "forget what was noted about the server",
        Command(("rm", "-rf", "--", changed.record), sudo=sudo),
        Command(("test", "!", "-e", changed.record)),
    )


def _step(changed: Changed, verb: str, title: str, do: Command, done: Command) -> Step:
    return Step(f"{changed.host}/{verb}", title, changed.host, (do,), done, repeatable=True, harmless=True)
