"""Budgets of DESIGN.md 4: files, functions, parameters; and what may stand where."""

import ast
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "shipway"
FILES = sorted(SOURCE.rglob("*.py"))
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def body_lines(node: Function) -> int:
    docstring = ast.get_docstring(node, clean=False)
    return node.end_lineno - node.lineno + 1 - (len(docstring.splitlines()) if docstring else 0)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_file_keeps_the_budgets(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    assert len(text.splitlines()) <= 400, "a file has at most 400 lines"
    long = {f"{f.name}:{f.lineno}": body_lines(f) for f in functions(tree) if body_lines(f) > 50}
    assert not long, "a function has at most 50 lines"
    is_async_allowed = path.relative_to(SOURCE).parts[0] in ("engine", "adapters", "app") or path.name == "ports.py"
    colour = [f.name for f in functions(tree) if isinstance(f, ast.AsyncFunctionDef)]
    assert is_async_allowed or not colour, "async def lives in engine, adapters and app only"
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.Global)], "no globals"


def test_most_files_are_small() -> None:
    """300 lines is the rule, 400 the limit: at most one file in twenty may stand between."""
    over = [p for p in FILES if len(p.read_text().splitlines()) > 300]
    assert len(over) <= len(FILES) // 20, f"over 300 lines: {over}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_no_script_is_formatted(path: Path) -> None:
    """`sh -c SCRIPT` takes a constant: a formatted one is where quoting goes wrong."""
    for node in ast.walk(ast.parse(path.read_text())):
        words = node.elts if isinstance(node, (ast.Tuple, ast.List)) else []
        for before, word in itertools.pairwise(words):
            is_dash_c = isinstance(before, ast.Constant) and before.value == "-c"
            assert not (is_dash_c and isinstance(word, (ast.JoinedStr, ast.BinOp))), f"line {node.lineno}"
