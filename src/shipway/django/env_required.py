"""Which environment variables production cannot do without, beyond those that fail where they are read."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from shipway.django.env_calls import Read, is_environ, read_of
from shipway.django.layout import Layout
from shipway.django.settings import Settings
from shipway.django.syntax import dotted, targets, text_of

_ELSEWHERE = ("DEBUG", "DEVELOPMENT", "TESTING", "DEV_MODE", "TEST_MODE", "IS_TEST", "IS_DEV")
"""Names of flags that are off in production."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A reading where it stands: `is_guarded` when only under some condition, `target` what it is put into."""

    read: Read
    file: str
    is_guarded: bool
    target: str
    in_startup: bool
    is_declared: bool = False


def about_debug(test: ast.expr) -> str:
    """Return "not" for a test that holds in production (`not DEBUG`), "is" for its contrary, "" for any other."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and dotted(test.operand).endswith(_ELSEWHERE):
        return "not"
    return "is" if dotted(test).endswith(_ELSEWHERE) else ""


def required_names(layout: Layout, settings: Settings, seen: list[Seen]) -> set[str]:
    """Return the names that are required because code looks at them and raises, or Django cannot do without them."""
    into: dict[str, set[str]] = {}
    for one in seen:
        if one.target and not one.read.default:
            into.setdefault(one.target, set()).add(one.read.name)
    needed: set[str] = set()
    for path in dict.fromkeys(one.file for one in seen if one.in_startup):
        tree = layout.sources.module(path)
        for node in tree.body if tree else ():
            needed |= _raised_for(node, into)
    for target in ("SECRET_KEY", "ALLOWED_HOSTS"):
        if target in into and not _has_fallback(settings, target):
            needed |= {
                one.read.name for one in seen if one.target == target and not one.is_guarded and not one.read.default
            }
    return needed | _checked_later(layout, into)


def _raised_for(node: ast.stmt, into: dict[str, set[str]]) -> set[str]:
    """Return the variables without which a top-level `if` raises: its test looks at them, or at what holds them."""
    if not isinstance(node, ast.If) or not any(
        isinstance(one, ast.Raise) for part in node.body for one in ast.walk(part)
    ):
        return set()
    found: set[str] = set()
    for one in _absences(node.test):
        for part in ast.walk(one):
            if isinstance(part, ast.Name):
                found |= into.get(part.id, set())
            read = read_of(part, {})
            name = text_of(part) if isinstance(one, ast.Constant) else read.name if read is not None else None
            found |= {name} if name else set()
    return found


def _absences(test: ast.expr) -> list[ast.expr]:
    """Return what a test finds missing: X of `not X`, `X is None`, `X == ""`; the name of `"X" not in os.environ`.

    A part of `and` counts only beside `not DEBUG`: what is looked at beside another condition is not always required.
    """
    if isinstance(test, ast.BoolOp):
        rest = [one for one in test.values if about_debug(one) != "not"]
        is_free = isinstance(test.op, ast.Or) or len(rest) == 1
        return [found for one in rest for found in _single_absence(one)] if is_free else []
    return _single_absence(test)


def _single_absence(test: ast.expr) -> list[ast.expr]:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return [test.operand]
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], (ast.Is, ast.Eq)):
        empty = test.comparators[0]
        return [test.left] if isinstance(empty, ast.Constant) and not empty.value else []
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.NotIn) and is_environ(test.comparators[0]):
        return [test.left]
    return []


def _has_fallback(settings: Settings, target: str) -> bool:
    """Tell whether a setting gets another value where the variable is missing, other than for DEBUG."""
    for _, tree in settings.nodes():
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and not any(dotted(one).endswith("DEBUG") for one in ast.walk(node.test)):
                bodies = [*node.body, *node.orelse]
                statements = [one for body in bodies for one in ast.walk(body) if isinstance(one, ast.stmt)]
                if any(target in targets(one) for one in statements) and not any(
                    isinstance(one, ast.Raise) for one in bodies
                ):
                    inner = [one for body in bodies for one in ast.walk(body) if isinstance(one, ast.Raise)]
                    if not inner:
                        return True
    return False


def _checked_later(layout: Layout, into: dict[str, set[str]]) -> set[str]:
    """Return variables whose setting some module looks for, to raise where DEBUG is off."""
    found: set[str] = set()
    for path in layout.python_files:
        text = layout.sources.text(path)
        if "not settings.DEBUG" not in text or "raise" not in text:
            continue
        tree = layout.sources.module(path)
        for node in ast.walk(tree) if tree else ():
            if (
                isinstance(node, ast.If)
                and isinstance(node.test, ast.UnaryOp)
                and dotted(node.test.operand).startswith("settings.")
            ):
                name = dotted(node.test.operand).removeprefix("settings.")
                raises = any(
                    isinstance(one, ast.If)
                    and about_debug(one.test) == "not"
                    and any(isinstance(part, ast.Raise) for part in one.body)
                    for one in node.body
                )
                found |= into.get(name, set()) if raises else set()
    return found
