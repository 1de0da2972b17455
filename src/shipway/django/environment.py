"""The environment variables that a project reads, and which of them production cannot do without."""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from dataclasses import replace

from shipway.django.env_calls import Helper, Read, helpers_of, read_of
from shipway.django.env_classes import class_reads
from shipway.django.env_required import Seen, about_debug, required_names
from shipway.django.fact import Fact, Variable
from shipway.django.layout import Layout
from shipway.django.settings import Settings
from shipway.django.settings_module import DEVELOPMENT
from shipway.django.syntax import dotted, imported_modules, targets, text_of

MAX_FILES = 400
"""Files of the project that read the environment."""
_TOUCHES = ("environ", "getenv", "decouple", "env(", "env.", "BaseSettings", "_env(", "get_env")


def read_environment(layout: Layout, settings: Settings, settings_fact: Fact) -> tuple[Variable, ...]:
    """Return the variables by name; of several readings the one that makes it required, else the first."""
    startup = _startup_files(layout, settings)
    rest = [path for path in layout.python_files if path not in startup and _is_reading(layout, path)]
    rest = [
        path for path in rest if path.rpartition("/")[2].removesuffix(".py") not in DEVELOPMENT - {"base", "common"}
    ]
    helpers: dict[str, Helper] = {}
    for path in startup:
        tree = layout.sources.module(path)
        helpers.update(helpers_of(tree, layout.sources.text(path)) if tree else {})
    seen: list[Seen] = []
    for path in [*startup, *rest][:MAX_FILES]:
        seen += _scan(layout, path, helpers, in_startup=path in startup)
    declared = {one.read.name for one in seen if one.is_declared and one.read.has_default}
    is_open = any(_is_open_scheme(node) for node in _calls_of_env(layout, startup))
    seen = [
        replace(one, read=replace(one.read, is_strict=False)) if is_open or one.read.name in declared else one
        for one in seen
    ]
    needed = required_names(layout, settings, seen)
    variables: dict[str, Variable] = {}
    for one in seen:
        variable = _variable(one, needed)
        known = variables.get(variable.name)
        if known is None or (variable.required and not known.required):
            variables[variable.name] = variable
    _add_own(layout, settings_fact, variables)
    return tuple(sorted(variables.values(), key=lambda one: (not one.required, one.name)))


def _is_reading(layout: Layout, path: str) -> bool:
    text = layout.sources.text(path)
    return any(word in text for word in _TOUCHES)


def _startup_files(layout: Layout, settings: Settings) -> list[str]:
    """Return the files that every process of the project reads when it starts: settings, what they import, entries."""
    found = list(settings.files)
    entries = [layout.manage] if layout.manage else []
    entries += [
        p
        for p in layout.python_files
        if re.search(r"(^|/)(wsgi|asgi|celery|celery_app|celeryconf|gunicorn(\.conf|_conf\w*)?)(/__init__)?\.py$", p)
    ]
    for path in [*settings.files, *entries]:
        found += [path, *_imports(layout, path)]
    return list(dict.fromkeys(path for path in found if path))[:80]


def _imports(layout: Layout, path: str) -> list[str]:
    tree = layout.sources.module(path)
    name = layout.module_name(path)
    package = name if layout.is_package(path) else name.rpartition(".")[0]
    modules = [module for node in (tree.body if tree else ()) for module, _ in imported_modules(node, package)]
    found = [layout.module_path(module) for module in modules]
    return [
        one
        for one in found
        if one and one.rpartition("/")[2].removesuffix(".py") not in DEVELOPMENT - {"base", "common"}
    ]


def _scan(layout: Layout, path: str, helpers: dict[str, Helper], *, in_startup: bool) -> list[Seen]:
    text = layout.sources.text(path)
    tree = layout.sources.module(path) if in_startup or _is_reading(layout, path) else None
    if tree is None:
        return []
    own = {**helpers, **helpers_of(tree, text)} if in_startup else helpers_of(tree, text)
    found = [Seen(read, path, is_guarded=False, target="", in_startup=in_startup) for read in class_reads(tree, text)]
    names = {one.read.name for one in found}
    waiting: list[tuple[ast.AST, bool, str, str]] = [(node, False, "", "") for node in reversed(tree.body)]
    telling = _telling_lines(text, own)
    while waiting:
        node, is_guarded, target, prefix = waiting.pop()
        if isinstance(node, ast.stmt) and not _holds_one(node, telling):
            continue
        read = read_of(node, own)
        if read is not None and read.name not in names:
            read = Read(prefix + read.name, read.line, read.is_strict, read.has_default, read.default)
            found.append(Seen(read, path, is_guarded, target, in_startup))
        if isinstance(node, ast.Call):
            found += [Seen(one, path, is_guarded, "", in_startup, is_declared=True) for one in _scheme(node)]
        waiting += reversed(
            [
                (child, is_guarded or guard, into or target, prefix + more)
                for child, guard, into, more in _children(node)
            ]
        )
    return found


def _telling_lines(text: str, helpers: dict[str, Helper]) -> list[int]:
    """Return the numbers of the lines that can read the environment: the other statements need no walk."""
    words = re.compile("|".join(("(?i:env|config|secret)", *(rf"\b{re.escape(name)}\b" for name in helpers))))
    return [number for number, line in enumerate(re.split(r"\r\n?|\n", text), 1) if words.search(line)]


def _holds_one(node: ast.stmt, lines: list[int]) -> bool:
    at = bisect_left(lines, node.lineno)
    return at < len(lines) and lines[at] <= (node.end_lineno or node.lineno)


def _children(node: ast.AST) -> list[tuple[ast.AST, bool, str, str]]:
    """Return the children of a node, each with whether it is under a condition, what it is put into, and a prefix."""
    if isinstance(node, (ast.If, ast.IfExp)):
        debug = about_debug(node.test)
        body: list[ast.AST] = [*node.body] if isinstance(node.body, list) else [node.body]
        orelse: list[ast.AST] = [*node.orelse] if isinstance(node.orelse, list) else [node.orelse]
        rows: list[tuple[ast.AST, bool, str, str]] = [(node.test, False, "", "")]
        rows += [(one, debug != "not", "", "") for one in body]
        return rows + [(one, debug != "is", "", "") for one in orelse]
    if isinstance(node, ast.BoolOp):
        # What follows `and` or `or` is asked only under the first: `"A" in os.environ and os.environ["A"]`.
        return [(one, number > 0, "", "") for number, one in enumerate(node.values)]
    if isinstance(node, ast.Try):
        is_caught = bool(node.handlers) and not _only_raises(node)
        tried: list[tuple[ast.AST, bool, str, str]] = [(one, is_caught, "", "") for one in node.body]
        return tried + [(one, True, "", "") for part in (node.handlers, node.orelse, node.finalbody) for one in part]
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        return [(child, True, "", "") for child in ast.iter_child_nodes(node)]
    if isinstance(node, ast.With):
        prefix = "".join(_prefix(item.context_expr) for item in node.items)
        return [(child, False, "", prefix) for child in ast.iter_child_nodes(node)]
    into = next(iter(targets(node)), "") if isinstance(node, ast.stmt) else ""
    return [(child, False, into, "") for child in ast.iter_child_nodes(node)]


def _only_raises(node: ast.Try) -> bool:
    return all(any(isinstance(part, ast.Raise) for part in handler.body) for handler in node.handlers)


def _prefix(node: ast.expr) -> str:
    if isinstance(node, ast.Call) and dotted(node.func).endswith(".prefixed") and node.args:
        return text_of(node.args[0]) or ""
    return ""


def _calls_of_env(layout: Layout, paths: list[str]) -> list[ast.AST]:
    trees = [layout.sources.module(path) for path in paths if "Env(" in layout.sources.text(path)]
    return [node for tree in trees if tree for node in ast.walk(tree)]


def _is_open_scheme(call: ast.AST) -> bool:
    """Tell whether `environ.Env(**more)` declares variables that stand somewhere else."""
    is_scheme = isinstance(call, ast.Call) and dotted(call.func).endswith(("Env", "FileAwareEnv"))
    return is_scheme and isinstance(call, ast.Call) and any(word.arg is None for word in call.keywords)


def _scheme(call: ast.Call) -> list[Read]:
    """Return what `environ.Env(NAME=(type, default))` declares."""
    if not dotted(call.func).endswith(("Env", "FileAwareEnv")):
        return []
    found = []
    for word in call.keywords:
        if word.arg and word.arg.isupper():
            pair = word.value.elts if isinstance(word.value, ast.Tuple) else []
            default = pair[1].value if len(pair) == 2 and isinstance(pair[1], ast.Constant) else None  # noqa: PLR2004
            found.append(Read(word.arg, word.value.lineno, is_strict=False, has_default=len(pair) > 1, default=default))
    return found


def _variable(seen: Seen, needed: set[str]) -> Variable:
    read = seen.read
    is_strict = read.is_strict and not seen.is_guarded and seen.in_startup
    default = None if read.default in (None, Ellipsis) else str(read.default)[:200].encode("utf-8", "replace").decode()
    why = "nothing stands in for it" if is_strict else "the project checks for it" if read.name in needed else ""
    return Variable(
        read.name, is_strict or (read.name in needed and seen.in_startup), seen.file, read.line, default, why
    )


def _add_own(layout: Layout, settings_fact: Fact, variables: dict[str, Variable]) -> None:
    """DJANGO_SETTINGS_MODULE and DJANGO_CONFIGURATION are required where the default is not the one for production."""
    for path in layout.python_files:
        text = layout.sources.text(path)
        if "DJANGO_SETTINGS_MODULE" not in text and "DJANGO_CONFIGURATION" not in text:
            continue
        tree = layout.sources.module(path)
        for node in ast.walk(tree) if tree else ():
            words = [text_of(one) for one in node.args] if isinstance(node, ast.Call) else []
            if len(words) > 1 and words[1] and words[0] in ("DJANGO_SETTINGS_MODULE", "DJANGO_CONFIGURATION"):
                name = words[0]
                is_wrong = (
                    words[1] != settings_fact.value
                    if name == "DJANGO_SETTINGS_MODULE"
                    else words[1].lower() in DEVELOPMENT
                )
                is_entry = path == layout.manage or path.endswith(("wsgi.py", "asgi.py"))
                if isinstance(node, ast.Call) and (
                    name not in variables or (is_wrong and is_entry and not variables[name].required)
                ):
                    why = f"the default {words[1]} is not for production" if is_wrong else ""
                    variables[name] = Variable(name, is_wrong and is_entry, path, node.lineno, words[1], why)
