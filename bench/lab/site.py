"""The example in containers as a project of an operator: committed, set up, deployed, and watched from outside."""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from bench.lab.distance import Way
from tests.lab.fixtures import Lab, LabHost

ROOT = Path(__file__).parents[2]
NAME = "pier.example.org"
SECRETS = {
    "PIER_SECRET_KEY": "a-key-of-the-bench-and-of-nobody-else-0123456789abcdef",
    "PIER_POSTGRES_PASSWORD": "bench-postgres",
}


@dataclass(frozen=True)
class Timed:
    """A deploy: until the command ended, and until the new release first answered."""

    took_s: float
    serves_s: float


class Site:
    """The project in a temporary directory. Ends with the servers wiped."""

    def __init__(self, lab: Lab, hosts: Sequence[LabHost], way: Way, folder: Path, registry: str) -> None:
        self.lab, self.hosts, self.way, self.registry = lab, tuple(hosts), way, registry
        self.folder = folder / "pier"
        registry_password = {"PIER_REGISTRY_PASSWORD": lab.registry.password}
        self.environment = {**lab.environment, **SECRETS, **registry_password, "PYTHONPATH": str(ROOT / "src")}

    def __enter__(self) -> Self:
        ignored = shutil.ignore_patterns("__pycache__", "*.sqlite3")
        shutil.copytree(ROOT / "examples" / "pier", self.folder, ignore=ignored)
        path = self.folder / "config" / "deploy.yml"
        path.write_text(yaml.safe_dump(self._config(yaml.safe_load(path.read_text())), sort_keys=False))
        self._git("init", "-q", "-b", "main")
        self._commit("The pier")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            for host in self.hosts:
                host.wipe()

    def _config(self, config: dict[str, Any]) -> dict[str, Any]:
        names = [host.name for host in self.hosts]
        config["servers"] = {"web": names, "worker": {**config["servers"]["worker"], "hosts": names}}
        config["ssh"] = {"config": self.way.ssh_config, "user": "root"}
        for accessory in config["accessories"].values():
            accessory["host"] = names[0]
        if len(names) > 1:
            self._publish(config)
        if self.registry == "none":
            config["registry"] = "none"
        else:
            config["registry"] = {"server": self.way.registry, "username": self.lab.registry.username, "password": ["REGISTRY_PASSWORD"]}  # fmt: skip  # noqa: E501
        return config

    def _publish(self, config: dict[str, Any]) -> None:
        """Let the other servers reach the accessories, by ports of the first one."""
        config["accessories"]["db"]["port"] = "5432"
        config["accessories"]["redis"]["port"] = "6379"
        config["env"]["clear"]["REDIS_URL"] = f"redis://{self.hosts[0].address}:6379/0"
        secrets = self.folder / ".kamal" / "secrets"
        secrets.write_text(secrets.read_text().replace("@pier-db/", f"@{self.hosts[0].address}/"))

    def _git(self, *words: str) -> str:
        who = ("-c", "user.name=Bench", "-c", "user.email=bench@example.org")
        return subprocess.run(("git", *who, *words), cwd=self.folder, check=True, capture_output=True, text=True).stdout

    def _commit(self, message: str) -> None:
        self._git("add", "-A")
        self._git("commit", "-q", "-m", message)

    @property
    def version(self) -> str:
        return self._git("rev-parse", "HEAD").strip()

    def commit_change(self, number: int) -> None:
        """Change one file of the project, and commit."""
        path = self.folder / "parcels" / "templates" / "parcels" / "list.html"
        path.write_text(path.read_text().replace("</body>", f"  <!-- change {number} -->\n</body>"))
        self._commit(f"Change {number}")

    def shipway(self, *words: str) -> str:
        """Run the command as an operator does; a failure ends the bench."""
        done = subprocess.run(
            (sys.executable, "-m", "shipway", *words), cwd=self.folder, env=self.environment, text=True,
            capture_output=True, stdin=subprocess.DEVNULL, check=False, timeout=600,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"shipway {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def setup(self) -> None:
        self.shipway("setup")

    def deploy(self) -> Timed:
        return self._watched("deploy")

    def rollback(self, release: str) -> float:
        return self._watched("rollback", release).took_s

    def _watched(self, *words: str) -> Timed:
        before = self.release()
        served: list[float] = []
        ended = threading.Event()
        begun = time.monotonic()
        watcher = threading.Thread(target=self._watch, args=(before, begun, served, ended), daemon=True)
        watcher.start()
        self.shipway(*words)
        took_s = time.monotonic() - begun
        ended.set()
        watcher.join(5)
        return Timed(took_s, served[0] if served else float("nan"))

    def _watch(self, before: str, begun: float, served: list[float], ended: threading.Event) -> None:
        while not ended.wait(0.05):
            if self.release() not in ("", before):
                served.append(time.monotonic() - begun)
                return

    def release(self) -> str:
        """The release that answers on the first host, "" when none does."""
        connection = http.client.HTTPConnection(self.hosts[0].address, 80, timeout=5)
        try:
            connection.request("GET", "/up", headers={"Host": NAME})
            return connection.getresponse().getheader("X-Release", "")
        except OSError:
            return ""
        finally:
            connection.close()


def workplace() -> tempfile.TemporaryDirectory[str]:
    """A directory for one bench."""
    return tempfile.TemporaryDirectory(prefix="shipway-bench-", dir=os.environ.get("TMPDIR"))
