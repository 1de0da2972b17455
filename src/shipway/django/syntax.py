"""Small questions to syntax trees. None of them recurses: a tree may be as deep as its author liked."""

from __future__ import annotations

import ast

MAX_DOTS = 16


def dotted(node: ast.AST | None) -> str:
    """Return `a.b.c` for a name or a chain of attributes, "" for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute) and len(parts) < MAX_DOTS:
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def text_of(node: ast.AST | None) -> str | None:
    """Return the text of a string literal, None for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def keyword(call: ast.Call, *names: str) -> ast.expr | None:
    """Return the first keyword argument of `call` that has one of `names`."""
    return next((word.value for word in call.keywords if word.arg in names), None)


def targets(node: ast.stmt) -> list[str]:
    """Return the plain names that an assignment binds."""
    if isinstance(node, ast.Assign):
        found = [
            part for target in node.targets for part in (target.elts if isinstance(target, ast.Tuple) else [target])
        ]
        return [part.id for part in found if isinstance(part, ast.Name)]
    if isinstance(node, (ast.AnnAssign, ast.AugAssign)) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []


def imported_modules(node: ast.stmt, package: str) -> list[tuple[str, bool]]:
    """Return the modules that an import names, each with whether it is a star import. `package` resolves the dots."""
    if isinstance(node, ast.Import):
        return [(alias.name, False) for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = absolute(node, package)
    if any(alias.name == "*" for alias in node.names):
        return [(base, True)]
    return [(base, False), *((f"{base}.{alias.name}", False) for alias in node.names)]


def absolute(node: ast.ImportFrom, package: str) -> str:
    """Return the module that `from … import` names, with leading dots resolved against `package`."""
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    parts = parts[: len(parts) - (node.level - 1)] if node.level > 1 else parts
    return ".".join([*parts, *([node.module] if node.module else [])])
