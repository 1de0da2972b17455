"""What a Docker engine leaves in the machine's packet filter when it ends, taken out again."""

from __future__ import annotations

import json
from pathlib import Path

from tests.lab.places import Places
from tests.lab.shell import ask, run, write

_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
_OURS = ("DOCKER", "docker0", "shipway-lab")
_POLICY = ":FORWARD "


def remember(places: Places) -> None:
    """Note how things are before the engine's first start; not where an engine's rules are there already."""
    note = places.engine / "before.json"
    rules = ask(("iptables-save",)).out
    if note.exists() or ":DOCKER" in rules:
        return
    forward = next((line for line in rules.splitlines() if line.startswith(_POLICY)), f"{_POLICY}ACCEPT")
    noted = {"forward": forward.split()[1], "ip_forward": _FORWARDING.read_text().strip()}
    write(note, json.dumps(noted))


def restore(places: Places) -> None:
    """Take the engine's rules, its bridge and its settings out; rules of others stay."""
    note = places.engine / "before.json"
    if not note.exists():
        return
    before = json.loads(note.read_text())
    kept = []
    for line in ask(("iptables-save", "-c")).out.splitlines():
        if line.startswith(_POLICY):
            # The policy is the second word: ":FORWARD DROP [12:3456]".
            kept.append(" ".join([line.split()[0], before["forward"], *line.split()[2:]]))
        elif not any(word in line for word in _OURS):
            kept.append(line)
    text = "\n".join([*kept, ""])
    run(("iptables-restore", "-c"), "the packet filter's rules were not restored", stdin=text)
    ask(("ip", "link", "delete", "docker0"))
    _FORWARDING.write_text(before["ip_forward"])
    note.unlink()
