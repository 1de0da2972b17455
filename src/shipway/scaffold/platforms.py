"""The processes that other platforms' files name: Procfile, fly.toml, render.yaml, heroku.yml, compose files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shipway.django.commands import COMPOSE_PRODUCTION, PROCFILE, SCRIPT
from shipway.django.compose import load_yaml
from shipway.django.fact import Place
from shipway.django.processes import Processes
from shipway.django.requirements import read_toml, table
from shipway.django.tree import Sources, line_of

_MAX_PROCESSES = 20


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a platform: its name there, its command line, where it stands."""

    name: str
    command: str
    place: Place


def named_processes(sources: Sources, processes: Processes) -> Iterator[list[Process]]:
    """Give the processes of each file that names some, the file that tells most of production first."""
    yield _procfile(processes)
    for path in processes.platforms:
        text = sources.text(path)
        if path.endswith("fly.toml"):
            found = _texts(table(read_toml(sources, path), "processes"))
        elif path.endswith(("render.yaml", "render.yml")):
            found = _render(load_yaml(text))
        elif path.endswith("heroku.yml"):
            document = load_yaml(text)
            run = document.get("run") if isinstance(document, dict) else None
            found = _texts(run) if isinstance(run, dict) else []
        else:
            continue
        yield [Process(name, command, _place(path, text, command)) for name, command in found[:_MAX_PROCESSES]]
    yield _compose(processes)


def _procfile(processes: Processes) -> list[Process]:
    return [
        Process(one.role, one.text, one.place)
        for one in processes.commands
        if one.weight == PROCFILE and one.place.file == processes.procfile
    ][:_MAX_PROCESSES]


def _compose(processes: Processes) -> list[Process]:
    names = {service.name for service in processes.services}
    return [
        Process(one.role, one.text, one.place)
        for one in processes.commands
        if one.role in names and SCRIPT - 20 < one.weight <= COMPOSE_PRODUCTION
    ][:_MAX_PROCESSES]


def _texts(found: dict[str, object]) -> list[tuple[str, str]]:
    pairs = []
    for name, value in found.items():
        command = value.get("command") if isinstance(value, dict) else value
        words = " ".join(map(str, command)) if isinstance(command, list) else command
        if isinstance(words, str) and words.strip():
            pairs.append((str(name), words.strip()))
    return pairs


def _render(document: object) -> list[tuple[str, str]]:
    services = document.get("services") if isinstance(document, dict) else None
    found = []
    for one in services if isinstance(services, list) else ():
        command = (one.get("startCommand") or one.get("dockerCommand")) if isinstance(one, dict) else None
        kind = str(one.get("type")) if isinstance(one, dict) else ""
        # A cron job is no process: it runs and ends.
        if isinstance(command, str) and command.strip() and kind != "cron":
            found.append(("web" if kind in ("web", "pserv") else str(one.get("name") or kind), command.strip()))
    return found


def _place(path: str, text: str, command: str) -> Place:
    words = re.split(r"\s+", command)[:3]
    at = next((text.find(line) for line in text.splitlines() if all(word in line for word in words)), -1)
    return Place(path, line_of(text, at) if at >= 0 else 0)
