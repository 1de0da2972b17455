"""Text of a Python file in, syntax tree out: also for files that this Python cannot parse as a whole."""

from __future__ import annotations

import ast
import re
import warnings

MAX_REPAIRS = 25
"""Statements that are left out before a file is given up."""

# PEP 758 (Python 3.14): `except A, B:`; PEP 695 (3.12): `type X = …`. Older Pythons know neither.
_EXCEPT = re.compile(r"^([ \t]*except\*?[ \t]+)([\w.]+(?:[ \t]*,[ \t]*[\w.]+)+)[ \t]*:", re.MULTILINE)
_TYPE = re.compile(r"^([ \t]*)type[ \t]+(\w+)(\[[^\]\n]*\])?[ \t]*=", re.MULTILINE)
_GENERIC = re.compile(r"^([ \t]*(?:async[ \t]+def|def|class)[ \t]+\w+)\[[^\]\n]*\]", re.MULTILINE)


def parse_python(text: str) -> ast.Module | None:
    """Return the syntax tree of `text` without the top-level statements that cannot be parsed; None if nothing can.

    Line numbers are those of `text`. Nothing of it is run.
    """
    lines = text.lstrip("\ufeff").replace("\0", " ").splitlines()
    found = _parse("\n".join(lines))
    if isinstance(found, ast.Module) or found is None:
        return found
    lines = _modern("\n".join(lines)).splitlines()
    for _ in range(MAX_REPAIRS):
        found = _parse("\n".join(lines))
        if isinstance(found, ast.Module) or found is None:
            return found
        if not _drop_statement(lines, found):
            return None
    return None


def _parse(text: str) -> ast.Module | int | None:
    """Return the tree, or the line of the first mistake, or None for what no repair helps."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        return error.lineno or 1
    except (ValueError, RecursionError, MemoryError, OverflowError):
        return None


def _modern(text: str) -> str:
    text = _EXCEPT.sub(r"\1(\2):", text)
    text = _TYPE.sub(r"\1\2 =", text)
    return _GENERIC.sub(r"\1", text)


def _drop_statement(lines: list[str], line: int) -> bool:
    """Blank the top-level statement that holds `line`, in place; tell whether anything was left to be blanked."""
    at = min(max(line, 1), len(lines)) - 1
    start = at
    while start > 0 and not _begins(lines[start]):
        start -= 1
    end = at + 1
    while end < len(lines) and not _begins(lines[end]):
        end += 1
    was = any(line.strip() for line in lines[start:end])
    lines[start:end] = [""] * (end - start)
    return was


def _begins(line: str) -> bool:
    return bool(line) and line[0] not in " \t)]}#'\"" and not line.startswith(("else", "elif", "except", "finally"))
