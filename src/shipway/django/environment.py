"""The environment variables that a project reads, and which of them production cannot do without."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace

from shipway.django.env_calls import Helper, Read, helpers_of, is_environ, read_of
from shipway.django.env_classes import class_reads
from shipway.django.fact import Fact, Variable
from shipway.django.layout import Layout
from shipway.django.settings import Settings
from shipway.django.settings_module import DEVELOPMENT
from shipway.django.syntax import dotted, imported_modules, targets, text_of

MAX_FILES = 400
"""Files of the project that read the environment."""
_TOUCHES = ("environ", "getenv", "decouple", "env(", "env.", "BaseSettings", "_env(", "get_env")


_ELSEWHERE = ("DEBUG", "DEVELOPMENT", "TESTING", "DEV_MODE", "TEST_MODE", "IS_TEST", "IS_DEV")
"""Names of flags that are off in production."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A reading where it stands: `is_guarded` when only under some condition, `target` what it is put into."""

    read: Read
    file: str
    is_guarded: bool
    target: str
    in_startup: bool
    is_declared: bool = False


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
    seen: list[_Seen] = []
    for path in [*startup, *rest][:MAX_FILES]:
        seen += _scan(layout, path, helpers, in_startup=path in startup)
    declared = {one.read.name for one in seen if one.is_declared and one.read.has_default}
    seen = [replace(one, read=replace(one.read, is_strict=False)) if one.read.name in declared else one for one in seen]
    needed = _checked(layout, settings, seen)
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


def _scan(layout: Layout, path: str, helpers: dict[str, Helper], *, in_startup: bool) -> list[_Seen]:
    text = layout.sources.text(path)
    tree = layout.sources.module(path) if in_startup or _is_reading(layout, path) else None
    if tree is None:
        return []
    own = {**helpers, **helpers_of(tree, text)} if in_startup else helpers_of(tree, text)
    found = [_Seen(read, path, is_guarded=False, target="", in_startup=in_startup) for read in class_reads(tree, text)]
    names = {one.read.name for one in found}
    waiting: list[tuple[ast.AST, bool, str, str]] = [(node, False, "", "") for node in reversed(tree.body)]
    while waiting:
        node, is_guarded, target, prefix = waiting.pop()
        read = read_of(node, own)
        if read is not None and read.name not in names:
            read = Read(prefix + read.name, read.line, read.is_strict, read.has_default, read.default)
            found.append(_Seen(read, path, is_guarded, target, in_startup))
        if isinstance(node, ast.Call):
            found += [_Seen(one, path, is_guarded, "", in_startup, is_declared=True) for one in _scheme(node)]
        waiting += reversed(
            [
                (child, is_guarded or guard, into or target, prefix + more)
                for child, guard, into, more in _children(node)
            ]
        )
    return found


def _children(node: ast.AST) -> list[tuple[ast.AST, bool, str, str]]:
    """Return the children of a node, each with whether it is under a condition, what it is put into, and a prefix."""
    if isinstance(node, (ast.If, ast.IfExp)):
        debug = _about_debug(node.test)
        body: list[ast.AST] = [*node.body] if isinstance(node.body, list) else [node.body]
        orelse: list[ast.AST] = [*node.orelse] if isinstance(node.orelse, list) else [node.orelse]
        rows: list[tuple[ast.AST, bool, str, str]] = [(node.test, False, "", "")]
        rows += [(one, debug != "not", "", "") for one in body]
        return rows + [(one, debug != "is", "", "") for one in orelse]
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


def _about_debug(test: ast.expr) -> str:
    """Return "not" for a test that holds in production (`not DEBUG`), "is" for its contrary, "" for any other."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and dotted(test.operand).endswith(_ELSEWHERE):
        return "not"
    return "is" if dotted(test).endswith(_ELSEWHERE) else ""


def _only_raises(node: ast.Try) -> bool:
    return all(any(isinstance(part, ast.Raise) for part in handler.body) for handler in node.handlers)


def _prefix(node: ast.expr) -> str:
    if isinstance(node, ast.Call) and dotted(node.func).endswith(".prefixed") and node.args:
        return text_of(node.args[0]) or ""
    return ""


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


def _checked(layout: Layout, settings: Settings, seen: list[_Seen]) -> set[str]:
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
            name = text_of(part) if isinstance(one, ast.Constant) else None
            found |= {name} if name else set()
    return found


def _absences(test: ast.expr) -> list[ast.expr]:
    """Return what a test finds missing: X of `not X`, `X is None`, `X == ""`; the name of `"X" not in os.environ`.

    A part of `and` counts only beside `not DEBUG`: what is looked at beside another condition is not always required.
    """
    if isinstance(test, ast.BoolOp):
        rest = [one for one in test.values if _about_debug(one) != "not"]
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
                if any(target in targets(one) for one in bodies) and not any(
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
                    and _about_debug(one.test) == "not"
                    and any(isinstance(part, ast.Raise) for part in one.body)
                    for one in node.body
                )
                found |= into.get(name, set()) if raises else set()
    return found


def _variable(seen: _Seen, needed: set[str]) -> Variable:
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
