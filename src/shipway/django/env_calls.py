"""One expression that reads the environment: which variable, by which library, and what it does without it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from shipway.django.syntax import dotted, keyword, text_of

NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,80}$")
_UPPER = re.compile(r"^[A-Z][A-Z0-9_]{0,80}$")
_READER = re.compile(
    r"(?i)^(env|config|getenv|get_?env\w*|env_?\w+|\w+_from_env|\w+_env|from_env|get_secret|get_config|envsecret|decouple_config|\w*environ\w*)$"
)
_KINDS = frozenset(
    ("str", "bool", "int", "float", "list", "tuple", "dict", "json", "path", "url", "unicode", "bytes",
     "decimal", "datetime", "date", "timedelta", "uuid", "enum", "log_level", "get_value", "dj_email_url",
     "dj_cache_url", "parse_env_var", "get", "string", "boolean")
)  # fmt: skip
# What django-environ and environs read when the call names no variable.
_IMPLIED = {
    "db": "DATABASE_URL", "db_url": "DATABASE_URL", "dj_db_url": "DATABASE_URL",
    "cache": "CACHE_URL", "cache_url": "CACHE_URL",
    "dj_cache_url": "CACHE_URL", "email": "EMAIL_URL", "email_url": "EMAIL_URL", "dj_email_url": "EMAIL_URL",
    "search_url": "SEARCH_URL", "channels": "CHANNELS_URL", "channels_url": "CHANNELS_URL",
}  # fmt: skip
_URL_LIBRARIES = {
    "dj_database_url.config": "DATABASE_URL",
    "dj_email_url.config": "EMAIL_URL",
    "django_cache_url.config": "CACHE_URL",
    "dj_cache_url.config": "CACHE_URL",
    "dj_search_url.config": "SEARCH_URL",
}


@dataclass(frozen=True, slots=True)
class Helper:
    """A function of the project that reads the variable named by one of its parameters."""

    position: int
    default_position: int
    default_name: str
    is_strict: bool


@dataclass(frozen=True, slots=True)
class Read:
    """One reading. `has_default`: the call itself says what holds without the variable; `is_strict`: it fails then."""

    name: str
    line: int
    is_strict: bool
    has_default: bool = False
    default: object = None


def read_of(node: ast.AST, helpers: dict[str, Helper]) -> Read | None:
    """Return what an expression reads from the environment, None when it reads nothing."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and is_environ(node.value):
        name = text_of(node.slice)
        return Read(name, node.lineno, is_strict=True) if name and NAME.match(name) else None
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], (ast.In, ast.NotIn)):
        name = text_of(node.left)
        is_read = name and NAME.match(name) and is_environ(node.comparators[0])
        return Read(name or "", node.lineno, is_strict=False) if is_read else None
    return _call(node, helpers) if isinstance(node, ast.Call) else None


def is_environ(node: ast.AST) -> bool:
    """Tell whether an expression is the environment itself."""
    return dotted(node) in ("os.environ", "environ", "_os.environ", "env", "ENV", "self.env", "os.environb", "envs")


def _call(call: ast.Call, helpers: dict[str, Helper]) -> Read | None:  # noqa: PLR0911  a line for each library
    function = dotted(call.func)
    head, _, last = function.rpartition(".")
    first = text_of(call.args[0]) if call.args else text_of(keyword(call, "var", "name", "env_name", "key"))
    if function in _URL_LIBRARIES:
        name = text_of(keyword(call, "env")) or first or _URL_LIBRARIES[function]
        return _read(call, name, keyword(call, "default"), is_strict=False)
    if function in helpers:
        return _by_helper(call, helpers[function])
    if function.endswith(("environ.get", "environ.pop", "environ.setdefault", "getenv")):
        return _read(call, first, _default(call, 1), is_strict=False)
    is_env = head in ("env", "Env", "environ", "config", "envs") or head.endswith(".env")
    if is_env and last in _IMPLIED and (first is None or NAME.match(first)):
        return _read(call, first or _IMPLIED[last], _default(call, 1), is_strict=True)
    if is_env and last in _KINDS:
        return _read(call, first, _default(call, 1), is_strict=last != "get")
    if not head and _READER.match(last) and first and _UPPER.match(first):
        is_known = last in ("env", "config", "decouple_config", "get_env_variable", "get_env_var", "require_env")
        return _read(call, first, _default(call, 1), is_strict=is_known)
    return None


def _by_helper(call: ast.Call, helper: Helper) -> Read | None:
    node = call.args[helper.position] if len(call.args) > helper.position else None
    default = _default(call, helper.default_position) if helper.default_position >= 0 else None
    if default is None and helper.default_name:
        default = keyword(call, helper.default_name)
    return _read(call, text_of(node), default, is_strict=helper.is_strict)


def _default(call: ast.Call, position: int) -> ast.expr | None:
    named = keyword(call, "default", "default_value", "fallback", "dflt")
    positional = (
        call.args[position] if len(call.args) > position and not isinstance(call.args[position], ast.Starred) else None
    )
    found = named if named is not None else positional
    return None if found is not None and dotted(found).endswith((".NOTSET", ".undefined", "NOTSET")) else found


def _read(call: ast.Call, name: str | None, default: ast.expr | None, *, is_strict: bool) -> Read | None:
    if name is None or not NAME.match(name):
        return None
    value = default.value if isinstance(default, ast.Constant) else None
    if isinstance(default, (ast.List, ast.Tuple)) and not default.elts:
        value = ""
    elif default is not None and not isinstance(default, ast.Constant):
        value = Ellipsis
    return Read(name, call.lineno, is_strict and default is None, default is not None, value)


def helpers_of(tree: ast.Module, text: str) -> dict[str, Helper]:
    """Return the functions of a module that read the environment by a parameter; `text` is that of the module."""
    found: dict[str, Helper] = {}
    if "env" not in text:
        return found
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            helper = _helper(node)
            if helper is not None:
                found[node.name] = helper
    return found


def _helper(node: ast.FunctionDef) -> Helper | None:
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
    key, is_strict = _key_of(node, names)
    if not key:
        return None
    with_default = names[len(names) - len(node.args.defaults) :] if node.args.defaults else []
    others = [name for name in names if name != key]
    wanted = next((name for name in others if "default" in name or "fallback" in name), others[0] if others else "")
    kwonly = next((a.arg for a in node.args.kwonlyargs if "default" in a.arg), "")
    raises = any(isinstance(one, ast.Raise) for one in ast.walk(node))
    has_default = bool(wanted or kwonly) and (wanted in with_default or bool(kwonly))
    position = names.index(wanted) if wanted else -1
    return Helper(
        names.index(key), position, wanted or kwonly, is_strict or (raises and not has_default and not wanted)
    )


def _key_of(node: ast.FunctionDef, names: list[str]) -> tuple[str, bool]:
    """Return the parameter that names the variable, and whether the function fails without the variable."""
    is_caught = any(isinstance(one, ast.Try) for one in ast.walk(node))
    for one in ast.walk(node):
        key: ast.AST | None = None
        is_strict = False
        if isinstance(one, ast.Subscript) and is_environ(one.value):
            key, is_strict = one.slice, not is_caught or any(isinstance(part, ast.Raise) for part in ast.walk(node))
        elif (
            isinstance(one, ast.Call)
            and one.args
            and dotted(one.func).endswith(("environ.get", "getenv", "env.get", "environ.pop"))
        ):
            key = one.args[0]
        if isinstance(key, ast.Name) and key.id in names:
            return key.id, is_strict and not _has_check(node)
    return "", False


def _has_check(node: ast.FunctionDef) -> bool:
    """Tell whether the function looks for the variable before it takes it."""
    return any(
        isinstance(one, ast.Compare) and any(is_environ(part) for part in one.comparators) for one in ast.walk(node)
    )
