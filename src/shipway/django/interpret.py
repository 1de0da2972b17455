"""A small abstract interpreter for settings: statements. It reads trees; nothing of the project is run.

Every walk is bounded: by steps, by the depth of calls and expressions, and by the sizes of values. What is beyond a
bound is unknown. The environment is the one given, which is what a production container would start with.
"""

from __future__ import annotations

import ast
import fnmatch
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from shipway.django.expressions import Evaluator
from shipway.django.layout import Layout
from shipway.django.syntax import absolute, dotted
from shipway.django.tree import join, parent
from shipway.django.values import (
    PROJECT,
    UNKNOWN_VALUE,
    ClassValue,
    Either,
    Function,
    Ref,
    Scope,
    Unknown,
    either,
    truth,
)

MAX_STEPS = 60_000
MAX_DEPTH = 24
MAX_LOOP = 200
MAX_LOADED = 60
"""Modules that are read for the settings' sake, beyond the star chain; and files that they include."""
MAX_HELPER_CHARS = 60_000


@dataclass
class Interpreter:
    """Reads modules of one project with one environment. `loaded` are the modules read, in order.

    `is_exact`: the environment is all that a process will have; otherwise what it would say of DEBUG is not asked.
    """

    layout: Layout
    environ: Mapping[str, object] = field(default_factory=dict)
    steps: int = 0
    depth: int = 0
    loaded: dict[str, Scope] = field(default_factory=dict)
    included: set[str] = field(default_factory=set)
    stars: dict[str, list[str]] = field(default_factory=dict)
    is_exact: bool = False

    def __post_init__(self) -> None:
        self.expressions = Evaluator(self)

    def load(self, path: str) -> Scope:
        """Return the names of the module in `path`; those bound so far, when it is being loaded just now."""
        if path in self.loaded:
            return self.loaded[path]
        name = self.layout.module_name(path)
        package = name if self.layout.is_package(path) else name.rpartition(".")[0]
        scope = Scope(path, package)
        scope.names.update(__file__=str(PROJECT / path), __name__=name)
        self.loaded[path] = scope
        tree = self.layout.sources.module(path)
        if tree is not None and self.depth < MAX_DEPTH:
            self.depth += 1
            # A chain of thousands of `elif` is nested as deep: what was read until then is kept.
            with suppress(RecursionError):
                self.run(tree.body, scope)
            self.depth -= 1
        return scope

    def run(self, body: Sequence[ast.stmt], scope: Scope) -> None:
        """Carry out statements in `scope`, until one of them ends it."""
        for node in body:
            self.steps += 1
            if scope.is_stopped or self.steps > MAX_STEPS:
                return
            self._statement(node, scope)

    def _statement(self, node: ast.stmt, scope: Scope) -> None:
        evaluate = self.expressions.value
        match node:
            case ast.Assign():
                value = evaluate(node.value, scope)
                is_debug = dotted(node.targets[0]) == "DEBUG" and not isinstance(node.value, ast.Constant)
                # What DEBUG is computed from is off in production, whatever its default is.
                value = False if is_debug and not self.is_exact else value
                for target in node.targets:
                    self._bind(target, value, scope)
            case ast.AnnAssign(value=ast.expr()):
                self._bind(node.target, evaluate(node.value, scope) if node.value else None, scope)
            case ast.AugAssign():
                joined = self.expressions.add(evaluate(node.target, scope), evaluate(node.value, scope))
                is_sum = isinstance(node.op, ast.Add)
                self._bind(node.target, joined if is_sum else UNKNOWN_VALUE, scope)
            case ast.Expr():
                if not (isinstance(node.value, ast.Call) and self._special(node.value, scope)):
                    evaluate(node.value, scope)
            case ast.Return():
                scope.result = evaluate(node.value, scope) if node.value else None
                scope.has_result = scope.is_stopped = True
            case ast.Raise():
                # What is not known would have to be set in production: read on as if the check had passed.
                scope.is_stopped = scope.outer is not None and not scope.has_result and self.depth > 1
            case _:
                self._compound(node, scope)

    def _compound(self, node: ast.stmt, scope: Scope) -> None:  # noqa: C901  a line for each kind of statement
        match node:
            case ast.If():
                self._branch(self.expressions.value(node.test, scope), node.body, node.orelse, scope)
            case ast.For():
                self._loop(node, scope)
            case ast.With():
                self.run(node.body, scope)
            case ast.Try():
                self._attempt(node, scope)
            case ast.Match():
                self._match(node, scope)
            case ast.FunctionDef():
                scope.bind(node.name, Function(node, scope), node.lineno)
            case ast.ClassDef():
                self._class(node, scope)
            case ast.Import():
                for alias in node.names:
                    name = alias.asname or alias.name.partition(".")[0]
                    scope.bind(name, Ref(alias.name if alias.asname else name), node.lineno)
            case ast.ImportFrom():
                self._import(node, scope)
            case _:
                pass

    def _branch(self, test: object, body: Sequence[ast.stmt], orelse: Sequence[ast.stmt], scope: Scope) -> None:
        decided = truth(test)
        if decided is not None:
            self.run(body if decided else orelse, scope)
            return
        before = dict(scope.names)
        self.run(body, scope)
        after, has_ended = scope.names, scope.is_stopped
        result, has_result = scope.result, scope.has_result
        scope.names, scope.is_stopped, scope.has_result = before, False, False
        self.run(orelse, scope)
        if has_ended and not has_result:
            return
        if has_result:
            scope.result = either(result, scope.result) if scope.has_result else result
            scope.has_result = True
            return
        for name, value in after.items():
            other = scope.names.get(name, UNKNOWN_VALUE)
            scope.names[name] = value if other is value else either(value, other)

    def _loop(self, node: ast.For, scope: Scope) -> None:
        found = self.expressions.items(self.expressions.value(node.iter, scope))
        for item in found[:MAX_LOOP]:
            self._bind(node.target, item, scope)
            self.run(node.body, scope)
        if not found:
            self._bind(node.target, UNKNOWN_VALUE, scope)

    def _attempt(self, node: ast.Try, scope: Scope) -> None:
        """Read the body; a handler only when the body imports a module that is not in the tree but would be ours."""
        missing = [
            part
            for part in node.body
            if isinstance(part, ast.ImportFrom) and part.level and not self._file(absolute(part, scope.package))
        ]
        if missing and node.handlers:
            self.run(node.handlers[0].body, scope)
        else:
            self.run(node.body, scope)
            self.run(node.orelse, scope)
        self.run(node.finalbody, scope)

    def _match(self, node: ast.Match, scope: Scope) -> None:
        subject = self.expressions.value(node.subject, scope)
        for case in node.cases:
            wanted = case.pattern.value if isinstance(case.pattern, ast.MatchValue) else None
            is_rest = isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None
            is_same = isinstance(wanted, ast.Constant) and isinstance(subject, (str, int)) and wanted.value == subject
            if is_rest or is_same:
                self.run(case.body, scope)
                return

    def _class(self, node: ast.ClassDef, scope: Scope) -> None:
        bases = [self.expressions.value(base, scope) for base in node.bases[:8]]
        inner = Scope(scope.file, scope.package, outer=scope)
        names = tuple(b.name if isinstance(b, (Ref, ClassValue)) else "" for b in bases)
        for base in reversed(bases):
            if isinstance(base, ClassValue):
                inner.names.update(base.names)
                inner.lines.update(base.lines)
                names = (*names, *base.bases)
        self.run(node.body, inner)
        scope.bind(node.name, ClassValue(node.name, inner.names, inner.lines, names), node.lineno)

    def _import(self, node: ast.ImportFrom, scope: Scope) -> None:
        module = absolute(node, scope.package)
        path = self._file(module)
        if any(alias.name == "*" for alias in node.names):
            self._star(path, scope, node.lineno)
            return
        for alias in node.names:
            value: object = Ref(f"{module}.{alias.name}")
            child = self._file(f"{module}.{alias.name}")
            if path and path != scope.file and self._is_light(path):
                value = self.load(path).names.get(alias.name, value)
            if isinstance(value, Ref) and child and value.name == f"{module}.{alias.name}":
                value = Ref(value.name)
            scope.bind(alias.asname or alias.name, value, node.lineno)

    def _star(self, path: str, scope: Scope, line: int) -> None:
        if not path:
            return
        self.stars.setdefault(scope.file, []).append(path)
        other = self.load(path)
        for name, value in list(other.names.items()):
            if not name.startswith("_"):
                scope.names[name] = value
                scope.lines[name] = other.lines.get(name, (scope.file, line))

    def _special(self, call: ast.Call, scope: Scope) -> bool:
        """Take in what two libraries do to a settings module; tell whether the call is one of theirs."""
        if dotted(call.func).rpartition(".")[2] == "load_settings" and isinstance(call.func, ast.Attribute):
            owner = self.expressions.value(call.func.value, scope)
            for name, value in list(owner.names.items()) if isinstance(owner, ClassValue) else ():
                if name.isupper() and isinstance(owner, ClassValue):
                    scope.names[name] = self.expressions.member(owner, name) if isinstance(value, Function) else value
                    scope.lines[name] = owner.lines.get(name, (scope.file, call.lineno))
            return isinstance(owner, ClassValue)
        if self.expressions.value(call.func, scope) != Ref("split_settings.tools.include"):
            return False
        for word in [part for argument in call.args for part in ast.walk(argument)]:
            value = self.expressions.value(word, scope) if isinstance(word, (ast.Constant, ast.Name)) else None
            for name in value if isinstance(value, (list, tuple)) else (value,):
                self._include(name, scope)
        return True

    def _include(self, name: object, scope: Scope) -> None:
        """Read a file as part of this module, as django-split-settings does; `*` in its name stands for any letters."""
        pattern = join(parent(scope.file), name) if isinstance(name, str) else ""
        is_known = pattern in self.included or len(self.included) >= MAX_LOADED
        self.included.add(pattern)
        for path in (
            fnmatch.filter(self.layout.sources.paths, pattern) if pattern[-3:] == ".py" and not is_known else ()
        ):
            tree = self.layout.sources.module(path)
            home = scope.file
            self.stars.setdefault(home, []).append(path)
            if tree is not None and path != home and self.depth < MAX_DEPTH:
                self.depth += 1
                scope.file = path
                self.run(tree.body, scope)
                scope.file = home
                self.depth -= 1

    def _is_light(self, path: str) -> bool:
        """Settings import helpers and constants; models and views among them would cost time and tell nothing."""
        return len(self.layout.sources.text(path)) < MAX_HELPER_CHARS and len(self.loaded) < MAX_LOADED

    def _file(self, module: str) -> str:
        return self.layout.module_path(module)

    def _bind(self, target: ast.expr, value: object, scope: Scope) -> None:
        match target:
            case ast.Name():
                scope.bind(target.id, value, target.lineno)
            case ast.Tuple() | ast.List():
                items = self.expressions.items(value)
                for number, part in enumerate(target.elts):
                    self._bind(part, items[number] if number < len(items) else UNKNOWN_VALUE, scope)
            case ast.Subscript():
                self._set_item(target, value, scope)
            case _:
                pass

    def _set_item(self, target: ast.Subscript, value: object, scope: Scope) -> None:
        place = self.expressions.value(target.value, scope)
        key = self.expressions.value(target.slice, scope)
        for one in place.values if isinstance(place, Either) else (place,):
            if isinstance(one, dict) and isinstance(key, (str, int)) and not isinstance(key, Unknown):
                one[key] = value
