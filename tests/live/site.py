"""The harbour as a service of a machine, changed and deployed with the command that a user types."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from shipway.app.demo.project import examples, run_git
from tests.live.machine import Answer, Machine, wait_until

LIMIT_S = 150.0
"""Of one command: many times what it needs on a busy machine."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended: `events`, `report` and `error` are what `--json` said."""

    code: int
    out: str
    err: str
    events: tuple[dict[str, Any], ...] = ()
    report: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return f"exit {self.code}\n{self.out[-6000:]}\n{self.err[-3000:]}"


@dataclass(frozen=True)
class Site:
    """`directory` is the project on the developer's side, `service` its name and, with `.test`, its host name."""

    machine: Machine
    service: str
    directory: Path

    @property
    def host(self) -> str:
        return f"{self.service}.test"

    @property
    def home(self) -> Path:
        return self.machine.state / self.service

    def __call__(self, *words: str, env: dict[str, str] | None = None, within: Sequence[str] = ()) -> Ran:
        """Run `shipway` to its end; `within` are the words of a program that starts it."""
        with self.start(*words, env=env, within=within) as running:
            return running.wait()

    def deploy(self) -> Ran:
        return self("deploy", "--json")

    @contextmanager
    def start(self, *words: str, env: dict[str, str] | None = None, within: Sequence[str] = ()) -> Iterator[Running]:
        """Start `shipway`; whatever is left of it at the end of the block is killed."""
        running = Running(self.directory, words, env or {}, within=within)
        try:
            yield running
        finally:
            running.kill()

    def get(self, path: str = "/up") -> Answer:
        return self.machine.get(self.host, path)

    def write(self, path: str, text: str) -> None:
        (self.directory / path).parent.mkdir(parents=True, exist_ok=True)
        (self.directory / path).write_text(text)

    def append(self, path: str, text: str) -> None:
        with (self.directory / path).open("a") as file:
            file.write(text)

    def commit(self) -> None:
        run_git(self.directory, "add", "--all")
        run_git(self.directory, "commit", "--quiet", "--allow-empty", "-m", "Change")

    def configure(self, change: Callable[[dict[str, Any]], object]) -> None:
        path = self.directory / "config" / "deploy.yml"
        config = yaml.safe_load(path.read_text())
        change(config)
        path.write_text(yaml.safe_dump(config, sort_keys=False))

    def clone(self, directory: Path) -> Site:
        """Return the same service with a project of its own, to be changed freely."""
        shutil.copytree(self.directory, directory, symlinks=True)
        return replace(self, directory=directory)

    def trace(self) -> dict[str, object]:
        """Return what a run that was taken back must leave as it was; its plan and its logs stay, to tell why."""
        home, state = self.home, self.machine.state
        places = (home / "releases", home / "run", home / "lock", state / "keeper" / "programs",
                  state / "proxy" / "live" / self.service, state / "proxy" / "new")  # fmt: skip
        listed = {str(place.relative_to(state)): _names(place) for place in places}
        live = state / "proxy" / "live" / self.service / "web"
        return {**listed, "live": live.read_text(), "units": dict(self.machine.units(self.service))}

    def serving(self) -> str:
        """Return the release that serves, and nothing runs beside."""
        release = self.get().release
        self.assert_serves(release)
        return release

    def is_whole(self) -> bool:
        try:
            self.serving()
        except AssertionError:
            return False
        return True

    def assert_serves(self, release: str) -> None:
        """Exactly `release` runs, once in each role, and visitors are answered by it."""
        answer = self.get()
        assert (answer.status, answer.release) == (200, release), answer
        expected = {("web", release): 1, ("worker", release): 1, ("beat", release): 1}
        assert dict(self.machine.units(self.service)) == expected
        assert not (self.home / "lock" / "held").exists()


def _names(place: Path) -> list[str]:
    return sorted(entry.name for entry in place.iterdir()) if place.is_dir() else []


class Running:
    """A `shipway` that runs; its events are read as they come."""

    def __init__(
        self, directory: Path, words: Sequence[str], env: dict[str, str], *, within: Sequence[str] = ()
    ) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("SHIPWAY_", "COV_"))}
        self.process = subprocess.Popen(
            (*within, sys.executable, "-m", "shipway", *words),
            cwd=directory, env=clean | {"PYTHONPATH": os.pathsep.join(sys.path)} | env, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
        )  # fmt: skip
        self.lines: list[str] = []
        self.said: list[str] = []
        self._threads = [
            threading.Thread(target=_drain, args=(stream, kept), daemon=True)
            for stream, kept in ((self.process.stdout, self.lines), (self.process.stderr, self.said))
        ]
        for thread in self._threads:
            thread.start()

    def wait_for(self, kind: str, step: str = "", *, last: str = "") -> None:
        """Wait for the event `kind` of a step whose id holds `step`. Fails when the run ends before."""
        seen = 0

        def has_come() -> bool:
            nonlocal seen
            is_over = self.process.poll() is not None and not self._threads[0].is_alive()
            for line in self.lines[seen:]:
                seen += 1
                body = json.loads(line)
                if body.get("event") == kind and step in body.get("step", "") and last in body.get("stage", ""):
                    return True
            assert not is_over, f"it ended before {kind} {step}: {''.join(self.lines[-3:])}{''.join(self.said)}"
            return False

        wait_until(has_come, LIMIT_S)

    def signal(self, number: int = signal.SIGINT) -> None:
        self.process.send_signal(number)

    def wait(self) -> Ran:
        code = self.process.wait(LIMIT_S)
        for thread in self._threads:
            thread.join(10)
        bodies = []
        for line in self.lines:
            try:
                body = json.loads(line)
            except ValueError:
                break
            bodies.append(body if isinstance(body, dict) else {})
        last = {key: body[key] for body in bodies for key in ("report", "error") if isinstance(body.get(key), dict)}
        events = tuple(body for body in bodies if "event" in body)
        return Ran(code, "".join(self.lines), "".join(self.said), events, **last)

    def kill(self) -> None:
        """SIGKILL, as the kernel does when memory is short: nothing is said to anybody."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        for thread in self._threads:
            thread.join(10)  # a command that outlives the run holds no end of these pipes


def _drain(stream: Any, kept: list[str]) -> None:
    with stream:
        kept.extend(stream)


def new_site(machine: Machine, service: str) -> Site:
    """Lay the example out as a service of its own on `machine`. Nothing is deployed."""
    directory = machine.root / f"p-{service}"
    ignored = shutil.ignore_patterns("__pycache__", "var", "media", "staticfiles", "secret-key", ".venv")
    shutil.copytree(examples() / "harbor", directory, ignore=ignored)
    site = Site(machine, service, directory)

    def place(config: dict[str, Any]) -> None:
        config["service"] = service
        config["state_directory"] = str(machine.state)
        config["proxy"]["host"] = site.host
        config["proxy"]["run"]["http_port"] = machine.port
        config["env"]["clear"] |= {"ALLOWED_HOSTS": site.host, "WEB_CONCURRENCY": 1}

    site.configure(place)
    site.write(".kamal/secret-key", f"the-key-of-{service}-0123456789\n")
    (directory / ".kamal" / "secret-key").chmod(0o600)
    run_git(directory, "init", "--quiet")
    site.commit()
    return site
