"""Environment variables that classes declare: django-configurations values and pydantic-settings models."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from shipway.django.env_calls import Read
from shipway.django.syntax import dotted, keyword, text_of

# django-configurations: classes of `configurations.values` whose variable has to be set.
_STRICT_VALUES = ("SecretValue",)
_NEEDED = ("SECRET_KEY", "ALLOWED_HOSTS")
"""Without these settings Django does not start, or refuses every request."""


def class_reads(tree: ast.Module, text: str) -> list[Read]:
    """Return the variables that the classes of a module declare; `text` is that of the module."""
    if "Value(" not in text and "BaseSettings" not in text:
        return []
    found: list[Read] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            bases = [dotted(base).rpartition(".")[2] for base in node.bases]
            if any(base.endswith("BaseSettings") for base in bases):
                # In pydantic 1 a field that may be None has None for its default; in 2 it has none.
                is_old = re.search(r"from pydantic import[^\n]*\bBaseSettings\b", text) is not None
                found += [_optional(read, node) if is_old else read for read in _pydantic(node)]
            else:
                found += _configuration(node)
    return found


def _configuration(node: ast.ClassDef) -> Iterator[Read]:
    """Read `NAME = values.Value(default, environ_name=…, environ_prefix=…)`, also deeper inside an expression."""
    for statement in node.body:
        target = _target(statement)
        value = statement.value if isinstance(statement, (ast.Assign, ast.AnnAssign)) else None
        for call in ast.walk(value) if value is not None else ():
            if isinstance(call, ast.Call) and dotted(call.func).endswith("Value"):
                found = _value(call, target, is_whole=call is value)
                if found is not None:
                    yield found


def _value(call: ast.Call, target: str, *, is_whole: bool) -> Read | None:
    function = dotted(call.func)
    if (
        not function.startswith("values.")
        and keyword(call, "environ_name") is None
        and not (is_whole and target.isupper())
    ):
        return None
    prefix_node = keyword(call, "environ_prefix")
    prefix = "DJANGO" if prefix_node is None else text_of(prefix_node) or ""
    name = text_of(keyword(call, "environ_name")) or (_implied(function) or target)
    if not name or not name.isupper():
        return None
    given = keyword(call, "default") or (call.args[0] if call.args else None)
    required = keyword(call, "environ_required")
    is_required = isinstance(required, ast.Constant) and required.value is True
    is_empty = (
        given is None
        or (isinstance(given, ast.Constant) and not given.value)
        or (isinstance(given, (ast.List, ast.Tuple)) and not given.elts)
    )
    is_strict = is_required or function.endswith(_STRICT_VALUES) or (target in _NEEDED and is_empty)
    default = given.value if isinstance(given, ast.Constant) else None
    return Read(f"{prefix}_{name}" if prefix else name, call.lineno, is_strict, given is not None, default)


def _implied(function: str) -> str:
    kinds = {
        "DatabaseURLValue": "DATABASE_URL",
        "CacheURLValue": "CACHE_URL",
        "EmailURLValue": "EMAIL_URL",
        "SearchURLValue": "SEARCH_URL",
    }
    return kinds.get(function.rpartition(".")[2], "")


def _target(statement: ast.stmt) -> str:
    target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
    return target.id if isinstance(target, ast.Name) else ""


def _pydantic(node: ast.ClassDef) -> Iterator[Read]:
    """Read the fields of a BaseSettings model; the variable is the field's name in capitals, after the prefix."""
    prefix = ""
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and dotted(one.func).endswith("SettingsConfigDict"):
            prefix = text_of(keyword(one, "env_prefix")) or prefix
        elif isinstance(one, ast.Assign) and _target(one) == "env_prefix":
            prefix = text_of(one.value) or prefix
        elif isinstance(one, ast.Dict):
            pairs = {text_of(key): text_of(value) for key, value in zip(one.keys, one.values, strict=True)}
            prefix = pairs.get("env_prefix") or prefix
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            field = statement.target.id
            if field != "model_config" and not field.startswith("_"):
                yield _field(statement, field, prefix)


def _optional(read: Read, node: ast.ClassDef) -> Read:
    field = next((s for s in node.body if isinstance(s, ast.AnnAssign) and s.lineno == read.line), None)
    parts = list(ast.walk(field.annotation)) if field is not None else []
    names_none = any(isinstance(one, ast.Constant) and one.value is None for one in parts)
    is_optional = names_none or any(dotted(one).endswith("Optional") for one in parts)
    return replace(read, is_strict=read.is_strict and not is_optional)


def _field(statement: ast.AnnAssign, field: str, prefix: str) -> Read:
    value = statement.value
    name, is_strict = f"{prefix}{field}".upper(), value is None
    if isinstance(value, ast.Call) and dotted(value.func).rpartition(".")[2] == "Field":
        given = keyword(value, "default", "default_factory") or (value.args[0] if value.args else None)
        is_strict = given is None or (isinstance(given, ast.Constant) and given.value is Ellipsis)
        name = (text_of(keyword(value, "validation_alias", "alias", "env")) or name).upper()
    default = value.value if isinstance(value, ast.Constant) else None
    return Read(name, statement.lineno, is_strict, value is not None, default)
