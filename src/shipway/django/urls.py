"""The paths that a project's URLconf names, `include` followed within the project."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from shipway.django.layout import Layout
from shipway.django.syntax import absolute, dotted, text_of

MAX_ROUTES = 4_000
MAX_DEPTH = 6
MAX_STEPS = 150_000
"""Nodes looked at in all URLconfs together: lists and includes that name each other have no end."""


@dataclass(frozen=True, slots=True)
class Route:
    """One path as visitors write it; `include` is the module of another package that would go on from there."""

    path: str
    file: str
    line: int
    include: str = ""
    view: str = ""


def read_routes(layout: Layout, urlconf: str) -> list[Route]:
    """Return the routes of the module `urlconf`; patterns with parameters are left out."""
    found = _Found([])
    _module(layout, urlconf, "", found, 0)
    return found.routes


@dataclass(slots=True)
class _Found:
    routes: list[Route]
    steps: int = 0


def _module(layout: Layout, module: str, prefix: str, found: _Found, depth: int) -> None:
    path = layout.module_path(module)
    tree = layout.sources.module(path) if path else None
    found.steps += 50
    if tree is None or depth > MAX_DEPTH or found.steps > MAX_STEPS:
        return
    package = module if layout.is_package(path) else module.rpartition(".")[0]
    _Reader(layout, path, package, found).read(list(tree.body), prefix, depth)


class _Reader:
    """Walks one module. Nested calls are taken with their prefix; everything else is walked without recursion."""

    def __init__(self, layout: Layout, path: str, package: str, found: _Found) -> None:
        self.layout, self.path, self.package, self.found = layout, path, package, found
        self.lists: dict[str, ast.expr] = {}
        self.imports: dict[str, str] = {}

    def read(self, nodes: list[ast.stmt], prefix: str, depth: int) -> None:
        for node in nodes:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self.lists[node.targets[0].id] = node.value
            if isinstance(node, ast.ImportFrom):
                module = absolute(node, self.package)
                self.imports.update({alias.asname or alias.name: f"{module}.{alias.name}" for alias in node.names})
            if isinstance(node, ast.Import):
                self.imports.update({alias.asname: alias.name for alias in node.names if alias.asname})
        used = {
            n.id for n in ast.walk(ast.Module(nodes, [])) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
        }
        for node in nodes:
            is_named = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
            name = (
                node.targets[0].id
                if is_named and isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
                else ""
            )
            # A list that `urlpatterns` or an include uses is read there, with the prefix it has there.
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) and (
                name in ("", "urlpatterns") or name not in used
            ):
                self.walk(node, prefix, depth)

    def walk(self, root: ast.AST, prefix: str, depth: int) -> None:
        waiting: list[ast.AST] = [root]
        while waiting and len(self.found.routes) < MAX_ROUTES and self.found.steps < MAX_STEPS:
            self.found.steps += 1
            node = waiting.pop()
            name = dotted(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and name in ("path", "re_path", "url") and len(node.args) > 1:
                self.route(node, prefix, depth)
                continue
            if isinstance(node, ast.Call) and name == "include" and node.args:
                self.include(node.args[0], prefix, depth, node.lineno)
                continue
            if (
                isinstance(node, ast.Name)
                and isinstance(node.ctx, ast.Load)
                and node.id in self.lists
                and depth < MAX_DEPTH
            ):
                self.walk(self.lists[node.id], prefix, depth + 1)
                continue
            waiting += reversed(list(ast.iter_child_nodes(node)))

    def route(self, call: ast.Call, prefix: str, depth: int) -> None:
        pattern = text_of(call.args[0])
        if pattern is None or depth > MAX_DEPTH:
            return
        plain = prefix + plain_path(pattern)
        target = call.args[1]
        is_include = isinstance(target, ast.Call) and dotted(target.func).rpartition(".")[2] == "include"
        if isinstance(target, ast.Call) and is_include and target.args:
            self.include(target.args[0], plain, depth + 1, call.lineno)
        elif "\0" not in plain:
            view = target.func if isinstance(target, ast.Call) else target
            self.found.routes.append(Route(f"/{plain}", self.path, call.lineno, view=dotted(view)))

    def include(self, target: ast.expr, prefix: str, depth: int, line: int) -> None:
        if isinstance(target, ast.Tuple) and target.elts:
            target = target.elts[0]
        name = text_of(target) or self.imports.get(dotted(target).removesuffix(".urls"), "")
        name = f"{name}.urls" if name and dotted(target).endswith(".urls") and "." in dotted(target) else name
        if name and self.layout.module_path(name):
            _module(self.layout, name, prefix, self.found, depth + 1)
        elif name:
            self.found.routes.append(Route(f"/{prefix}", self.path, line, include=name))
        elif depth < MAX_DEPTH:
            self.walk(target, prefix, depth + 1)


def plain_path(pattern: str) -> str:
    r"""Return a route or regular expression as a plain path; what depends on a parameter is marked by `\0`."""
    text = pattern.removeprefix("^").removeprefix("/")
    text = re.sub(r"/\?\$?$", "/", text).removesuffix("$").removesuffix(r"\Z")
    text = text.replace(r"\.", ".").replace(r"\-", "-")
    return re.sub(r"<[^>]*>|\(.*\)|[\[\](){}*+?\\|]+", "\0", text)
