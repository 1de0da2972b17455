"""Reads what `host.sh probe` printed. The answer comes from a host, so every line is checked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from shipway.core.errors import Finding
from shipway.core.ports import Result
from shipway.core.unit import KAMAL
from shipway.runtimes.base import RuntimeFacts
from shipway.runtimes.schedule import parse_schedule

MAX_BYTES = 1 << 20

_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_RELEASE = re.compile(rf"release ({_NAME}) ({_TAG})?\Z")
_LEFTOVER = re.compile(rf"leftover ({_NAME})\Z")
_CONTAINER = re.compile(rf"container ([A-Za-z0-9][A-Za-z0-9_.-]{{0,254}}) ({_NAME}) ({_NAME})?/(\w{{1,20}})")
_IMAGE = re.compile(rf"image ({_TAG})\Z")
_TOOL = re.compile(r"tool ([a-z0-9]{1,20}) (/[^\x00-\x1f\x7f]{1,400})\Z")
_ALIVE = frozenset({"Up", "Restarting"})


@dataclass(slots=True)
class _Answer:
    whole: dict[str, str] = field(default_factory=dict)
    leftovers: list[str] = field(default_factory=list)
    containers: list[tuple[str, str, str, bool]] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    tools: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    words: set[str] = field(default_factory=set)
    schedule: str = ""


def parse_probe(result: Result | None, *, service: str, destination: str) -> RuntimeFacts:
    """Return the facts that the probe's lines tell; lines that are not of its forms are passed over.

    A release is whole when it was marked so and its image is still there, or a container of it. What Kamal runs is a
    release `kamal-<version>`.
    """
    answer = _read(result.stdout[:MAX_BYTES].decode("utf-8", "replace") if result else "")
    running: set[tuple[str, str]] = set()
    made: set[str] = set()
    kamals: set[str] = set()
    for name, role, labelled, is_alive in answer.containers:
        release = labelled or _of_kamal(name, role, service, destination)
        if not release:
            continue
        (made if labelled else kamals).add(release)
        if is_alive:
            running.add((role, release))
    answers = "answers" in answer.words
    whole = [r for r, version in answer.whole.items() if not answers or version in answer.tags or r in made]
    known = {*answer.whole, *answer.leftovers}
    leftovers = {*answer.leftovers, *(r for r in answer.whole if r not in whole)}
    leftovers |= {r for r in made - known if r not in {release for _, release in running}}
    schedule, schedule_hosts = parse_schedule(answer.schedule)
    return RuntimeFacts(
        schedule=schedule,
        schedule_hosts=schedule_hosts,
        releases=tuple(sorted({*whole, *kamals}, key=_natural)),
        leftovers=tuple(sorted(leftovers, key=_natural)),
        running=frozenset(running),
        is_keeper_up=answers,
        tools=answer.tools,
        is_settled="settled" in answer.words,
        trouble=_trouble(result, answer),
    )


def _read(text: str) -> _Answer:
    answer = _Answer()
    for line in text.split("\n"):
        if match := _RELEASE.match(line):
            answer.whole[match[1]] = match[2] or ""
        elif match := _LEFTOVER.match(line):
            answer.leftovers.append(match[1])
        elif match := _CONTAINER.match(line):
            answer.containers.append((match[1], match[2], match[3] or "", match[4] in _ALIVE))
        elif match := _IMAGE.match(line):
            answer.tags.add(match[1])
        elif match := _TOOL.match(line):
            answer.tools[match[1]] = match[2]
        elif line.startswith("trouble "):
            answer.said.append(line.removeprefix("trouble ")[:300])
        elif line.startswith("schedule "):
            answer.schedule = line
        elif line in ("settled", "answers"):
            answer.words.add(line)
    return answer


def _of_kamal(name: str, role: str, service: str, destination: str) -> str:
    prefix = "-".join(filter(None, (service, role, destination))) + "-"
    version = name.removeprefix(prefix)
    return f"{KAMAL}{version}" if version != name and re.fullmatch(_TAG, version) else ""


def _trouble(result: Result | None, answer: _Answer) -> tuple[Finding, ...]:
    """Return why nothing can be run on this host, as a finding with the command that helps."""
    if result is None:
        return ()
    if not result.ok:  # an engine that hangs: the question was ended by its limit
        what = "Docker did not answer in time"
        return (Finding("docker.stopped", what, next="`systemctl restart docker` on the host"),)
    if "answers" in answer.words:
        missing = "python3" not in answer.tools
        return (Finding("python.missing", "Python 3 is not installed", next="`shipway setup`"),) if missing else ()
    if "docker" not in answer.tools:
        return (Finding("docker.missing", "Docker is not installed", next="`shipway setup`"),)
    said = " ".join(answer.said[-3:])
    if "permission denied" in said.lower():
        what = "this user may not use Docker (no permission on its socket)"
        return (Finding("docker.no_permission", what, next="`shipway setup` adds the user to the group docker"),)
    what = f"Docker does not answer: {said}" if said else "Docker does not answer"
    return (Finding("docker.stopped", what, next="`shipway setup` starts it; `systemctl status docker` tells more"),)


def _natural(name: str) -> tuple[int, str]:
    """Sort r2 before r10."""
    digits = re.fullmatch(r"r(\d{1,9})", name)
    return (int(digits[1]) if digits else -1, name)
