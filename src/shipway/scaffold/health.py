"""A view that says whether the application is well: its code, and the line that `urls.py` needs."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from shipway.django.tree import join
from shipway.scaffold.deploy_yml import HEALTH
from shipway.scaffold.subject import Subject

_PATH = "django.urls"
_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)
VIEW = '''"""Answers whether this release is well: asked before it gets visitors, and by whoever watches the site."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache


@never_cache
def up(request: HttpRequest) -> HttpResponse:
    """Answer 200 when the database answers; an exception becomes a 500, and the release gets no visitors."""
    connection.ensure_connection()
    return HttpResponse("ok", content_type="text/plain")
'''


@dataclass(frozen=True, slots=True)
class HealthView:
    """The file of the view, the URLconf with the lines it needs (None: they must be written by hand), and the lines."""

    path: str
    urls_path: str
    urls: str | None
    lines: str


def offer_health(subject: Subject) -> HealthView | None:
    """Return the view for a project that has none; None for one that has, or whose URLconf was not found."""
    if subject.fact("health").is_known:
        return None
    urls_path = _urls_path(subject)
    if not urls_path:
        return None
    package = urls_path.rpartition("/")[0]
    module = _module_of(subject, package)
    if not module:
        return None
    lines = f'from {module}.health import up\n\nurlpatterns = [path("{HEALTH.strip("/")}", up), *urlpatterns]\n'
    urls = _with_route(subject.sources.text(urls_path), module)
    return HealthView(f"{package}/health.py" if package else "health.py", urls_path, urls, lines)


def _urls_path(subject: Subject) -> str:
    """Return the file of ROOT_URLCONF, as the settings say it in a literal, else the one beside them."""
    files = [path for path in subject.sources.below(subject.root, ".py") if "settings" in path or "config" in path]
    for path in files:
        match = re.search(r"^ROOT_URLCONF\s*=\s*[\"']([\w.]+)[\"']", subject.sources.text(path), re.MULTILINE)
        place = f"{match[1].replace('.', '/')}.py" if match else ""
        found = subject.sources.first(join(subject.root, place), join(subject.root, f"src/{place}")) if place else ""
        if found:
            return found
    return ""


def _module_of(subject: Subject, package: str) -> str:
    start = "" if subject.root == "." else f"{subject.root}/"
    inside = package.removeprefix(start).removeprefix("src/")
    module = inside.replace("/", ".")
    return module if _MODULE.fullmatch(module) else ""


def _with_route(text: str, module: str) -> str | None:
    """Return a URLconf with the route before all others; None where its text cannot be changed safely."""
    tree = _parsed(text)
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))] if tree else []
    if tree is None or not imports or "\r" in text:
        return None
    bound = _bound(tree)
    if "urlpatterns" not in bound or "up" in bound or bound.get("path", _PATH) != _PATH:
        return None
    new = [] if "path" in bound else [f"from {_PATH} import path"]
    new.append(f"from {module}.health import up")
    lines, at = text.removesuffix("\n").split("\n"), imports[-1].end_lineno or 0
    route = f'urlpatterns = [path("{HEALTH.strip("/")}", up), *urlpatterns]'
    end = ["", "# Before all others, so that none of them can take it.", route]
    changed = "\n".join([*lines[:at], *new, *lines[at:], *end]) + "\n"
    return changed if _parsed(changed) else None


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _bound(tree: ast.Module) -> dict[str, str]:
    """Return the names that a module binds at its top level, each with the module that it comes from ("": none)."""
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id: "" for target in targets if isinstance(target, ast.Name)}
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found[node.name] = ""
        elif isinstance(node, ast.Import):
            found |= {one.asname or one.name: one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {one.asname or one.name: node.module or "" for one in node.names}
    return found
