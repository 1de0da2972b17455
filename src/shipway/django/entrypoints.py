"""How requests come in: the WSGI or ASGI application, which of the two production uses, and by which server."""

from __future__ import annotations

import ast
import re
from dataclasses import replace

from shipway.django.commands import HINT, KEEPER, SCRIPT, Command
from shipway.django.fact import UNKNOWN, Confidence, Fact, Place
from shipway.django.layout import Layout
from shipway.django.packages import Packages
from shipway.django.processes import Processes
from shipway.django.settings import Settings
from shipway.django.tree import join, parent

SERVERS = ("gunicorn", "uvicorn", "uwsgi", "granian", "daphne", "hypercorn", "waitress", "mod_wsgi", "unit")
_SERVER = re.compile(
    r"(?:^|[\s\"'/=;&|(`,])(gunicorn|uvicorn|uwsgi|granian|daphne|hypercorn|waitress|mod_wsgi|unitd)(?:-serve|-express)?(?=$|[\s\"',)]|\.conf|\.py)"
)
_TARGET = re.compile(r"(?<![\w.])([A-Za-z_][\w.]*[\w])(?::(\w+))?(?=$|[\s\"',\]\\])")
_ASGI_WORKER = re.compile(r"uvicorn[._]worker|UvicornWorker|--interface[= ]asgi|asginl|\.asgi\b|asgi:")


def find_applications(layout: Layout, settings: Settings, processes: Processes) -> dict[str, Fact]:
    """Return the facts `wsgi` and `asgi`, as `package.module:name`."""
    return {kind: _application(kind, layout, settings, processes) for kind in ("wsgi", "asgi")}


def _application(kind: str, layout: Layout, settings: Settings, processes: Processes) -> Fact:
    commanded = _commanded(kind, layout, processes)
    if commanded is not None:
        return commanded
    said, bound = _said(kind, layout, settings), _bound(kind, layout, settings)
    # ASGI_APPLICATION is for the development server, and was Channels' router once; servers are given asgi.py.
    if kind == "asgi" and said.is_known and bound.is_known and said.value != bound.value:
        return replace(bound, confidence="medium", conflicts=(f"{said.evidence[0]} says {said.text}",))
    return said if said.is_known else bound


def _said(kind: str, layout: Layout, settings: Settings) -> Fact:
    key = f"{kind.upper()}_APPLICATION"
    module, _, name = settings.text(key).rpartition(".")
    if not layout.module_path(module):
        return UNKNOWN
    return Fact(f"{module}:{name}", "high", (settings.place(key),))


def _bound(kind: str, layout: Layout, settings: Settings) -> Fact:
    """Return the application that a module of the usual name binds."""
    files = [
        p
        for p in layout.python_files
        if p.endswith((f"/{kind}.py", f"/{kind}/__init__.py")) or layout.inside(p) == f"{kind}.py"
    ]
    files = [p for p in files if _binding(layout.sources.module(p)) and not _is_of_another(layout, p, settings)]
    home = parent(settings.files[0]) if settings.files else layout.root
    files.sort(key=lambda p: (not home.startswith(parent(p)), p.count("/"), p))
    if not files:
        return UNKNOWN
    found, line = _binding(layout.sources.module(files[0])) or ("application", 0)
    sure: Confidence = "high" if len(files) == 1 else "medium"
    return Fact(f"{layout.module_name(files[0])}:{found}", sure, (Place(files[0], line, "binds the application"),))


def served_files(layout: Layout, processes: Processes) -> list[str]:
    """Return the files of the applications that commands of the repository serve."""
    found = [_commanded(kind, layout, processes) for kind in ("wsgi", "asgi")]
    return [layout.module_path(one.text.partition(":")[0]) for one in found if one is not None]


def _is_of_another(layout: Layout, path: str, settings: Settings) -> bool:
    """Tell whether a second project of the repository, with settings of its own, is what this entry serves."""
    package = parent(path)
    own = layout.sources.first(join(package, "settings.py"), join(package, "settings/__init__.py"))
    is_beside = any(file.startswith(f"{package}/") for file in settings.files)
    return bool(own) and bool(settings.files) and not is_beside


def _commanded(kind: str, layout: Layout, processes: Processes) -> Fact | None:
    for command in processes.commands:
        if command.weight <= HINT or not _SERVER.search(command.text):
            continue
        for match in _TARGET.finditer(command.text):
            module, name = match[1], match[2] or "application"
            last = module.rpartition(".")[2]
            path = layout.module_path(module) if last == kind or (kind in module and "." in module) else ""
            if path and _binds(layout.sources.module(path), name):
                return Fact(f"{module}:{name}", "high", (command.place,))
    return None


def _binds(tree: ast.Module | None, name: str) -> bool:
    found = _names(tree)
    return name in found


def _names(tree: ast.Module | None) -> dict[str, int]:
    found: dict[str, int] = {}
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Assign):
            found.update({target.id: node.lineno for target in node.targets if isinstance(target, ast.Name)})
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found[node.name] = node.lineno
        elif isinstance(node, ast.ImportFrom):
            found.update({alias.asname or alias.name: node.lineno for alias in node.names})
    return found


def _binding(tree: ast.Module | None) -> tuple[str, int] | None:
    names = _names(tree)
    return next(((name, names[name]) for name in ("application", "app", "_application") if name in names), None)


def find_server(processes: Processes, packages: Packages) -> tuple[Fact, Command | None]:
    """Return the fact `server`, and the command that starts it."""
    installed = _installed(processes, packages)
    found = [
        (match[1], command)
        for command in processes.commands
        if (match := _SERVER.search(command.text))
        and _serves(command)
        and (not HINT < command.weight <= SCRIPT or match[1] in installed)
    ]
    if found:
        name, command = max(found, key=lambda one: (one[1].weight, one[1].role == "web"))
        sure: Confidence = "high" if command.weight >= KEEPER else "medium" if command.weight > HINT else "low"
        others = sorted({f"{other.place} runs {word}" for word, other in found if word != name and other.weight > HINT})
        return Fact(name, sure, (command.place,), tuple(others[:5])), command
    for name in SERVERS:
        place = packages.requirements.has(name)
        if place is not None:
            return Fact(name, "low", (place.place,)), None
    for name in SERVERS:
        at = packages.requirements.anywhere(name)
        if at is not None and name not in ("uvicorn", "daphne"):
            return Fact(name, "low", (at,)), None
    return UNKNOWN, None


def _installed(processes: Processes, packages: Packages) -> frozenset[str]:
    """Return the servers that can be there: asked for, brought by an image, or all where what is asked is not known."""
    if not packages.requirements.wanted:
        return frozenset((*SERVERS, "unitd"))
    text = " ".join(found.text for one in processes.dockerfiles for found in one.of("RUN")).lower()
    names = (*SERVERS, "unitd")
    return frozenset(one for one in names if packages.requirements.anywhere(one, one.replace("_", "-")) or one in text)


def _serves(command: Command) -> bool:
    return not re.search(r"runserver|devserver|--reload\b|py-autoreload", command.text) or command.weight >= KEEPER


def find_interface(applications: dict[str, Fact], server: Fact, command: Command | None) -> Fact:
    """Return the fact `interface`: what the server is told to serve, else what there is to be served."""
    if command is not None:
        if _ASGI_WORKER.search(command.text) or server.text in ("daphne", "hypercorn"):
            return Fact("asgi", server.confidence, (command.place,))
        if server.text in ("uwsgi", "waitress", "mod_wsgi") or re.search(r"\bwsgi\b", command.text):
            return Fact("wsgi", server.confidence, (command.place,))
        if server.text == "uvicorn":
            return Fact("asgi", server.confidence, (command.place,))
        if server.text == "gunicorn" and applications["wsgi"].is_known:
            return Fact("wsgi", "medium", (command.place,))
    has = [kind for kind in ("wsgi", "asgi") if applications[kind].is_known]
    if not has:
        return UNKNOWN
    kind = "asgi" if server.text in ("uvicorn", "daphne", "hypercorn") and "asgi" in has else has[0]
    return Fact(kind, "medium" if len(has) == 1 else "low", applications[kind].evidence)
