"""A small abstract interpreter for settings: expressions. See `interpret` for its bounds."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from shipway.django.calls import MAX_CHARS, Surroundings, call_known, call_method
from shipway.django.syntax import dotted
from shipway.django.values import UNKNOWN_VALUE, ClassValue, Either, Function, Ref, Scope, Unknown, either, truth

if TYPE_CHECKING:
    from shipway.django.interpret import Interpreter

MAX_EXPRESSION_DEPTH = 60
MAX_CALL_DEPTH = 12
MAX_ITEMS = 4_000
MAX_NUMBER = 10**15
"""A factor beyond this makes the product unknown: squaring a number 60 times would fill the memory."""
_COMPARE: dict[type[ast.cmpop], Callable[[object, object], bool]] = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.Is: lambda a, b: a is b or (a == b and a in (True, False)),
    ast.IsNot: lambda a, b: not (a is b or (a == b and a in (True, False))),
    ast.In: lambda a, b: a in b,  # type: ignore[operator]
    ast.NotIn: lambda a, b: a not in b,  # type: ignore[operator]
}


class Evaluator:
    """Finds the values of expressions for one interpreter."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._around = Surroundings(interpreter.environ)
        self._depth = 0
        self._calls = 0

    def value(self, node: ast.AST | None, scope: Scope) -> object:
        """Return the value of an expression, UNKNOWN_VALUE where reading does not tell it."""
        self._interpreter.steps += 1
        if node is None or self._depth > MAX_EXPRESSION_DEPTH:
            return UNKNOWN_VALUE
        self._depth += 1
        try:
            return self._value(node, scope)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError, RecursionError):
            return UNKNOWN_VALUE
        finally:
            self._depth -= 1

    def _value(self, node: ast.AST, scope: Scope) -> object:  # noqa: PLR0911  a line for each kind of expression
        match node:
            case ast.Constant():
                return node.value
            case ast.Name():
                return scope.find(node.id)
            case ast.Attribute():
                return self._attribute(node, scope)
            case ast.Subscript():
                return self._subscript(node, scope)
            case ast.Call():
                return self._call(node, scope)
            case ast.List() | ast.Tuple() | ast.Set():
                return self._sequence(node, scope)
            case ast.Dict():
                return self._dict(node, scope)
            case ast.JoinedStr():
                return self._joined(node, scope)
            case ast.NamedExpr():
                value = self.value(node.value, scope)
                scope.bind(node.target.id, value, node.lineno)
                return value
            case _:
                return self._operation(node, scope)

    def _operation(self, node: ast.AST, scope: Scope) -> object:  # noqa: PLR0911  as above
        match node:
            case ast.BinOp():
                return self._binary(node, scope)
            case ast.BoolOp():
                return self._bool(node, scope)
            case ast.Compare():
                return self._compare(node, scope)
            case ast.UnaryOp(op=ast.Not()):
                found = truth(self.value(node.operand, scope))
                return UNKNOWN_VALUE if found is None else not found
            case ast.UnaryOp(op=ast.USub()):
                number = self.value(node.operand, scope)
                return -number if isinstance(number, (int, float)) else UNKNOWN_VALUE
            case ast.IfExp():
                found = truth(self.value(node.test, scope))
                if found is None:
                    return either(self.value(node.body, scope), self.value(node.orelse, scope))
                return self.value(node.body if found else node.orelse, scope)
            case ast.ListComp() | ast.GeneratorExp() | ast.SetComp():
                return self._comprehension(node, scope)
            case _:
                return UNKNOWN_VALUE

    def items(self, value: object) -> list[object]:
        """Return the items of a container; [] for what has none."""
        if isinstance(value, Either):
            return [item for one in value.values for item in self.items(one)]
        return list(value)[:MAX_ITEMS] if isinstance(value, (list, tuple, set, dict)) else []

    def add(self, one: object, other: object) -> object:
        """Return the sum of two values; lists with an unknown part keep the part that is known."""
        if isinstance(one, Either) or isinstance(other, Either):
            ones = one.values if isinstance(one, Either) else (one,)
            others = other.values if isinstance(other, Either) else (other,)
            return either(*(self.add(a, b) for a in ones for b in others))
        if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
            return type(one)([*one, *other][:MAX_ITEMS])
        if isinstance(one, (list, tuple)) or isinstance(other, (list, tuple)):
            return one if isinstance(one, (list, tuple)) else other
        if isinstance(one, str) and isinstance(other, str):
            return (one + other)[:MAX_ITEMS]
        if isinstance(one, (int, float)) and isinstance(other, (int, float)):
            return one + other
        return UNKNOWN_VALUE

    def _attribute(self, node: ast.Attribute, scope: Scope) -> object:
        place = self.value(node.value, scope)
        match place:
            case Ref():
                return self._of_module(place, node.attr)
            case ClassValue():
                return self.member(place, node.attr)
            case PurePosixPath() if node.attr in ("parent", "parents", "name", "stem", "suffix"):
                return list(place.parents) if node.attr == "parents" else getattr(place, node.attr)
            case _:
                return UNKNOWN_VALUE

    def member(self, owner: ClassValue, name: str) -> object:
        """Return an attribute of a class; that of a property is what its function returns for the class itself."""
        value = owner.names.get(name, UNKNOWN_VALUE)
        is_property = isinstance(value, Function) and any(
            dotted(one) == "property" for one in value.node.decorator_list
        )
        return self.call(value, [owner], {}) if is_property and isinstance(value, Function) else value

    def _of_module(self, place: Ref, name: str) -> object:
        path = self._interpreter.layout.module_path(place.name)
        if path and path in self._interpreter.loaded:
            return self._interpreter.loaded[path].names.get(name, Ref(f"{place.name}.{name}"))
        return Ref(f"{place.name}.{name}")

    def _subscript(self, node: ast.Subscript, scope: Scope) -> object:
        place = self.value(node.value, scope)
        if isinstance(place, Ref) and place.name == "os.environ":
            key = self.value(node.slice, scope)
            return self._interpreter.environ.get(key, UNKNOWN_VALUE) if isinstance(key, str) else UNKNOWN_VALUE
        if isinstance(node.slice, ast.Slice):
            return place if isinstance(place, (list, tuple)) else UNKNOWN_VALUE
        key = self.value(node.slice, scope)
        found = [
            item
            for one in (place.values if isinstance(place, Either) else (place,))
            if (item := _item(one, key)) is not UNKNOWN_VALUE
        ]
        return either(*found) if found else UNKNOWN_VALUE

    def _sequence(self, node: ast.List | ast.Tuple | ast.Set, scope: Scope) -> object:
        found: list[object] = []
        for item in node.elts[:MAX_ITEMS]:
            if isinstance(item, ast.Starred):
                found += self.items(self.value(item.value, scope))
            else:
                found.append(self.value(item, scope))
        return tuple(found) if isinstance(node, ast.Tuple) else found

    def _dict(self, node: ast.Dict, scope: Scope) -> object:
        found: dict[object, object] = {}
        for key, value in list(zip(node.keys, node.values, strict=True))[:MAX_ITEMS]:
            if key is None:
                other = self.value(value, scope)
                found.update(other if isinstance(other, dict) else {})
                continue
            name = self.value(key, scope)
            # A computed name of which nothing is known still holds what is under it: keep it under a name of its own.
            found[name if isinstance(name, (str, int)) else dotted(key) or "?"] = self.value(value, scope)
        return found

    def _joined(self, node: ast.JoinedStr, scope: Scope) -> object:
        words: list[str] = []
        for part in node.values:
            value = self.value(part.value if isinstance(part, ast.FormattedValue) else part, scope)
            if not isinstance(value, (str, int, float, bool, PurePosixPath, type(None))):
                return UNKNOWN_VALUE
            words.append(str(value))
        return "".join(words)[:MAX_CHARS]

    def _binary(self, node: ast.BinOp, scope: Scope) -> object:
        one, other = self.value(node.left, scope), self.value(node.right, scope)
        match node.op:
            case ast.Add():
                return self.add(one, other)
            case ast.Div() if isinstance(one, PurePosixPath) and isinstance(other, (str, PurePosixPath)):
                return one / other if len(str(one)) + len(str(other)) < MAX_CHARS else UNKNOWN_VALUE
            case ast.Mult() if isinstance(one, (int, float)) and isinstance(other, (int, float)):
                return one * other if max(abs(one), abs(other)) < MAX_NUMBER else UNKNOWN_VALUE
            case ast.BitOr() if isinstance(one, dict) and isinstance(other, dict):
                return {**one, **other}
            case ast.Mod() if isinstance(one, str) and isinstance(other, (str, int)) and one.count("%") == 1:
                return one.replace("%s", str(other)).replace("%d", str(other))
            case _:
                return UNKNOWN_VALUE

    def _bool(self, node: ast.BoolOp, scope: Scope) -> object:
        is_or, seen = isinstance(node.op, ast.Or), []
        for part in node.values:
            value = self.value(part, scope)
            found = truth(value)
            seen.append(value)
            if found is is_or:
                return value if len(seen) == 1 or not any(truth(one) is None for one in seen) else either(*seen)
        return seen[-1] if not any(truth(one) is None for one in seen[:-1]) else either(*seen)

    def _compare(self, node: ast.Compare, scope: Scope) -> object:
        one = self.value(node.left, scope)
        for operator, right in zip(node.ops, node.comparators, strict=True):
            other = self.value(right, scope)
            if isinstance(other, Ref) and other.name in ("os.environ", "sys.modules"):
                other = list(self._interpreter.environ) if other.name == "os.environ" else []
            if isinstance(other, Ref) and other.name == "sys.argv":
                other = []
            if not _is_plain(one) or not _is_plain(other):
                return UNKNOWN_VALUE
            compare = _COMPARE.get(type(operator))
            if compare is None:
                return UNKNOWN_VALUE
            if not compare(one, other):
                return False
            one = other
        return True

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp, scope: Scope) -> object:
        first = node.generators[0]
        inner = Scope(scope.file, scope.package, outer=scope)
        found: list[object] = []
        if len(node.generators) > 1 or not isinstance(first.target, ast.Name):
            return found
        for item in self.items(self.value(first.iter, scope))[:200]:
            inner.bind(first.target.id, item, node.lineno)
            if all(truth(self.value(test, inner)) is not False for test in first.ifs):
                found.append(self.value(node.elt, inner))
        return found

    def _call(self, node: ast.Call, scope: Scope) -> object:
        arguments = [
            self.value(argument, scope) for argument in node.args[:50] if not isinstance(argument, ast.Starred)
        ]
        words = {word.arg: self.value(word.value, scope) for word in node.keywords[:80] if word.arg}
        if isinstance(node.func, ast.Name) and isinstance(scope.find(node.func.id), Unknown):
            return call_known(f"builtins.{node.func.id}", arguments, words, self._around)
        function = self.value(node.func, scope)
        if isinstance(function, Function):
            return self.call(function, arguments, words)
        if isinstance(function, Ref):
            return call_known(function.name, arguments, words, self._around)
        if isinstance(node.func, ast.Attribute):
            return call_method(self.value(node.func.value, scope), node.func.attr, arguments, words)
        return UNKNOWN_VALUE

    def call(self, function: Function, arguments: list[object], words: dict[str, object]) -> object:
        """Return what a function of the project returns for these arguments, as far as its text tells."""
        if self._calls >= MAX_CALL_DEPTH:
            return UNKNOWN_VALUE
        inner = Scope(function.scope.file, function.scope.package, outer=function.scope)
        spec = function.node.args
        named = [*spec.posonlyargs, *spec.args]
        for parameter, default in zip(reversed(named), reversed(spec.defaults), strict=False):
            inner.names[parameter.arg] = self.value(default, function.scope)
        for parameter, default_or_none in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
            inner.names[parameter.arg] = self.value(default_or_none, function.scope)
        inner.names.update({parameter.arg: value for parameter, value in zip(named, arguments, strict=False)})
        inner.names.update({name: value for name, value in words.items() if name})
        self._calls += 1
        self._interpreter.depth += 1
        try:
            self._interpreter.run(function.node.body, inner)
        finally:
            self._calls -= 1
            self._interpreter.depth -= 1
        return inner.result if inner.has_result else UNKNOWN_VALUE if inner.is_stopped else None


def _item(place: object, key: object) -> object:
    """Return what stands under a key or number, UNKNOWN_VALUE when nothing does."""
    if isinstance(place, dict) and isinstance(key, (str, int)):
        return place.get(key, UNKNOWN_VALUE)
    if isinstance(place, (list, tuple, str)) and isinstance(key, int) and -len(place) <= key < len(place):
        return place[key]
    return UNKNOWN_VALUE


def _is_plain(value: object) -> bool:
    """Tell whether two such values can be compared in bounded time: lists in lists may share parts without end."""
    if isinstance(value, (list, tuple, set)):
        return all(isinstance(one, (str, int, float, bool, type(None))) for one in value)
    if isinstance(value, dict):
        return all(isinstance(one, (str, int, float, bool, type(None))) for one in value.values())
    return isinstance(value, (str, int, float, bool, type(None), PurePosixPath))
