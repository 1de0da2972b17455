"""A Django project with two releases prepared on this machine, for the contract tests of runtimes."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from shipway.core.action import Command
from shipway.core.layout import Layout
from shipway.core.logs import LogsAsked
from shipway.core.secret import SecretRef
from shipway.core.unit import HealthCheck, Unit
from shipway.runtimes.base import Release
from shipway.runtimes.venv import Systemd, Venv, VenvSettings
from tests.absent import IS_CI
from tests.contract.host import Host, temporary_host
from tests.contract.project import FILES, commit, new_repository

SECRET = 'sec\'ret $HOME\n"%(x)s" `id` ; # \\'
PROGRAMS = Path(sys.executable).parent
# Units of the machine are not for everybody's machine: tests/lab/test_systemd_contract.py asks for them on a server.
KEEPERS = ("systemd",) if os.environ.get("SHIPWAY_TEST_KEEPER") == "systemd" else ("supervisor",)
HEALTH = HealthCheck(path="/up", host="shop.example", limit_s=20.0, interval_s=0.2)


@dataclass
class Site:
    host: Host
    layout: Layout
    runtime: Venv
    releases: dict[str, Release]

    def unit(self, release: str, role: str = "web", **changes: object) -> Unit:
        unit = Unit(
            service="shop",
            role=role,
            host="here",
            release=release,
            version=self.releases[release].version,
            kind="web" if role == "web" else "worker",
            cmd="python -m gunicorn shop.wsgi --workers 1" if role == "web" else "python worker.py",
            proxied=role == "web",
            stop_s=10.0,
            health=HEALTH if role == "web" else None,
            env=(
                ("SECRET_KEY", (SecretRef("KEY"),)),
                ("PYTHONPATH", (sysconfig.get_path("purelib"),)),
                ("ODD", ("a 'b' $c\n%d ; # e",)),
            ),
        )
        return replace(unit, **changes)  # type: ignore[arg-type]

    def start(self, unit: Unit) -> None:
        for step in self.runtime.start_steps(unit):
            self.host.step(step)

    def stop(self, unit: Unit) -> None:
        for step in self.runtime.stop_steps(unit):
            self.host.step(step)

    def running(self) -> set[tuple[str, str]]:
        answers = {name: self.host.run(command) for name, command in self.runtime.probes().items()}
        return set(self.runtime.parse(answers).running)

    def pid(self, unit: Unit) -> int:
        path = Path(self.layout.run_dir) / f"{unit.role}-{unit.release}.pid"
        return int(path.read_text().split()[0]) if path.exists() else 0

    def get(self, unit: Unit, path: str) -> str:
        code = "import sys, socket; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
        code += " s.sendall(b'GET %s HTTP/1.0\\r\\nHost: shop.example\\r\\n\\r\\n' % sys.argv[2].encode());"
        code += " print(s.makefile('rb').read().decode())"
        return self.host.run(Command((sys.executable, "-c", code, self.layout.socket("web", unit.release), path))).text

    def keeper_pid(self) -> int:
        return int((Path(self.layout.keeper) / "supervisord.pid").read_text())


@contextlib.contextmanager
def built_site(keeper: str = "supervisor") -> Iterator[Site]:
    """A host with two releases prepared, kept by `keeper`."""
    path = f"{PROGRAMS}:{os.environ['PATH']}"
    with temporary_host(path, {"KEY": SECRET}) as host:
        repository = new_repository(host.root / "repository")
        layout = Layout(root=str(host.root / "state"), service="shop")
        settings = VenvSettings(
            settings_module="shop.settings",
            wsgi="shop.wsgi",
            python=str(Path(sys.base_prefix) / "bin" / "python3"),
            static_root="staticfiles",
            media_root="media",
            shared=("db.sqlite3", "data/"),
        )
        runtime = Venv(layout, "here", settings, Systemd(layout, "root", "root") if keeper == "systemd" else None)
        first = commit(repository, FILES)
        second = commit(repository, {"assets/site.css": "body { color: white }"})
        made = Site(
            host, layout, runtime, {n: Release(n, v, str(repository)) for n, v in (("r1", first), ("r2", second))}
        )
        for step in runtime.host_steps():
            host.step(step)
        for name, release in made.releases.items():
            for step in runtime.prepare_steps(release, [made.unit(name), made.unit(name, "worker")]):
                host.step(step)
        yield made


@contextlib.contextmanager
def stopped_afterwards(site: Site) -> Iterator[Site]:
    """Yield `site`; stop every unit afterwards, by the runtime's own means."""
    yield site
    for release in ("r1", "r2"):
        for role in ("web", "worker"):
            site.stop(site.unit(release, role))
    assert site.running() == set()


needs_programs = pytest.mark.skipif(
    not IS_CI and (not (PROGRAMS / "supervisord").exists() or shutil.which("git") is None),
    reason="needs supervisor and git",
)


def commands(host: Host) -> list[str]:
    """Return the command lines of all processes that work in this host's directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if str(host.root) in str((entry / "cwd").readlink()):
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
    return found


def log_of(shop: Site, unit: Unit) -> str:
    return shop.host.run(shop.runtime.log_command(unit, LogsAsked(50))).text
