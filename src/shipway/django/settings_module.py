"""Which settings module is the one for production, and why."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace

from shipway.django.commands import COMPOSE_PRODUCTION, HINT, KEEPER, PLATFORM
from shipway.django.entrypoints import served_files
from shipway.django.fact import UNKNOWN, Confidence, Fact, Place
from shipway.django.layout import Layout
from shipway.django.processes import Processes
from shipway.django.syntax import dotted, text_of
from shipway.django.tree import join, line_of, parent

# An assignment or a default; `[ "$DJANGO_SETTINGS_MODULE" = "x" ]` only compares.
_NAME = re.compile(
    r"(?:(?<![$\w{])DJANGO_SETTINGS_MODULE[\"']?\s*[=:,]\s*[\"']?|--settings[= ]|\$\{DJANGO_SETTINGS_MODULE:[-=][\"']?)"
    r"([A-Za-z_][\w.]*\w)"
)
# The pair of a platform's file: `- key: DJANGO_SETTINGS_MODULE` and `value: x` below it, or a table with `"value"`.
_PAIR = re.compile(
    r"DJANGO_SETTINGS_MODULE[\"']?\s{0,80}(?::\s{0,80}\{[^{}]{0,200}?)?\s{0,80}[\"']?value[\"']?\s{0,80}[:=]\s{0,80}[\"']?([A-Za-z_][\w.]*\w)"
)
_ENV_LINE = re.compile(r"^[ \t]*(?:export )?DJANGO_SETTINGS_MODULE=[\"']?([A-Za-z_][\w.]*\w)", re.MULTILINE)
_ENV_FILE = re.compile(r"(^|/)([\w.-]*[._-])?env([._-][\w.-]+)?$|(^|/)\.envs/[\w./-]+$")
_CONFIGURATION = re.compile(r"DJANGO_CONFIGURATION[\"']?\s*[=:,]\s*[\"']?([A-Za-z_]\w*)")
# Also what comes before production: beside it, it is never the one.
DEVELOPMENT = frozenset(
    ("dev", "develop", "development", "local", "test", "tests", "testing", "ci", "dev_settings", "local_settings",
     "debug", "docs", "test_settings", "settings_dev", "settings_test", "settings_local", "localdev", "devel",
     "base", "common", "build", "staging", "stage", "qa", "uat")
)  # fmt: skip
PRODUCTION = (
    "production", "prod", "live", "deploy", "docker", "heroku", "server", "release", "prd",
    "settings_production", "settings_prod", "production_settings", "prod_settings", "web",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """A settings module that some file names."""

    module: str
    place: Place
    weight: int


def find_settings(layout: Layout, processes: Processes) -> Fact:
    """Return the fact `settings`: the module for production; its conflicts are other modules that files name."""
    found = _candidates(layout, processes)
    usable = [one for one in found if _is_filled(layout, one.module)]
    if not usable:
        # Only a package of the project can lack what an operator writes into it.
        lacking = [one for one in found if layout.module_path(one.module.rpartition(".")[0])]
        return _beside(layout, lacking) or _missing(lacking or found)
    deployed = [one for one in usable if one.weight > _ENTRY and not _is_development(one.module)]
    best = max(deployed, key=lambda one: one.weight, default=None)
    if best is not None and best.weight <= _COMPOSE and (better := _sibling(layout, best.module, PRODUCTION[:3])):
        place = Place(
            layout.module_path(better), 1, f"{best.place} names {best.module}; this is beside it, for production"
        )
        return _fact(Candidate(better, place, 0), "medium", usable)
    if best is not None:
        return _fact(best, "high" if best.weight >= KEEPER else "medium", usable)
    entry = max(usable, key=lambda one: (not _is_development(one.module), one.weight))
    sibling = _sibling(layout, entry.module) or _hardened(layout, entry.module)
    if sibling:
        path = layout.module_path(sibling)
        place = Place(path, 1, f"{entry.place} names {entry.module}; this is its module for production")
        return _fact(Candidate(sibling, place, 0), "medium", usable)
    sure: Confidence = "low" if _is_development(entry.module) and entry.module.count(".") else "high"
    return _fact(entry, sure, usable)


def with_made(layout: Layout, processes: Processes) -> Layout:
    """Return `layout` with the settings module that the image makes by copying another file to its place."""
    module = processes.image.environment.get("DJANGO_SETTINGS_MODULE", ("", 0))[0] if processes.image else ""
    if processes.image is None or not module or layout.module_path(module):
        return layout
    end = f"{module.replace('.', '/')}.py"
    for place, source in processes.image.copies.items():
        found = layout.sources.first(join(".", source), join(layout.root, source))
        if found and (place == end or place.endswith(f"/{end}")):
            return replace(layout, made=((module, found),))
    return layout


def _is_filled(layout: Layout, module: str) -> bool:
    """Tell whether a module exists and is more than the empty `__init__` of a package of settings."""
    path = layout.module_path(module)
    return bool(path) and (not layout.is_package(path) or bool(layout.sources.text(path).strip()))


_COMPOSE = 50
"""The weight of a compose file that does not call itself one for production."""
_ENTRY = 40
"""The weight of the entry point that a command serves; wsgi.py, asgi.py and manage.py have a little less."""
_EXAMPLE = 35
"""The weight of an example of environment variables: it may be that of a developer's machine."""


def _candidates(layout: Layout, processes: Processes) -> list[Candidate]:
    found: list[Candidate] = []
    if processes.image is not None:
        for name, (value, line) in processes.image.environment.items():
            if name == "DJANGO_SETTINGS_MODULE":
                found.append(Candidate(value, Place(processes.image.path, line, "set in the image"), 110))
        for instruction in processes.image.of("RUN"):
            for match in _NAME.finditer(instruction.text):
                place = Place(processes.image.path, instruction.line, "used while the image is built")
                found.append(Candidate(match[1], place, KEEPER - 8))
    for command in processes.commands:
        found += [Candidate(m[1], command.place, command.weight) for m in _NAME.finditer(command.text)]
    for service in processes.services:
        value = service.environment.get("DJANGO_SETTINGS_MODULE", "")
        if value and (service.builds or not service.image or service.command):
            weight = 75 if re.search(r"prod|deploy|release|live", service.file) else 45
            found.append(Candidate(value, Place(service.file, 0, f"service {service.name}"), weight))
    return [
        *found,
        *_platform_candidates(layout, processes),
        *_env_candidates(layout),
        *_entry_candidates(layout, processes),
    ]


def _platform_candidates(layout: Layout, processes: Processes) -> list[Candidate]:
    found = []
    for path in processes.platforms:
        text = layout.sources.text(path)
        found += [Candidate(m[1], Place(path, line_of(text, m.start(1))), PLATFORM) for m in _PAIR.finditer(text)]
    return found


def _env_candidates(layout: Layout) -> list[Candidate]:
    """Return what the examples of environment files say: `.env.example`, `.envs/.production/.django`."""
    found = []
    for path in layout.sources.paths:
        if not _ENV_FILE.search(path) or "DJANGO_SETTINGS_MODULE" not in layout.sources.text(path):
            continue
        weight = COMPOSE_PRODUCTION - 1 if re.search(r"prod|deploy|live", path.lower()) else _EXAMPLE
        text = layout.sources.text(path)
        found += [
            Candidate(match[1], Place(path, line_of(text, match.start(1)), "an example of the environment"), weight)
            for match in _ENV_LINE.finditer(text)
        ]
    return found


def _entry_candidates(layout: Layout, processes: Processes) -> list[Candidate]:
    """Return what `os.environ.setdefault("DJANGO_SETTINGS_MODULE", …)` says, wherever it stands in the project."""
    found = []
    served = served_files(layout, processes)
    for path in layout.python_files:
        if "DJANGO_SETTINGS_MODULE" not in layout.sources.text(path):
            continue
        name = path.rpartition("/")[2]
        weight = {"wsgi.py": 39, "asgi.py": 38}.get(name, 37 if path == layout.manage else 30)
        weight = 38 if name == "__init__.py" and parent(path).endswith(("/asgi", "/wsgi")) else weight
        weight = _ENTRY if path in served else weight
        for module, line in _defaults(layout.sources.module(path)):
            found.append(Candidate(module, Place(path, line, "the default of this entry point"), weight))
    return found


def _defaults(tree: ast.Module | None) -> list[tuple[str, int]]:
    found = []
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Call) and dotted(node.func).endswith(
            ("environ.setdefault", "environ.get", "os.getenv")
        ):
            words = [text_of(argument) for argument in node.args]
            if len(words) > 1 and words[0] == "DJANGO_SETTINGS_MODULE" and words[1]:
                found.append((words[1], node.lineno))
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            target = node.targets[0]
            value = text_of(node.value)
            if text_of(target.slice) == "DJANGO_SETTINGS_MODULE" and dotted(target.value).endswith("environ") and value:
                found.append((value, node.lineno))
    return found


def _is_development(module: str) -> bool:
    return module.rpartition(".")[2].lower() in DEVELOPMENT


def _sibling(layout: Layout, module: str, wanted: tuple[str, ...] = PRODUCTION) -> str:
    """Return the production module beside (or inside) `module`, when `module` is for development or only a package."""
    path = layout.module_path(module)
    last = module.rpartition(".")[2]
    is_package = layout.is_package(path)
    if not is_package and not _is_development(module) and wanted is PRODUCTION:
        return ""
    if is_package and not _is_development(module) and _chooses(layout, path):
        return ""
    beside = module.rpartition(".")[0]
    bases = [module, *([beside] if _is_development(module) else [])] if is_package else [beside]
    for base in bases:
        for name in wanted:
            found = f"{base}.{name}" if base else name
            if name != last and layout.module_path(found):
                return found
    return ""


def _hardened(layout: Layout, module: str) -> str:
    """Return the one module beside a development module that sets what only production needs: secure cookies, hosts."""
    base = module.rpartition(".")[0]
    package = parent(layout.module_path(module))
    if not base or not _is_development(module) or package == ".":
        return ""
    points: dict[str, int] = {}
    for path in layout.sources.below(package, ".py"):
        name = path.rpartition("/")[2].removesuffix(".py")
        if parent(path) == package and name.isidentifier() and name not in DEVELOPMENT | {"__init__"}:
            text = layout.sources.text(path)
            points[name] = sum(
                word in text
                for word in ("_COOKIE_SECURE", "SECURE_", "ALLOWED_HOSTS", "DEBUG = False", "SECRET_KEY", "sentry")
            )
    best = max(points, key=lambda name: points[name], default="")
    return f"{base}.{best}" if best and points[best] > 2 and list(points.values()).count(points[best]) == 1 else ""  # noqa: PLR2004


def _chooses(layout: Layout, path: str) -> bool:
    """Tell whether the `__init__` of a settings package has settings of its own, or loads those for production."""
    tree = layout.sources.module(path)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id.isupper() for t in node.targets):
            return True
        if isinstance(node, ast.ImportFrom) and (node.module or "").rpartition(".")[2] in PRODUCTION:
            return not any(
                isinstance(other, ast.ImportFrom)
                and (other.module or "").rpartition(".")[2] in DEVELOPMENT - {"base", "common"}
                for other in ast.walk(tree or ast.Module([], []))
            )
    return False


def _by_name(layout: Layout) -> Fact | None:
    """Return a module by its name alone, where no file names one."""
    for name in (
        "settings/production.py",
        "settings/prod.py",
        "settings.py",
        "settings/__init__.py",
        "conf/settings.py",
    ):
        for path in layout.python_files:
            if path.endswith(f"/{name}") or path == join(layout.root, name):
                module = layout.module_name(path)
                inner = _sibling(layout, module, (*PRODUCTION, "base", "common")) if layout.is_package(path) else ""
                is_empty = not layout.sources.text(path).strip()
                return Fact(
                    inner if is_empty and inner else module, "low", (Place(path, 1, "by its name; no file names it"),)
                )
    return None


def _beside(layout: Layout, found: list[Candidate]) -> Fact | None:
    """Return a module by its name, if no file names one or it stands where the one that is named would stand."""
    fact = _by_name(layout)
    places = {one.module.rpartition(".")[0] for one in found} | {one.module for one in found}
    return fact if fact is not None and (not found or fact.text.rpartition(".")[0] in places) else None


def _missing(found: list[Candidate]) -> Fact:
    """A module is named, but is not in the repository: the operator writes it."""
    if not found:
        return UNKNOWN
    best = max(found, key=lambda one: one.weight)
    return Fact(best.module, "low", (best.place,), ("no file of the repository holds this module",))


def _fact(best: Candidate, confidence: Confidence, found: list[Candidate]) -> Fact:
    others = {one.module: one for one in found if one.module != best.module and one.weight >= HINT}
    conflicts = tuple(f"{one.place} says {module}" for module, one in sorted(others.items()))
    return Fact(best.module, confidence, (best.place,), conflicts)


def find_configuration(layout: Layout, processes: Processes, classes: list[str]) -> Fact:
    """Return the django-configurations class for production, from `classes` that the settings module defines."""
    named = [(m[1], c.place) for c in processes.commands for m in _CONFIGURATION.finditer(c.text)]
    named += [
        (service.environment["DJANGO_CONFIGURATION"], Place(service.file, 0, f"service {service.name}"))
        for service in processes.services
        if "DJANGO_CONFIGURATION" in service.environment
    ]
    for wanted in ("production", "prod", "live", "heroku", "docker"):
        for name in classes:
            if name.lower() == wanted:
                place = next((place for found, place in named if found == name), Place(layout.root, 0, "by its name"))
                return Fact(name, "high" if place.why != "by its name" else "medium", (place,))
    for name, place in named:
        if name in classes and not _is_development(name):
            return Fact(name, "medium", (place,))
    rest = [name for name in classes if not _is_development(name)]
    return Fact(rest[-1], "low") if rest else UNKNOWN
