"""The question to a server, and its answer as plain facts. The answer comes from a host, so every line is checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from shipway.core.action import Command
from shipway.core.ports import Result

ROOT_SCRIPT = (  # $1 the state directory as configured; sets `root`
    'root=$1; case $root in "~"/*) root=$HOME/${root#??} ;;'
    ' "") if [ "$(id -u)" = 0 ]; then root=/var/lib/shipway; else root=$HOME/.shipway; fi ;; esac;'
)
# $1 the state directory ("" for the usual one), $2 the service, $3… ports. Prints `name value`, a line each; what
# cannot be told is left out. Nothing is changed; a command that hangs is ended.
PROBE_SCRIPT = (
    ROOT_SCRIPT
    + r"""
LC_ALL=C; export LC_ALL; PATH=$PATH:/usr/sbin:/sbin; service=$2; shift 2
t() { if command -v timeout >/dev/null; then timeout 8 "$@"; else "$@"; fi; }
if [ "$(id -u)" = 0 ]; then s() { t "$@"; }; else s() { t sudo -n "$@" 2>/dev/null; }; fi
echo "begin 1"
echo "date $(date +%s)"
echo "machine $(uname -m)"
(. /etc/os-release 2>/dev/null && echo "os $ID ${VERSION_ID:-0}")
while read -r n v _; do case $n in
  MemTotal:) echo "memory_kb $v" ;; MemAvailable:) echo "available_kb $v" ;; SwapTotal:) echo "swap_kb $v" ;;
esac; done 2>/dev/null </proc/meminfo
p=$root; while [ ! -e "$p" ]; do p=$(dirname -- "$p"); done
[ -w "$p" ] && echo "state yes"
disk() { [ -d "$2" ] || return 0
  t df -Pk -- "$2" 2>/dev/null | { read -r _; read -r _ size _ free _ mount; echo "disk $1 $size $free $mount"; }
  t df -Pi -- "$2" 2>/dev/null | { read -r _; read -r _ size _ free _ mount; echo "inodes $1 $size $free $mount"; }; }
disk state "$p"; disk docker /var/lib/docker
[ -d /run/systemd/system ] && echo "systemd yes"
[ -e /run/reboot-required ] || [ -e /var/run/reboot-required ] && echo "reboot yes"
for a in $(hostname -I 2>/dev/null); do echo "address $a"; done
if command -v ufw >/dev/null; then
  u=$(s ufw status) && case $u in
    *'Status: active'*) echo "firewall ufw"; printf '%s\n' "$u" | while read -r to rest; do
      case " $rest " in *' ALLOW '*|*' LIMIT '*) echo "open $to" ;; esac; done ;;
    *inactive*) echo "firewall none" ;;
  esac
fi
if command -v nft >/dev/null; then
  r=$(s nft list ruleset) && case $r in
    *'hook input'*'policy drop'*|*'hook input'*drop*|*'hook input'*reject*) echo "firewall nftables" ;;
    *) echo "firewall none" ;;
  esac
fi
if command -v iptables >/dev/null; then
  r=$(s iptables -S INPUT) && case $r in
    *'-P INPUT DROP'*|*'-j DROP'*|*'-j REJECT'*) echo "firewall iptables" ;;
    *) echo "firewall none" ;;
  esac
fi
command -v ufw >/dev/null || command -v nft >/dev/null || command -v iptables >/dev/null || echo "firewall none"
command -v firewall-cmd >/dev/null && t firewall-cmd --state >/dev/null 2>&1 && echo "firewall firewalld"
if command -v apt-config >/dev/null; then
  case $(t apt-config dump APT::Periodic::Unattended-Upgrade 2>/dev/null) in
    *'"1"'*) if command -v unattended-upgrade >/dev/null; then echo "updates yes"; else echo "updates no"; fi ;;
    *) echo "updates no" ;;
  esac
fi
if command -v ss >/dev/null; then
  echo "ports known"
  l=$(s ss -Hltnp || t ss -Hltn)
  for port in "$@"; do
    printf '%s\n' "$l" | while read -r _ _ _ local _ who; do
      case $local in *":$port") ;; *) continue ;; esac
      pid=${who#*pid=}; pid=${pid%%,*}; name=${who#*\"}; name=${name%%\"*}; line=
      case $pid in
        *[!0-9]*|'') name=unknown ;;
        *) line=$(s cat "/proc/$pid/cmdline" | tr '\000\n' '  ' | head -c 300) ;;
      esac
      case $line in *"$root/proxy"*) echo "port $port ours" ;; *) echo "port $port $name" ;; esac
    done | sort -u
  done
fi
if command -v docker >/dev/null; then
  t docker ps -a --format 'container {{.Names}} {{.State}} {{.Ports}}' 2>/dev/null </dev/null | head -n 300
  ids=$(t docker ps -aq --filter label=service 2>/dev/null </dev/null | head -n 200)
  f='restarts {{.Name}} {{.RestartCount}} {{.State.Status}} {{index .Config.Labels "service"}}'
  [ -z "$ids" ] || t docker inspect --format "$f" $ids 2>/dev/null </dev/null
fi
for d in "$root/$service/releases"/*/; do
  d=${d%/}; [ -d "$d" ] && [ ! -e "$d/complete" ] && echo "leftover ${d##*/}"
done
[ -d "$root/$service" ] && echo "service yes"
echo "end 1"
"""
)
_LIMIT_S = 60.0
_MAX_BYTES = 400_000
_NUMBER = r"[0-9]{1,18}"
_WORD = r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}"
_LINES = {
    "date": re.compile(rf"({_NUMBER})"),
    "machine": re.compile(r"([a-z0-9_]{2,20})"),
    "os": re.compile(r"([a-z][a-z0-9._-]{0,30}) \"?([0-9][0-9.]{0,10})\"?"),
    "memory_kb": re.compile(rf"({_NUMBER})"),
    "available_kb": re.compile(rf"({_NUMBER})"),
    "swap_kb": re.compile(rf"({_NUMBER})"),
    "disk": re.compile(rf"(state|docker) ({_NUMBER}) ({_NUMBER}) (/[^\x00-\x1f\x7f]{{0,200}})"),
    "inodes": re.compile(rf"(state|docker) ({_NUMBER}) ({_NUMBER}) (/[^\x00-\x1f\x7f]{{0,200}})"),
    "address": re.compile(r"([0-9a-fA-F.:]{3,45})"),
    "firewall": re.compile(r"(ufw|nftables|iptables|firewalld|none)"),
    "open": re.compile(r"([A-Za-z0-9:,/._-]{1,60})"),
    "updates": re.compile(r"(yes|no)"),
    "port": re.compile(r"([0-9]{1,5}) ([^\x00-\x20\x7f]{1,60})"),
    "container": re.compile(rf"({_WORD}) ([a-z]{{2,12}})(?: ([0-9a-z:.,>/\[\] -]{{0,400}}))?"),
    "restarts": re.compile(rf"/?({_WORD}) ([0-9]{{1,9}}) ([a-z]{{2,12}}) ({_WORD})"),
    "leftover": re.compile(rf"({_WORD})"),
}
_FLAGS = ("state yes", "systemd yes", "reboot yes", "ports known", "service yes")
_MAX_LINES = 2_000


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system: where it is mounted, its size, and what is free. Kilobytes, or inodes."""

    mount: str
    size: int
    free: int


@dataclass(frozen=True, slots=True)
class Container:
    """A container with the label `service`, how often it was restarted, and Docker's word for its state."""

    name: str
    restarts: int
    state: str
    service: str


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a server told. None, "" and -1 stand for what it did not tell.

    `os` is (`debian`, `12`). `ports` are those that are taken, each with who listens: a program's name, `ours`, or the
    name of a container. `open` are the ports that ufw lets in, as it writes them. `is_used`: the service was there.
    """

    is_whole: bool = False
    date_s: int = -1
    machine: str = ""
    os: tuple[str, str] | None = None
    memory_kb: int = -1
    available_kb: int = -1
    swap_kb: int = -1
    may_write_state: bool = False
    disks: dict[str, Disk] = field(default_factory=dict)
    inodes: dict[str, Disk] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()
    firewalls: frozenset[str] = frozenset()
    open: tuple[str, ...] = ()
    has_updates: bool | None = None
    has_systemd: bool = False
    wants_reboot: bool = False
    knows_ports: bool = False
    ports: dict[int, str] = field(default_factory=dict)
    containers: tuple[Container, ...] = ()
    names: dict[str, str] = field(default_factory=dict)
    leftovers: tuple[str, ...] = ()
    is_used: bool = False


def probe(state_directory: str, service: str, ports: Sequence[int]) -> Command:
    """Return the read-only question. `state_directory` is "" where the configuration names none."""
    words = (state_directory, service, *map(str, ports))
    return Command(("sh", "-c", PROBE_SCRIPT, "sh", *words), limit_s=_LIMIT_S)


def parse(result: Result) -> ServerFacts:
    """Return what the answer tells. Lines that are not of its forms are passed over."""
    lines = result.stdout[:_MAX_BYTES].decode("utf-8", "replace").split("\n")[:_MAX_LINES]
    told: dict[str, list[tuple[str, ...]]] = {name: [] for name in _LINES}
    for line in lines:
        name, _, rest = line.partition(" ")
        match = _LINES[name].fullmatch(rest.strip()) if name in _LINES else None
        if match:
            told[name].append(tuple(group or "" for group in match.groups()))
    flags = {flag for flag in _FLAGS if flag in lines}
    return ServerFacts(
        is_whole="begin 1" in lines and "end 1" in lines and not result.truncated,
        date_s=_number(told["date"]),
        machine=_word(told["machine"]),
        os=(told["os"][0][0], told["os"][0][1]) if told["os"] else None,
        memory_kb=_number(told["memory_kb"]),
        available_kb=_number(told["available_kb"]),
        swap_kb=_number(told["swap_kb"]),
        may_write_state="state yes" in flags,
        disks=_disks(told["disk"]),
        inodes=_disks(told["inodes"]),
        addresses=tuple(one for (one,) in told["address"]),
        firewalls=frozenset(one for (one,) in told["firewall"]),
        open=tuple(one for (one,) in told["open"]),
        has_updates={"yes": True, "no": False}.get(_word(told["updates"])),
        has_systemd="systemd yes" in flags,
        wants_reboot="reboot yes" in flags,
        knows_ports="ports known" in flags,
        ports=_ports(told["port"], told["container"]),
        containers=tuple(Container(n, int(count), state, of) for n, count, state, of in told["restarts"]),
        names={name: state for name, state, _ in told["container"]},
        leftovers=tuple(one for (one,) in told["leftover"]),
        is_used="service yes" in flags,
    )


def _number(rows: list[tuple[str, ...]]) -> int:
    return int(rows[0][0]) if rows else -1


def _word(rows: list[tuple[str, ...]]) -> str:
    return rows[0][0] if rows else ""


def _disks(rows: list[tuple[str, ...]]) -> dict[str, Disk]:
    return {name: Disk(mount, int(size), int(free)) for name, size, free, mount in rows}


def _ports(rows: list[tuple[str, ...]], containers: list[tuple[str, ...]]) -> dict[int, str]:
    """Return who listens where. Docker listens for its containers: then it is the container that publishes the port."""
    found: dict[int, str] = {}
    for port, who in rows:
        publisher = next((name for name, _, ports in containers if f":{port}->" in ports), "")
        if found.get(int(port)) != "ours":
            found[int(port)] = publisher or who
    return found
