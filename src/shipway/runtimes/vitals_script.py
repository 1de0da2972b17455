"""Tells how the processes of a service are on this host. Python 3.9, standard library; everything is only read.

    python3 -I -S - JSON < vitals_script.py

JSON: `kind` (docker, systemd, supervisor), what that needs to find the units, and `watched`: regular expressions by
name, for command lines of processes of the service. Prints one line of JSON between two marks. No command line leaves
the host, since people write passwords there.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from typing import Any

LIMIT_S = 20
FORMAT = (
    '{"id":{{json .Id}},"name":{{json .Name}},"labels":{{json .Config.Labels}},"host":{{json .Config.Hostname}},'
    '"pid":{{json .State.Pid}},"running":{{json .State.Running}},"again":{{json .State.Restarting}},'
    '"oom":{{json .State.OOMKilled}},"code":{{json .State.ExitCode}},"restarts":{{json .RestartCount}},'
    '"limit":{{json .HostConfig.Memory}}}'
)
PROPERTIES = ("ActiveState", "SubState", "Result", "MainPID", "NRestarts", "ControlGroup", "MemoryMax")
MOUNT = "/sys/fs/cgroup"
OWNED = re.compile(r"(?:[0-9a-f]{64})")


def ran(words: list[str]) -> str:
    """Return what a program printed, "" where it failed."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False, timeout=LIMIT_S)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def read(path: str) -> str:
    """Return the text of a file, "" for one that is not there (any more)."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 20)
    except OSError:
        return ""


def docker_units(conf: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the containers of the service, with what Docker knows of each."""
    labels = [f"--filter=label=service={conf['service']}", f"--filter=label=destination={conf['destination']}"]
    ids = ran(["docker", "ps", "--all", "--quiet", "--no-trunc", *labels]).split()
    found = []
    for line in ran(["docker", "container", "inspect", "--format", FORMAT, *ids]).splitlines() if ids else ():
        body = json.loads(line)
        mine = body["labels"] or {}
        runs = bool(body["running"]) and not body["again"]
        unit = {
            "role": mine.get("role", ""), "release": mine.get("release", ""), "name": body["name"].lstrip("/"),
            "machine": body["host"], "id": body["id"], "running": runs, "pid": body["pid"] if runs else 0,
            "restarts": body["restarts"], "limit": body["limit"],
        }  # fmt: skip
        if not runs:
            unit["said"] = f"exited with {body['code']}" + (", out of memory" if body["oom"] else "")
        found.append(unit)  # one of a single command too: what runs in it is the service's
    return found


def kept_units(conf: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the programs that a keeper has, by their process files; systemd is asked what it knows besides."""
    found = []
    for one in conf["units"]:
        first = read(one["pidfile"]).split("\n")
        pid = int(first[0]) if len(first) > 1 and first[0].isdigit() else 0
        runs = bool(pid) and stat(pid)[:1] not in ([], ["Z"]) and stat(pid)[19] == first[1].strip()
        unit = {**one, "machine": socket.gethostname(), "running": runs, "pid": pid if runs else 0}
        if conf["kind"] == "systemd":
            ask_systemd(conf["scope"], unit)
        elif not runs:
            unit["said"] = "its process is gone"
        found.append(unit)
    return found


def ask_systemd(scope: str, unit: dict[str, Any]) -> None:
    """Write what systemd knows of a unit into it."""
    words = ["systemctl", *(["--user"] if scope == "user" else []), "show", unit["name"]]
    if scope == "user":
        os.environ.setdefault("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
    told = dict(
        line.partition("=")[::2] for line in ran([*words, *(f"--property={p}" for p in PROPERTIES)]).split("\n")
    )
    unit["restarts"] = int(told["NRestarts"]) if told.get("NRestarts", "").isdigit() else -1
    unit["group"] = told.get("ControlGroup", "")
    unit["limit"] = int(told["MemoryMax"]) if told.get("MemoryMax", "").isdigit() else 0
    if not unit["running"]:
        unit["said"] = f"{told.get('ActiveState', 'unknown')} ({told.get('SubState', '')}, {told.get('Result', '')})"


def stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name: the state is the first, the start time the twentieth."""
    return read(f"/proc/{pid}/stat").rpartition(")")[2].split()


def began(pid: int) -> float:
    """Return when a process began, in seconds since 1970."""
    fields = stat(pid)
    return booted() + int(fields[19]) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def booted() -> float:
    """Return when the kernel began, in seconds since 1970."""
    up = read("/proc/uptime").split()
    return time.time() - float(up[0]) if up else 0.0


def processes() -> dict[int, dict[str, Any]]:
    """Return every process that can be seen: its parent, command line, working directory and control groups."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = stat(int(name))
            if fields:
                line = read(f"/proc/{name}/cmdline").replace("\0", " ")
                found[int(name)] = {"parent": int(fields[1]), "line": line, "groups": read(f"/proc/{name}/cgroup")}
    return found


def assign(units: list[dict[str, Any]], everything: dict[int, dict[str, Any]], conf: dict[str, Any]) -> None:
    """Write into each unit which processes are its own, and into each process of the service its unit, "" for none."""
    ids = {unit["id"]: unit for unit in units if "id" in unit}
    for unit in units:
        unit["pids"] = []
    for pid, process in everything.items():
        owner = next((ids[found] for found in OWNED.findall(process["groups"]) if found in ids), None)
        if owner is None and conf["kind"] != "docker":
            owner = above(pid, units, everything)
        if owner is not None:
            process["unit"] = owner["name"]
            owner["pids"].append(pid)
        elif conf.get("home") and f"{conf['home']}/releases/" in process["line"]:
            process["unit"] = ""


def above(pid: int, units: list[dict[str, Any]], everything: dict[int, dict[str, Any]]) -> Any:
    """Return the unit whose first process is `pid` or one that started it."""
    heads = {unit["pid"]: unit for unit in units if unit["pid"]}
    for _ in range(64):
        if pid in heads:
            return heads[pid]
        if pid not in everything:
            return None
        pid = everything[pid]["parent"]
    return None


def group_of(unit: dict[str, Any], everything: dict[int, dict[str, Any]]) -> str:
    """Return the directory of a unit's control group (version 2), "" where it has none of its own."""
    if unit.get("group"):
        return MOUNT + str(unit["group"])
    line = everything.get(unit["pid"], {}).get("groups", "")
    path: str = next((str(one[3:]) for one in line.split("\n") if one.startswith("0::")), "")
    return MOUNT + path if path and unit.get("id", "-") in path else ""


def measure(unit: dict[str, Any], everything: dict[int, dict[str, Any]]) -> None:
    """Write when a unit began, what memory it uses, and how many of its processes were killed for it."""
    unit["started"] = began(unit["pid"]) if unit["pid"] else 0
    group = group_of(unit, everything)
    kills = re.search(r"^oom_kill (\d+)", read(f"{group}/memory.events"), re.MULTILINE) if group else None
    used = re.search(r"^anon (\d+)", read(f"{group}/memory.stat"), re.MULTILINE) if group else None
    unit["oom_kills"] = int(kills.group(1)) if kills else -1
    unit["memory"] = int(used.group(1)) if used else proportional(unit["pids"])


def proportional(pids: list[int]) -> int:
    """Return the memory of processes, what they share counted once, in bytes; -1 where we may not look."""
    found = [re.search(r"^Pss:\s+(\d+) kB", read(f"/proc/{pid}/smaps_rollup"), re.MULTILINE) for pid in pids]
    return sum(int(one.group(1)) for one in found if one) * 1024 if any(found) else -1


def watch(everything: dict[int, dict[str, Any]], patterns: dict[str, str]) -> list[list[str]]:
    """Return (name of the pattern, unit) of each process of the service that matches, the uppermost of each tree."""
    found = []
    for name, pattern in patterns.items():
        hits = {pid for pid, one in everything.items() if "unit" in one and re.search(pattern, one["line"])}
        found += [[name, everything[pid]["unit"]] for pid in sorted(hits) if everything[pid]["parent"] not in hits]
    return found


def main(conf: dict[str, Any]) -> None:
    """Print the answer."""
    units = docker_units(conf) if conf["kind"] == "docker" else kept_units(conf)
    everything = processes()
    everything.pop(os.getpid(), None)
    assign(units, everything, conf)
    for unit in units:
        measure(unit, everything)
        for name in ("id", "group", "pidfile"):
            unit.pop(name, None)
    answer = {"machine": socket.gethostname(), "now": time.time(), "booted": booted(), "units": units}
    answer["watched"] = watch(everything, conf["watched"])
    sys.stdout.write(f"\nSHIPWAY VITALS {json.dumps(answer, ensure_ascii=True)}\n")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
