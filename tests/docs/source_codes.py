"""Every error and finding code that the source can raise, collected from its syntax trees."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

from shipway.config.report import Slug
from shipway.core import errors
from shipway.core.chain import Fault
from shipway.core.events import EventKind
from shipway.core.record import RecordKind

SOURCE = Path(__file__).parents[2] / "src" / "shipway"
CODE = re.compile(r"[a-z]+\.[a-z_]+")
RAISED = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
CALLS = {"Finding", "Failure", "BuildFailed", "Check", "NeedsApproval", "_warning", "refuse"}
POSITION = dict.fromkeys(RAISED | CALLS, 0) | {
    "_failure": 2,
    "failure_of_result": 3,
    "_finding": 0,
    "needs_approval": 0,
}
"""At which place a call has its code, by the name of what is called."""
KINDS = frozenset({*get_args(EventKind), *get_args(RecordKind)})
FILES = frozenset(
    {
        "project.toml",
        "app.json",
        "app.yaml",
        "deploy.yml",
        "config.json",
        "host.sh",
        "setup.py",
        "setup.cfg",
        "static.json",
        "docker.io",
        "shipway.config",
        "shipway.accessory",
    }
)
"""Names of files, labels and packages that look like codes."""
FORMATTED = {
    "audit.{broken.fault}": [f"audit.{fault}" for fault in get_args(Fault)],
    "config.{slug}": [f"config.{slug}" for slug in get_args(Slug)],
    "usage.unknown_{kind}": ["usage.unknown_host", "usage.unknown_role"],
}
"""Codes that are put together: each such text, and what it can become."""


@cache
def trees() -> tuple[ast.Module, ...]:
    return tuple(ast.parse(path.read_text(encoding="utf-8"), str(path)) for path in sorted(SOURCE.rglob("*.py")))


@cache
def codes() -> frozenset[str]:
    given = {code for tree in trees() for code in _given(tree)}
    areas = {code.partition(".")[0] for code in given}
    kept = {code for tree in trees() for code in _kept(tree) if code.partition(".")[0] in areas}
    return frozenset(given | (kept - KINDS - FILES))


def suspects() -> set[str]:
    """Words of the source that look like codes of a known area, and are no kinds of events or records."""
    areas = {code.partition(".")[0] for code in codes()}
    words = {word for tree in trees() for word in _words(tree)}
    return {word for word in words if word.partition(".")[0] in areas} - KINDS - FILES


def _given(tree: ast.Module) -> Iterator[str]:
    """Codes that stand in a call that makes an error, a finding or a failure."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func).removeprefix("self.")
        if name in POSITION and len(call.args) > POSITION[name]:
            argument = call.args[POSITION[name]]
            yield from _formatted(argument) if isinstance(argument, ast.JoinedStr) else _words(argument)


def _formatted(text: ast.JoinedStr) -> list[str]:
    pattern = ast.unparse(text)[2:-1]
    assert pattern in FORMATTED, f"tell here what `{pattern}` can become"
    return FORMATTED[pattern]


def _kept(tree: ast.Module) -> Iterator[str]:
    """Codes that are named `code` first, or stand in a table of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and (node in tree.body or "code" in ast.unparse(node.targets[0])):
            yield from _words(node.value)


def _words(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
            yield node.value
