"""A fleet in memory: hosts that understand the engine's own scripts and a dozen verbs of a pretended runtime and proxy.

Everything that outlives a client is here (files, units, proxies, the database), so that a client can be killed and
another one find what it left. After every command the invariants of a service are checked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shipway.checks.drift.state import STATE_SCRIPT
from shipway.core.action import UPLOAD_SCRIPT, WAIT_SCRIPT
from shipway.core.ports import Result
from shipway.core.upkeep import APPEND_SCRIPT, TAIL_SCRIPT, WHEN_WRITTEN
from shipway.django.probe_source import markers
from shipway.engine import lock
from shipway.engine.observe import FREE_SCRIPT
from shipway.engine.reading import PIECE_SCRIPT

OK, NO = Result(0), Result(1)
_PROBE = re.compile(r"^supervise\('([0-9a-f]+)'", re.MULTILINE)
Fault = Callable[[str, Sequence[str]], str]
"""Given a host and a command's words: what the command says when it fails, "" when it does not."""


def no_fault(_host: str, _argv: Sequence[str]) -> str:
    return ""


@dataclass
class SimHost:
    name: str
    files: dict[str, str] = field(default_factory=dict)
    touched: dict[str, int] = field(default_factory=dict)
    releases: dict[str, str] = field(default_factory=dict)  # release -> "partial" | "whole"
    running: dict[tuple[str, str], str] = field(default_factory=dict)  # (role, release) -> kind
    live: dict[str, str] = field(default_factory=dict)  # role -> endpoint
    ready: set[str] = field(default_factory=set)

    def copy(self) -> SimHost:
        fields = (self.files, self.touched, self.releases, self.running, self.live, self.ready)
        return SimHost(self.name, *(part.copy() for part in fields))  # type: ignore[arg-type]

    def state(self) -> tuple[object, ...]:
        parts = (self.files, self.touched, self.releases, self.running, self.live)
        return (self.name, *(tuple(sorted(part.items())) for part in parts), tuple(sorted(self.ready)))


@dataclass
class Fleet:
    hosts: dict[str, SimHost]
    now_s: int = 1_700_000_000
    applied: dict[str, int] = field(default_factory=dict)
    fault: Fault = no_fault
    broken: list[str] = field(default_factory=list)
    sick: set[tuple[str, str]] = field(default_factory=set)  # (host, release) that never become healthy
    is_watched: bool = True
    databases: dict[str, object] = field(default_factory=dict)  # what a release answers when it is asked

    def copy(self) -> Fleet:
        return Fleet(
            {name: host.copy() for name, host in self.hosts.items()},
            self.now_s,
            dict(self.applied),
            self.fault,
            list(self.broken),
            set(self.sick),
            self.is_watched,
            self.databases,
        )

    def state(self) -> tuple[object, ...]:
        """All that a later client can find; equal states have equal futures."""
        return (tuple(h.state() for h in self.hosts.values()), tuple(sorted(self.applied.items())))

    def is_healthy(self, host: str, role: str, release: str) -> bool:
        return (role, release) in self.hosts[host].running and (host, release) not in self.sick

    def run(self, host: str, argv: Sequence[str], stdin: str) -> Result:
        if said := self.fault(host, argv):
            return Result(1, stderr=said.encode())
        result = self._run(self.hosts[host], tuple(argv), stdin)
        if self.is_watched:
            self._watch(host, argv)
        return result

    def _watch(self, where: str, argv: Sequence[str]) -> None:
        for host in self.hosts.values():
            for role, endpoint in host.live.items():
                release = endpoint.rpartition("-")[2]
                if not self.is_healthy(host.name, role, release):
                    self.broken.append(f"{host.name} serves {endpoint}, which does not run, after {where}: {argv}")
        schedulers = [
            unit for host in self.hosts.values() for unit, kind in host.running.items() if kind == "scheduler"
        ]
        if len(schedulers) > 1:
            self.broken.append(f"{schedulers} run at once after {where}: {argv}")
        if any(times > 1 for times in self.applied.values()):
            self.broken.append(f"migrated twice after {where}: {argv}")

    def _run(self, host: SimHost, argv: tuple[str, ...], stdin: str) -> Result:
        match argv:
            case ("sh", "-c", script, "sh", *args):
                return _SCRIPTS[script](self, host, args, stdin)
            case ("sim", "one-off", release, *words):
                return _one_off(self, host, (release, *words), stdin)
            case ("sim", verb, *args):
                return _VERBS[verb](self, host, args)
            case ("date", "+%s"):
                return _text(f"{self.now_s}\n")
            case ("id", "-un") | ("printenv", "HOME") | ("uname", "-sm"):
                return _text("sim\n")
        raise AssertionError(f"unknown command: {argv}")


def _text(text: str) -> Result:
    return Result(0, stdout=text.encode())


def _yes(answer: bool) -> Result:  # noqa: FBT001
    return OK if answer else NO


def stamp(now_s: int) -> str:
    return datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _append(fleet: Fleet, host: SimHost, args: Sequence[str], stdin: str) -> Result:
    old = host.files.get(args[0], "")
    lines = stdin.replace(f'"at":"{WHEN_WRITTEN}"', f'"at":"{stamp(fleet.now_s)}"')
    host.files[args[0]] = old + ("\n" if old and not old.endswith("\n") else "") + lines
    return OK


def _tail(_fleet: Fleet, host: SimHost, args: Sequence[str], _stdin: str) -> Result:
    return _text(host.files.get(args[0], "")[-int(args[1]) :])


def _piece(_fleet: Fleet, host: SimHost, args: Sequence[str], _stdin: str) -> Result:
    path, first, size = args[0], int(args[1]) - 1, int(args[2])
    return _text(host.files[path][first : first + size]) if path in host.files else NO


def _upload(_fleet: Fleet, host: SimHost, args: Sequence[str], stdin: str) -> Result:
    host.files[args[0]] = stdin
    return OK


def _wait(fleet: Fleet, host: SimHost, args: Sequence[str], stdin: str) -> Result:
    return fleet._run(host, tuple(args[2:]), stdin)


def _take(fleet: Fleet, host: SimHost, args: Sequence[str], stdin: str) -> Result:
    held = f"{args[0]}/held"
    if held in host.files:
        return NO
    host.files[held], host.touched[held] = stdin, fleet.now_s
    return OK


def _show(fleet: Fleet, host: SimHost, args: Sequence[str], _stdin: str) -> Result:
    held = f"{args[0]}/held"
    return _text(f"{fleet.now_s - host.touched[held]}\n{host.files[held]}") if held in host.files else OK


def _is_held(host: SimHost, args: Sequence[str]) -> bool:
    return f'"token":"{args[1]}"' in host.files.get(f"{args[0]}/held", "")


def _renew(fleet: Fleet, host: SimHost, args: Sequence[str], _stdin: str) -> Result:
    if not _is_held(host, args):
        return Result(3)
    host.touched[f"{args[0]}/held"] = fleet.now_s
    return OK


def _release(_fleet: Fleet, host: SimHost, args: Sequence[str], _stdin: str) -> Result:
    if _is_held(host, args):
        del host.files[f"{args[0]}/held"], host.touched[f"{args[0]}/held"]
    return OK


def _remove_lock(fleet: Fleet, host: SimHost, args: Sequence[str], _stdin: str) -> Result:
    held = f"{args[0]}/held"
    if held not in host.files or not _is_held(host, args):
        return Result(3)
    if args[3] and fleet.now_s - host.touched[held] < int(args[3]):
        return Result(3)
    return _release(fleet, host, args, "")


_SCRIPTS: dict[str, Callable[[Fleet, SimHost, Sequence[str], str], Result]] = {
    APPEND_SCRIPT: _append,
    TAIL_SCRIPT: _tail,
    PIECE_SCRIPT: _piece,
    UPLOAD_SCRIPT: _upload,
    WAIT_SCRIPT: _wait,
    FREE_SCRIPT: lambda *_: _text("Filesystem 1024-blocks Used Available Capacity Mounted on\nsim 9 1 8 11% /\n"),
    lock.TAKE_SCRIPT: _take,
    lock.SHOW_SCRIPT: _show,
    lock.RENEW_SCRIPT: _renew,
    lock.RELEASE_SCRIPT: _release,
    lock.REMOVE_SCRIPT: _remove_lock,
    STATE_SCRIPT: lambda *_: OK,
}


def _start(_fleet: Fleet, host: SimHost, args: Sequence[str]) -> Result:
    role, release, kind = args
    if host.releases.get(release) != "whole":
        return Result(1, stderr=f"{release} is not whole".encode())
    if (role, release) in host.running:
        return Result(125, stderr=f"the name {role}-{release} is in use".encode())
    host.running[role, release] = kind
    return OK


def _ensure_started(fleet: Fleet, host: SimHost, args: Sequence[str]) -> Result:
    return OK if (args[0], args[1]) in host.running else _start(fleet, host, args)


def _stop(_fleet: Fleet, host: SimHost, args: Sequence[str]) -> Result:
    host.running.pop((args[0], args[1]), None)
    return OK


def _unpack(_fleet: Fleet, host: SimHost, args: Sequence[str]) -> Result:
    host.releases.setdefault(args[0], "partial")
    return OK


def _complete(_fleet: Fleet, host: SimHost, args: Sequence[str]) -> Result:
    if args[0] not in host.releases:
        return NO
    host.releases[args[0]] = "whole"
    return OK


def _remove(_fleet: Fleet, host: SimHost, args: Sequence[str]) -> Result:
    if any(release == args[0] for _, release in host.running):
        return Result(1, stderr=f"{args[0]} runs".encode())
    host.releases.pop(args[0], None)
    return OK


def _switch(_fleet: Fleet, host: SimHost, args: Sequence[str]) -> Result:
    if args[1]:
        host.live[args[0]] = args[1]
    else:
        host.live.pop(args[0], None)
    return OK


def _one_off(fleet: Fleet, host: SimHost, args: Sequence[str], stdin: str) -> Result:
    """A release that is asked, or that applies what it is told to: what is recorded as applied is passed over."""
    release, *argv = args
    if host.releases.get(release) != "whole":
        return NO
    for _, name in json.loads(argv[2])["keys"] if len(argv) > 2 else ():
        fleet.applied.setdefault(name, 1)
    if token := _PROBE.search(stdin):
        begin, end = markers(token[1])
        body = {"where": {}, "databases": fleet.databases, "end": {"whole": True}}
        return _text(f"\n{begin}\n{json.dumps(body)}\n{end}\n")
    return OK


def _look(_fleet: Fleet, host: SimHost, _args: Sequence[str]) -> Result:
    body = {"releases": host.releases, "running": sorted(host.running), "live": host.live}
    return _text(json.dumps(body))


def _ready(_fleet: Fleet, host: SimHost, args: Sequence[str]) -> Result:
    host.ready.add(args[0])
    return OK


_VERBS: dict[str, Callable[[Fleet, SimHost, Sequence[str]], Result]] = {
    "make-ready": _ready,
    "is-ready": lambda _f, h, a: _yes(a[0] in h.ready),
    "unpack": _unpack,
    "complete": _complete,
    "is-whole": lambda _f, h, a: _yes(h.releases.get(a[0]) == "whole"),
    "remove": _remove,
    "is-gone": lambda _f, h, a: _yes(a[0] not in h.releases),
    "start": _start,
    "ensure-started": _ensure_started,
    "is-healthy": lambda f, h, a: _yes(f.is_healthy(h.name, a[0], a[1])),
    "stop": _stop,
    "is-stopped": lambda _f, h, a: _yes((a[0], a[1]) not in h.running),
    "switch": _switch,
    "is-live": lambda _f, h, a: _yes(h.live.get(a[0], "") == a[1]),
    "drain": lambda _f, _h, _a: OK,
    "look": _look,
}
