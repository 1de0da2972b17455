"""The example project: where it is, a copy of it with its own git repository, and its versions."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import shipway
from shipway.core.errors import Bug, UsageError

VERSIONS: dict[str, tuple[str, ...]] = {
    "first": (),
    "crew": ("crew",),
    "unhealthy": ("crew", "unhealthy"),
    "pilots": ("crew", "pilots"),
    "no-boot": ("crew", "no-boot"),
}
"""Each version by name: the patches that make it out of the example."""

_MESSAGES = {
    "first": "Open the harbour",
    "crew": "Ask for the crew of a ship",
    "unhealthy": "Show the tides",
    "pilots": "Keep a list of pilots",
    "no-boot": "Call the pilots' service",
}
_CONFIG = "config/deploy.yml"
_LIST_PAGE = "ships/templates/ships/ship_list.html"
_GIT_LIMIT_S = 30.0
_LEFTOVERS = ("__pycache__", "*.pyc", ".*_cache", ".venv", "var", "media", "staticfiles", "secret-key")
_KEEP = frozenset({".git", ".kamal"})


def examples() -> Path:
    """Return the directory of the examples: inside an installed package, or of the repository it is edited in.

    Raises Bug when there is none.
    """
    package = Path(shipway.__file__).resolve().parent
    for place in (package / "_examples", package.parent.parent / "examples"):
        if (place / "harbor" / "manage.py").is_file():
            return place
    raise Bug("demo.no_examples", "the example project was not found in the installed package", where=str(package))


@dataclass(frozen=True, slots=True)
class Place:
    """Where the demo deploys to: the state directory of the host, and the port that the proxy listens on.

    `deploy_timeout_s` is short, since two versions of the demo are never healthy and all wait for them.
    """

    state_directory: str
    http_port: int
    deploy_timeout_s: int = 8


@dataclass(frozen=True, slots=True)
class Project:
    """A copy of the example at `path`, in a git repository of its own."""

    path: Path
    place: Place

    def commit(self, version: str) -> str:
        """Make the files be those of `version` of `VERSIONS` and commit them; return the commit."""
        self.lay_out()
        for patch in VERSIONS[version]:
            self._git("apply", "--whitespace=nowarn", str(examples() / "harbor-versions" / f"{patch}.patch"))
        return self._commit(_MESSAGES[version])

    def commit_change(self, number: int) -> str:
        """Commit a small visible change of the list page to whatever is there; return the commit."""
        page = self.path / _LIST_PAGE
        text = page.read_text("utf-8")
        page.write_text(re.sub(r"<h1>[^<]*</h1>", f"<h1>Ships in port, edition {number}</h1>", text, count=1), "utf-8")
        return self._commit(f"Print edition {number}")

    def lay_out(self) -> None:
        """Make the files be those of the example, placed. What git and Shipway keep there stays."""
        for entry in self.path.iterdir():
            if entry.name not in _KEEP:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        ignore = shutil.ignore_patterns(*_LEFTOVERS)
        shutil.copytree(examples() / "harbor", self.path, ignore=ignore, dirs_exist_ok=True)
        config = self.path / _CONFIG
        config.write_text(placed(config.read_text("utf-8"), self.place), "utf-8")

    def _commit(self, message: str) -> str:
        self._git("add", "--all")
        self._git("commit", "--quiet", "--allow-empty", "-m", message)
        return self._git("rev-parse", "HEAD")

    def _git(self, *words: str) -> str:
        return run_git(self.path, *words)


def placed(config: str, place: Place) -> str:
    """Return the text of deploy.yml with the values of `place`."""
    values = {
        "state_directory": place.state_directory,
        "http_port": place.http_port,
        "deploy_timeout": place.deploy_timeout_s,
    }
    for key, value in values.items():
        before, found, rest = config.partition(f"{key}:")
        if not found:
            raise Bug("demo.config", f"`{key}` was not found in the example's deploy.yml")
        # A JSON string is a YAML string, whatever it holds.
        config = f"{before}{found} {json.dumps(value)}\n{rest.partition(chr(10))[2]}"
    return config


def unpack(path: Path, place: Place) -> Project:
    """Put the example into the new directory `path` with a git repository and a secret key of its own.

    Raises UsageError when git is missing.
    """
    path.mkdir(parents=True)
    run_git(path, "init", "--quiet")
    project = Project(path, place)
    project.lay_out()
    key = path / ".kamal" / "secret-key"
    key.touch(mode=0o600)
    key.write_text(secrets.token_urlsafe(50) + "\n", "ascii")
    return project


def run_git(path: Path, *words: str) -> str:
    """Run git in `path`, with an author of its own and without any configuration of the user; return what it printed.

    Raises UsageError `demo.no_git` when there is no git, Bug when it fails.
    """
    who = {"NAME": "Shipway demo", "EMAIL": "demo@shipway.invalid"}
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env |= {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
    env |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "-C", str(path), *words]
    try:
        done = subprocess.run(command, env=env, capture_output=True, check=False, timeout=_GIT_LIMIT_S)
    except FileNotFoundError as error:
        raise UsageError("demo.no_git", "git was not found; a deploy ships a git commit", next="install git") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise Bug("demo.git_failed", f"`git {words[0]}` failed in the example", where=str(path), said=said)
    return done.stdout.decode("utf-8", "replace").strip()
