"""The packages that a project needs: names, versions and files, from locks, pyproject.toml and requirements files."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field

from shipway.django.fact import Place
from shipway.django.tree import Sources, join, line_of, parent

_REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)\s*(?:\[([^\]]*)\])?\s*(.*)$")
_KEY = re.compile(r'^\s*"([\w.-]+)":')
_LOCKED = re.compile(r'^\[\[package\]\]\s*\nname = "([^"]+)"\s*\nversion = "([^"]+)"', re.MULTILINE)


MAX_INCLUDED = 30
"""Requirements files that one includes by `-r`."""
MAX_MANIFEST_CHARS = 400_000


def normal(name: str) -> str:
    """Return a package's name as PyPI compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True, slots=True)
class Requirement:
    """One package that is asked for: `spec` as written (`>=6.0,<6.1`), `group` "" for those of production."""

    name: str
    spec: str
    place: Place
    group: str = ""
    extras: tuple[str, ...] = ()


@dataclass(slots=True)
class Requirements:
    """What is asked for, and the versions that a lock has chosen."""

    wanted: list[Requirement] = field(default_factory=list)
    locked: dict[str, tuple[str, Place]] = field(default_factory=dict)

    def has(self, *names: str) -> Requirement | None:
        """Return the requirement of production for one of `names`; None when production does not ask for it."""
        return next((one for one in self.wanted if not one.group and one.name in names), None)

    def anywhere(self, *names: str) -> Place | None:
        """Return where one of `names` is asked for or locked, in any group."""
        for one in self.wanted:
            if one.name in names:
                return one.place
        return next((self.locked[name][1] for name in names if name in self.locked), None)

    @property
    def groups(self) -> list[str]:
        """The names of the groups and extras."""
        return sorted({one.group for one in self.wanted if one.group})


def parse_requirement(text: str, place: Place, group: str = "") -> Requirement | None:
    """Return what one line of a requirements file, or one PEP 508 text, asks for; None for options and comments."""
    line = re.split(r"\s#|^#", text, maxsplit=1)[0].split(";")[0].strip()
    match = _REQUIREMENT.match(line)
    if match is None or line.startswith(("-", "http", "git+", ".", "/")):
        return None
    spec = re.sub(r"\s*--hash=\S+|\\$", "", match[3]).strip().strip("()")
    extras = tuple(part.strip().lower() for part in (match[2] or "").split(",") if part.strip())
    return Requirement(normal(match[1]), spec.replace(" ", ""), place, group, extras)


def read_requirements_file(sources: Sources, path: str, group: str = "") -> list[Requirement]:
    """Return what a requirements file and the files it names by `-r` ask for. Cycles end where they begin."""
    found: list[Requirement] = []
    waiting = [path]
    seen: set[str] = set()
    while waiting and len(seen) < MAX_INCLUDED:
        one = waiting.pop(0)
        if one in seen:
            continue
        seen.add(one)
        for number, line in enumerate(sources.text(one).splitlines()[:6000], 1):
            included = re.match(r"^\s*(?:-r|--requirement|-c|--constraint)[ =]+(\S+)", line)
            if included and not line.lstrip().startswith(("-c", "--con")):
                waiting.append(join(parent(one), included[1]))
            requirement = parse_requirement(line, Place(one, number), group)
            if requirement is not None:
                found.append(requirement)
    return found


def read_toml(sources: Sources, path: str) -> dict[str, object]:
    """Return a TOML file as a dict; {} for one that is wrong or too big for its kind."""
    text = sources.text(path)
    if not text or len(text) > MAX_MANIFEST_CHARS:
        return {}
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return {}


def table(value: object, *keys: str) -> dict[str, object]:
    """Return the table under a path of keys, {} when there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def texts(value: object) -> list[str]:
    """Return the texts of a list, [] for anything else."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def read_pyproject(sources: Sources, path: str) -> list[Requirement]:
    """Return what pyproject.toml asks for: PEP 621, dependency groups, extras, poetry's own tables."""
    document = read_toml(sources, path)
    project = table(document, "project")
    groups = {"": texts(project.get("dependencies"))}
    groups |= {name: texts(found) for name, found in table(project, "optional-dependencies").items()}
    groups |= {name: texts(found) for name, found in table(document, "dependency-groups").items()}
    text = sources.text(path)
    found = [
        requirement
        for group, lines in groups.items()
        for line in lines
        if (requirement := parse_requirement(line, Place(path, line_of(text, text.find(line))), group))
    ]
    poetry = table(document, "tool", "poetry")
    tables = {"": table(poetry, "dependencies"), "dev": table(poetry, "dev-dependencies")}
    tables |= {name: table(body, "dependencies") for name, body in table(poetry, "group").items()}
    for group, body in tables.items():
        found += _named(body, path, text, group)
    return found


def read_setup_cfg(sources: Sources, path: str) -> list[Requirement]:
    """Return what `install_requires` of a setup.cfg asks for."""
    text = sources.text(path)
    match = re.search(r"^install_requires\s*=[^\n]*\n((?:[ \t]+[^\n]*\n|\s*\n)*)", text, re.MULTILINE)
    first = line_of(text, match.start(1)) if match else 0
    lines = enumerate(match[1].splitlines() if match else (), first)
    return [one for number, line in lines if (one := parse_requirement(line.strip(), Place(path, number)))]


def _named(body: dict[str, object], path: str, text: str, group: str) -> list[Requirement]:
    """Return the requirements of a table `name = "^1.2"`, as poetry and Pipfile write them."""
    found = []
    for name, value in body.items():
        spec = value if isinstance(value, str) else value.get("version", "") if isinstance(value, dict) else ""
        if isinstance(value, dict) and value.get("optional"):
            found.append(Requirement(normal(name), str(spec), Place(path, _line_of_key(text, name)), "extra"))
        elif normal(name) != "python":
            found.append(Requirement(normal(name), str(spec), Place(path, _line_of_key(text, name)), group))
    return found


def _line_of_key(text: str, name: str) -> int:
    match = re.search(rf'^["\']?{re.escape(name)}["\']?\s*=', text, re.MULTILINE | re.IGNORECASE)
    return line_of(text, match.start()) if match else 0


def read_pipfile(sources: Sources, path: str) -> list[Requirement]:
    """Return what a Pipfile asks for."""
    document, text = read_toml(sources, path), sources.text(path)
    return [
        *_named(table(document, "packages"), path, text, ""),
        *_named(table(document, "dev-packages"), path, text, "dev"),
    ]


def read_lock(sources: Sources, path: str) -> dict[str, tuple[str, Place]]:
    """Return the versions that a lock has chosen, with their lines. Read by pattern: a lock has a megabyte and more."""
    if path.endswith("Pipfile.lock"):
        return _read_pipfile_lock(sources, path)
    if path.endswith(".txt"):
        found = read_requirements_file(sources, path)
        return {one.name: (one.spec.lstrip("="), one.place) for one in found if one.spec.startswith("==")}
    result: dict[str, tuple[str, Place]] = {}
    text = sources.text(path)
    at, line = 0, 1
    for match in _LOCKED.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        result.setdefault(normal(match[1]), (match[2], Place(path, line + 1)))
    return result


def _read_pipfile_lock(sources: Sources, path: str) -> dict[str, tuple[str, Place]]:
    text = sources.text(path)
    try:
        packages = table(json.loads(text), "default")
    except (ValueError, RecursionError):
        return {}
    lines = {match[1]: line for line, text in enumerate(text.splitlines(), 1) if (match := _KEY.match(text))}
    found: dict[str, tuple[str, Place]] = {}
    for name, body in packages.items():
        version = body.get("version") if isinstance(body, dict) else None
        if isinstance(version, str):
            found[normal(name)] = (version.lstrip("="), Place(path, lines.get(name, 0)))
    return found
