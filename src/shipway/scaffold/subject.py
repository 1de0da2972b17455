"""What is known when files are written: the project as inspection sees it, and what the user said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from shipway.config.django import check_relative
from shipway.core.errors import ConfigError, UsageError
from shipway.django.dockerfile import Dockerfile, is_development
from shipway.django.fact import UNKNOWN, Fact, Inspection, Variable
from shipway.django.facts import inspect_sources
from shipway.django.packages import Packages, read_packages
from shipway.django.processes import Processes, read_processes
from shipway.django.tree import Sources, parent

APP_PORT = 8000
NO_SERVER = "192.0.2.1"
"""An address that leads nowhere (RFC 5737), where nobody said one."""
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?::[A-Za-z_]\w*)?", re.ASCII)
_SERVICE = re.compile(r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.:-]*[A-Za-z0-9])?")
_PYTHON = re.compile(r"3\.\d{1,2}")
_URL = re.compile(r"https://[A-Za-z0-9.:_/~-]+|https://\[[0-9A-Fa-f:]+\][A-Za-z0-9.:_/~-]*")
# A path that means itself everywhere: in COPY, in a shell's word, in YAML.
_PATH = re.compile(r"[\w./@+][\w./@+ -]*")
_LAST_PYTHON = {"4.2": "3.12", "5.0": "3.12", "5.1": "3.13", "5.2": "3.13", "6.0": "3.13"}
"""A Python that each Django supports (docs.djangoproject.com, FAQ: Installation), with wheels for most packages."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user said, by options or answers; "" and None mean: nothing.

    `server` is the address of the server, `site` the name under which visitors reach the site. `acme_ca` is a
    certificate authority of one's own, `acme_root` the file of the project that it is trusted by.
    """

    service: str = ""
    server: str = ""
    site: str = ""
    runtime: Literal["docker", "venv"] = "docker"
    settings: str = ""
    python: str = ""
    accessories: bool | None = None
    health: bool = False
    proxy: Literal["caddy", "nginx"] = "caddy"
    acme_ca: str = ""
    acme_root: str = ""


@dataclass(frozen=True)
class Subject:
    """A project, read once. `directory` is the name of the directory it stands in."""

    sources: Sources
    found: Inspection
    processes: Processes
    packages: Packages
    wishes: Wishes
    directory: str

    def fact(self, name: str) -> Fact:
        """Return a fact; one that is not there is unknown."""
        return self.found.facts.get(name, UNKNOWN)

    def text(self, name: str) -> str:
        """Return a fact that is a text, else ""."""
        return self.fact(name).text

    @cached_property
    def service(self) -> str:
        """The name of the service: as the user said, else the directory's, made fit for containers."""
        name = self.wishes.service or re.sub(r"[^a-z0-9_-]+", "-", self.directory.lower()).strip("-_")
        return name or "app"

    @cached_property
    def settings(self) -> str:
        """The settings module, "" where it is not known."""
        return _module(self.wishes.settings or self.text("settings"))

    @cached_property
    def image(self) -> Dockerfile | None:
        """The Dockerfile that builds the project for production; one that is for developers is none."""
        found = self.processes.image
        return None if found is None or is_development(found.path) else found

    @cached_property
    def root(self) -> str:
        """The directory of manage.py."""
        return self.text("root") or "."

    @cached_property
    def base(self) -> str:
        """The directory that is deployed: that of manage.py where all it needs is below it, else the repository."""
        if self.root == ".":
            return "."
        frontend = self.fact("frontend").value
        needed = [parent(self.lock or self.packages.manifest)] if self.lock or self.packages.manifest else ["."]
        needed += [str(frontend["directory"])] if isinstance(frontend, dict) else []
        needed += [parent(self.image.path)] if self.image else []
        is_inside = all(place == self.root or place.startswith(f"{self.root}/") for place in needed)
        return self.root if is_inside else "."

    def inside(self, path: str) -> str:
        """Return a path of the repository as it is seen from `base`; "." for `base` itself."""
        if self.base == ".":
            return path
        return path.removeprefix(f"{self.base}/") if path != self.base else "."

    @cached_property
    def lock(self) -> str:
        """The lock file, or the requirements file where nothing is locked; "" without any."""
        manifest = self.packages.manifest
        place = next((one.file for one in self.packages.manager.evidence), "")
        return self.text("lock") or (place if place.endswith((".txt", ".pip")) else "" if manifest else place)

    @cached_property
    def application(self) -> tuple[str, str]:
        """`wsgi` or `asgi`, and the application as `package.module:name` ("" where it is not known)."""
        kind = self.text("interface") or ("asgi" if self.fact("asgi").is_known else "wsgi")
        return kind, _module(self.text(kind))

    @cached_property
    def python(self) -> tuple[str, bool]:
        """The version of Python, and whether the project (or the user) said it."""
        said = self.wishes.python or self.text("python")
        if _PYTHON.fullmatch(said):
            return said, True
        return _LAST_PYTHON.get(self.text("django"), "3.12"), False

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """The environment variables whose names are names."""
        return tuple(one for one in self.found.variables if NAME.fullmatch(one.name))

    def has_package(self, *names: str) -> bool:
        """Tell whether production installs one of these packages."""
        requirements = self.packages.requirements
        return requirements.has(*names) is not None or any(name in requirements.locked for name in names)

    @property
    def server(self) -> str:
        """The server's address, or `NO_SERVER`."""
        return self.wishes.server or NO_SERVER


def read_subject(sources: Sources, wishes: Wishes, directory: str) -> Subject:
    """Return what is known of a project. Raises UsageError, or ConfigError `init.odd_name` for an unwritable path."""
    check_wishes(wishes)
    found = inspect_sources(sources)
    root = found.facts["root"].text or "."
    processes = read_processes(sources, root)
    subject = Subject(sources, found, processes, read_packages(sources, root, processes), wishes, directory)
    frontend = subject.fact("frontend").value
    needed = [subject.root, subject.lock, subject.text("manage"), subject.packages.manifest]
    needed += [str(frontend["directory"])] if isinstance(frontend, dict) else []
    for path in filter(None, needed):
        if not _PATH.fullmatch(path) or check_relative(path):
            what = f"the path {path!r} has characters that a Dockerfile and a configuration cannot carry"
            raise ConfigError("init.odd_name", what, where=path.encode("ascii", "replace").decode(), next="rename it")
    return subject


def check_wishes(wishes: Wishes) -> None:
    """Raise UsageError `usage.wrong` for a wish that cannot be fulfilled."""
    rules = (
        ("--service", wishes.service, _SERVICE, "small letters, digits, `-` and `_`"),
        ("--server", wishes.server, _HOST, "the name or address of a server"),
        ("--host", wishes.site, _HOST, "the name of the site, such as shop.example.org"),
        ("--settings", wishes.settings, _MODULE, "a module such as shop.settings"),
        ("--python", wishes.python, _PYTHON, "a version such as 3.12"),
        ("--acme-ca", wishes.acme_ca, _URL, "the address of its directory, such as https://ca.example.org/dir"),
        ("--acme-root", wishes.acme_root, _PATH, "a file of the project"),
    )
    if wishes.proxy == "nginx" and wishes.runtime == "docker":
        raise UsageError("usage.wrong", "--proxy nginx was given without --runtime venv", next="add --runtime venv")
    for option, said, pattern, words in rules:
        if said and not pattern.fullmatch(said):
            raise UsageError("usage.wrong", f"{option} was {said!r}", next=f"write {words}")


def _module(text: str) -> str:
    return text if _MODULE.fullmatch(text) else ""
