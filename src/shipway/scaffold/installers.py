"""How an image gets the project's packages, by package manager; always what the lock says, in /venv."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shipway.django.tree import join, parent
from shipway.scaffold.instructions import copy, env, note, run, run_to_file, workdir
from shipway.scaffold.subject import Subject

_EXPORTED = "/tmp/requirements.txt"  # noqa: S108  in an image, while it is built
# Python package → Debian packages that compile it, where PyPI has no wheel of it.
_COMPILED: dict[str, tuple[str, ...]] = {
    "psycopg2": ("libpq-dev",),
    "psycopg-c": ("libpq-dev",),
    "mysqlclient": ("default-libmysqlclient-dev", "pkg-config"),
    "python-ldap": ("libldap2-dev", "libsasl2-dev"),
    "django-auth-ldap": ("libldap2-dev", "libsasl2-dev"),
    "xmlsec": ("libxmlsec1-dev", "pkg-config"),
    "python3-saml": ("libxmlsec1-dev", "pkg-config"),
    "pygraphviz": ("libgraphviz-dev",),
    "pycairo": ("libcairo2-dev", "pkg-config"),
    "xhtml2pdf": ("libcairo2-dev", "pkg-config"),
    "uwsgi": (),
    "pycurl": ("libcurl4-openssl-dev", "libssl-dev"),
    "pylibmc": ("libmemcached-dev", "zlib1g-dev"),
    "gdal": ("libgdal-dev",),
}
_INCLUDED = re.compile(r"^\s*(?:-r|--requirement|-c|--constraint)[ =]+(\S+)", re.MULTILINE)
_LOCAL = re.compile(r"^\s*(?:-e\s+|--editable[ =]+)?(?:\.{1,2}/|\.(?:\s|\[|$)|file:)", re.MULTILINE)
_GIT = re.compile(r"git\+(?:https?|ssh|file)://|\bgit = \"|\"git\": ")
_PATHS = re.compile(r"\[tool\.uv\.workspace\]|\bpath\s*=\s*[\"']|workspace\s*=\s*true|\bfile://")
_MAX_FILES = 30


def system_packages(names: Sequence[str]) -> list[str]:
    """Return the instruction that installs Debian packages; none without names."""
    if not names:
        return []
    install = ("apt-get", "install", "--yes", "--no-install-recommends", *names)
    # The lists of packages go in the same layer that fetched them.
    return [run(("apt-get", "update"), install, ("find", "/var/lib/apt/lists", "-mindepth", "1", "-delete"))]


def build_libraries(subject: Subject) -> list[str]:
    """Return the Debian packages that the installation needs and the application does not: compilers, headers, git."""
    wanted = [name for name in _COMPILED if subject.packages.requirements.has(name)]
    found = {library for name in wanted for library in _COMPILED[name]}
    psycopg = subject.packages.requirements.has("psycopg")
    found |= {"libpq-dev"} if psycopg and "c" in psycopg.extras else set()
    found |= {"gcc", "libc6-dev"} if wanted or found else set()
    texts = (subject.sources.text(path) for path in {subject.lock, subject.packages.manifest} - {""})
    found |= {"git"} if any(_GIT.search(text) for text in texts) else set()
    return sorted(found)


@dataclass(frozen=True, slots=True)
class Installer:
    """The files that decide which packages are installed, whether they name directories of the project, the steps."""

    files: tuple[str, ...]
    is_local: bool
    steps: tuple[str, ...]


def install_packages(subject: Subject) -> list[str]:
    """Return the instructions of the stage that makes /venv, after its FROM."""
    installer = _installer(subject)
    place = parent(subject.inside(installer.files[0])) if installer.files else "."
    lines = [workdir("/app")]
    if installer.is_local or not installer.files:
        lines += [
            note("The packages include directories of the project, so everything is copied first."),
            copy(".", target="."),
        ]
    else:
        for directory, names in _by_directory([subject.inside(path) for path in installer.files]).items():
            lines.append(copy(*names, target=f"{directory}/" if directory != "." else "./"))
    if place != ".":
        lines.append(workdir(f"/app/{place}"))
    return [*lines, *installer.steps]


def _by_directory(paths: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in dict.fromkeys(paths):
        found.setdefault(parent(path), []).append(path)
    return found


def _installer(subject: Subject) -> Installer:
    manager, lock = subject.text("package_manager"), subject.lock
    manifest = subject.packages.manifest
    directory = parent(lock or manifest or "requirements.txt")
    if manager in _LOCKS:
        name, steps = _LOCKS[manager]
        own = join(directory, "Pipfile" if manager == "pipenv" else "pyproject.toml")
        is_local = bool(_PATHS.search(subject.sources.text(own)))
        return Installer((own, join(directory, name)), is_local, steps)
    if lock.endswith(".toml"):
        step = run(("/opt/tool/bin/uv", "pip", "sync", "--python", "/venv/bin/python", lock.rpartition("/")[2]))
        return Installer((lock,), is_local=False, steps=(_tool("uv>=0.7,<1"), _VENV, step))
    if lock:
        files = _included(subject, lock)
        is_local = any(_LOCAL.search(subject.sources.text(path)) for path in files)
        pip = run(("/venv/bin/pip", "install", "--no-cache-dir", "--requirement", lock.rpartition("/")[2]))
        return Installer(files, is_local, (_VENV, pip))
    pip = run(("/venv/bin/pip", "install", "--no-cache-dir", "."))
    return Installer((manifest,) if manifest else (), is_local=True, steps=(_VENV, pip))


def _included(subject: Subject, path: str) -> tuple[str, ...]:
    """Return a requirements file and those that it names."""
    found: list[str] = []
    waiting = [path]
    while waiting and len(found) < _MAX_FILES:
        one = waiting.pop(0)
        if one in found or not subject.sources.has(one):
            continue
        found.append(one)
        waiting += [join(parent(one), match[1]) for match in _INCLUDED.finditer(subject.sources.text(one))]
    return tuple(found)


def _tool(requirement: str) -> str:
    return run(("python", "-m", "venv", "/opt/tool"), ("/opt/tool/bin/pip", "install", "--no-cache-dir", requirement))


_VENV = run(("python", "-m", "venv", "/venv"))
_FROM_EXPORT = ("/venv/bin/pip", "install", "--no-cache-dir", "--requirement", _EXPORTED)
_LOCKS: dict[str, tuple[str, tuple[str, ...]]] = {
    "uv": (
        "uv.lock",
        (
            _tool("uv>=0.5,<1"),
            env("UV_PROJECT_ENVIRONMENT", "/venv"),
            env("UV_LINK_MODE", "copy"),
            env("UV_PYTHON_DOWNLOADS", "never"),
            run(("/opt/tool/bin/uv", "sync", "--locked", "--no-dev", "--no-install-project", "--no-cache")),
        ),
    ),
    "poetry": (
        "poetry.lock",
        (
            _tool("poetry>=2,<3"),
            _VENV,
            env("VIRTUAL_ENV", "/venv"),
            run(("/opt/tool/bin/poetry", "install", "--only", "main", "--no-root", "--no-interaction", "--no-cache")),
        ),
    ),
    "pdm": (
        "pdm.lock",
        (
            _tool("pdm>=2.10,<3"),
            _VENV,
            run(("/opt/tool/bin/pdm", "export", "--prod", "--output", _EXPORTED), _FROM_EXPORT),
        ),
    ),
    "pipenv": (
        "Pipfile.lock",
        (
            _tool("pipenv>=2023.12"),
            _VENV,
            run_to_file(("/opt/tool/bin/pipenv", "requirements", "--hash"), _EXPORTED, _FROM_EXPORT),
        ),
    ),
}
"""By manager: its lock, and what installs it. poetry and uv take the virtualenv that they are told; pdm and pipenv
write what they have locked as requirements with hashes."""
