"""Reads what `launch.sh probe` printed. The answer comes from a host, so every line is checked."""

from __future__ import annotations

import re

from shipway.core.ports import Result
from shipway.runtimes.base import RuntimeFacts
from shipway.runtimes.schedule import parse_schedule

MAX_BYTES = 1 << 20
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}"
_RELEASE = re.compile(rf"(release|leftover) ({_NAME})\Z")
_RUNNING = re.compile(rf"running ({_NAME}) ({_NAME})\Z")
_TOOL = re.compile(r"tool ([a-z0-9]{1,20}) (/[^\x00-\x1f\x7f]{1,400})\Z")


def parse_probe(result: Result | None, *, is_keeper_up: bool) -> RuntimeFacts:
    """Return the facts that the probe's lines tell; lines that are not of its forms are passed over."""
    text = result.stdout[:MAX_BYTES].decode("utf-8", "replace") if result else ""
    found: dict[str, list[str]] = {"release": [], "leftover": []}
    running: set[tuple[str, str]] = set()
    tools: dict[str, str] = {}
    for line in text.split("\n"):
        if match := _RELEASE.match(line):
            found[match[1]].append(match[2])
        elif match := _RUNNING.match(line):
            running.add((match[1], match[2]))
        elif match := _TOOL.match(line):
            tools[match[1]] = match[2]
    schedule, schedule_hosts = parse_schedule(text)
    return RuntimeFacts(
        schedule=schedule,
        schedule_hosts=schedule_hosts,
        releases=tuple(sorted(found["release"], key=_natural)),
        leftovers=tuple(sorted(found["leftover"], key=_natural)),
        running=frozenset(running),
        is_keeper_up=is_keeper_up,
        tools=tools,
    )


def _natural(name: str) -> tuple[int, str]:
    """Sort r2 before r10."""
    digits = re.search(r"\d{1,9}\Z", name)
    return (int(digits[0]) if digits else -1, name)
