"""The first part of a written script: its values, how it reaches hosts, and how it takes its secrets."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from shipway.core.action import UPLOAD_SCRIPT, Pipe
from shipway.core.upkeep import (
    APPEND_SCRIPT,
    RELEASE_SCRIPT,
    RENEW_S,
    RENEW_SCRIPT,
    SHOW_SCRIPT,
    TAIL_BYTES,
    TAIL_SCRIPT,
    TAKE_SCRIPT,
)
from shipway.planning.by_hand import ByHand

STORE_SCRIPT = (
    'umask 077; mkdir -p -- "${1%/*}" && base64 -d | gzip -dc | sed "s/$2/$3/g" >"$1.new" && [ -s "$1.new" ]'
    ' && mv -f -- "$1.new" "$1"'
)


def setting(by_hand: ByHand) -> Iterator[str]:
    """Yield the lines of shell."""
    yield from _values(by_hand)
    yield from _reach(by_hand)
    yield from _secrets(by_hand)


def _values(by_hand: ByHand) -> Iterator[str]:
    plan, around = by_hand.plan, by_hand.around
    layout = around.layouts[plan.primary]
    serves = f"{plan.base} serves" if plan.base else "nothing serves, as before"
    values = {
        "planned": plan.run, "release": plan.release, "primary": plan.primary, "last_run": around.last_run,
        "serves": serves, "options": around.options, "work": around.work,
        "migrates": by_hand.question.step if by_hand.question else "",
        "programs": " ".join(_programs(by_hand)), "renew_s": f"{RENEW_S:g}", "tail_bytes": str(TAIL_BYTES),
        "lock_path": shlex.quote(layout.lock), "runs": shlex.quote(layout.run_plan("x").rpartition("/")[0]),
        "upload_script": shlex.quote(UPLOAD_SCRIPT), "append_script": shlex.quote(APPEND_SCRIPT),
        "store_script": shlex.quote(STORE_SCRIPT), "tail_script": shlex.quote(TAIL_SCRIPT),
        "take_script": shlex.quote(TAKE_SCRIPT), "show_script": shlex.quote(SHOW_SCRIPT),
        "renew_script": shlex.quote(RENEW_SCRIPT), "release_script": shlex.quote(RELEASE_SCRIPT),
    }  # fmt: skip
    yield from (f"{name}={shlex.quote(value)}" for name, value in values.items())
    is_agreed = around.agreed or not plan.base
    yield f"MIGRATE=${{MIGRATE:-{'yes' if is_agreed else ''}}}"
    yield ""


def _programs(by_hand: ByHand) -> list[str]:
    """Return the programs that are run on this machine."""
    found = {"ssh"} if any(reach.ssh for reach in by_hand.around.reach.values()) else set()
    found |= {step.argv[0] for step in by_hand.here_steps()}
    for step in by_hand.plan.steps():
        found |= {action.source.argv[0] for action in (*step.do, *step.undo) if isinstance(action, Pipe)}
    return sorted(found)


def _reach(by_hand: ByHand) -> Iterator[str]:
    """Yield how hosts are reached, and where their ledgers are."""
    around, hosts = by_hand.around, by_hand.plan.hosts()
    reach, connect, disconnect, ledgers = [], [], [], []
    for number, host in enumerate(hosts, 1):
        ssh, name = around.reach[host].ssh, shlex.quote(host)
        ledgers.append(f"    {name}) printf %s {shlex.quote(shlex.quote(around.layouts[host].ledger))} ;;")
        if not ssh:
            reach.append(f'    {name}) sh -c "$2" ;;')
            continue
        words = shlex.join(ssh)
        socket = f'-o ControlPath="$work/c{number}"'
        reach.append(f'    {name}) over {words} {socket} -- {name} "$2" ;;')
        master = f"over {words} -o ControlMaster=yes -o ControlPersist=900 {socket} -f -N -- {name}"
        connect.append(f'  {master} </dev/null >/dev/null 2>"$work/said" || {{')
        said = shlex.quote(f"unreachable: {host} did not answer")
        connect += ['    cat "$work/said" >&2', f"    say {said}", "    exit 5", "  }"]
        disconnect.append(f"  {words} {socket} -O exit -- {name} || :")
    yield from ("# reach HOST LINE", "reach() {", "  case $1 in", *reach, "    *) return 64 ;;", "  esac", "}", "")
    yield from ("ledger_of() {", "  case $1 in", *ledgers, "  esac", "}", "")
    keys = [f"  printf '%s\\n' \"$secret_{name}\" >{shlex.quote(path)}" for name, path in around.keys]
    files = [f"  printf %s {shlex.quote(text)} >{shlex.quote(path)}" for path, text in around.files]
    meet = f"  meet {shlex.join(hosts)}"
    yield from ("connect() {", *keys, *files, *connect, meet, "}", "")
    yield from ("disconnect() {", *(disconnect or ["  :"]), "}", "")


def _secrets(by_hand: ByHand) -> Iterator[str]:
    """Yield what takes secrets out of the environment: no program that is started here sees them."""
    names = by_hand.secrets()
    yield "take_secrets() {"
    yield "  missing="
    for name in names:
        yield f"  secret_{name}=${{{name}-}}"
        yield f'  [ "${{{name}+set}}" ] || missing="$missing {name}"'
    yield '  [ -z "$missing" ] || refuse "secrets are missing; set them in the environment:$missing"'
    if names:
        yield f"  unset {' '.join(names)}"
    yield from ("}", "")
