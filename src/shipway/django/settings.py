"""The settings as production would have them: names, values, and where each was written."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass

from shipway.django.fact import Place
from shipway.django.interpret import MAX_LOADED, Interpreter
from shipway.django.layout import Layout
from shipway.django.tree import join, parent
from shipway.django.values import ClassValue, Either, alternatives, shown


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings that were read from `files` (the module itself, then what it imports by star, in order of reading)."""

    layout: Layout
    names: Mapping[str, object]
    lines: Mapping[str, tuple[str, int]]
    files: tuple[str, ...]
    classes: tuple[str, ...] = ()

    def value(self, name: str) -> object:
        """Return the value of a setting, None for one that is not set. See `values` for what a value can be."""
        return self.names.get(name)

    def text(self, name: str) -> str:
        """Return a setting that is a text or a path, "" for any other."""
        return shown(self.names.get(name)) or ""

    def texts(self, *names: str) -> list[str]:
        """Return all texts in settings that are lists (INSTALLED_APPS, MIDDLEWARE)."""
        found: list[str] = []
        for name in names:
            for value in alternatives(self.names.get(name)):
                items = value if isinstance(value, (list, tuple)) else ()
                found += [item for one in items for item in alternatives(one) if isinstance(item, str)]
        return found

    def place(self, name: str, why: str = "") -> Place:
        """Return where a setting was bound last; the settings file as a whole for one that is not known."""
        file, line = self.lines.get(name, (self.files[0] if self.files else "", 0))
        return Place(file, line, why or name)

    def find(self, pattern: str) -> Place | None:
        """Return the first line of the settings files that matches `pattern` and is no comment."""
        compiled = re.compile(pattern)
        for file in self.files:
            for number, line in enumerate(self.layout.sources.text(file).splitlines(), 1):
                if compiled.search(line) and not line.lstrip().startswith("#"):
                    return Place(file, number, line.strip()[:80])
        return None

    def nodes(self) -> list[tuple[str, ast.Module]]:
        """Return the syntax trees of the settings files."""
        found = [(file, self.layout.sources.module(file)) for file in self.files]
        return [(file, tree) for file, tree in found if tree is not None]


def read_settings(
    layout: Layout, module: str, environ: Mapping[str, object], wanted_class: str = "", *, is_exact: bool = False
) -> Settings:
    """Return the settings of `module` as a process with `environ` would see them, as far as reading tells.

    `is_exact`: `environ` is all that production gives, so that a default of DEBUG counts. A secret has `UNKNOWN_VALUE`.
    """
    path = layout.module_path(module) or _stand_in(layout, module)
    if not path:
        return Settings(layout, {}, {}, ())
    interpreter = Interpreter(layout, environ, is_exact=is_exact)
    scope = interpreter.load(path)
    files = _files(path, interpreter)
    classes = {name: value for name, value in scope.names.items() if _is_configuration(value)}
    chosen = classes.get(wanted_class)
    if isinstance(chosen, ClassValue):
        return Settings(layout, chosen.names, chosen.lines, files, tuple(classes))
    return Settings(layout, scope.names, scope.lines, files, tuple(classes))


def _stand_in(layout: Layout, module: str) -> str:
    """Return the file that an operator's settings are made from, where the repository does not hold them."""
    base = join(layout.root, module.replace(".", "/"))
    names = [
        f"{base}{end}"
        for end in ("_common.py", "_base.py", "_default.py", ".py.example", ".py.dist", ".py.sample", ".py.dev")
    ]
    names += [f"{base}{end}" for end in (".example.py", ".dist.py", ".py.template", "_example.py", "_local.py.example")]
    above = layout.module_path(module.rpartition(".")[0])
    names += [join(parent(above), name) for name in ("base_settings.py", "common_settings.py", "base.py") if above]
    return layout.sources.first(*names) if module else ""


def _is_configuration(value: object) -> bool:
    return isinstance(value, ClassValue) and any(base.startswith("configurations.") for base in value.bases)


def _files(path: str, interpreter: Interpreter) -> tuple[str, ...]:
    """Return the settings files: the star chain, and the files that django-split-settings includes."""
    found: list[str] = []
    waiting = [path]
    while waiting and len(found) < MAX_LOADED:
        one = waiting.pop(0)
        if one not in found:
            found.append(one)
            waiting += interpreter.stars.get(one, [])
    for other in interpreter.loaded:
        if other not in found and other.rpartition("/")[0].startswith(path.rpartition("/")[0]) and "settings" in other:
            found.append(other)
    return tuple(found)


def nested(value: object, *keys: str) -> list[object]:
    """Return what stands under a path of keys in dicts, for each alternative there is; `*` stands for any key."""
    found = list(alternatives(value))
    for key in keys:
        step: list[object] = []
        for one in found:
            if isinstance(one, dict):
                step += [one[key]] if key in one else list(one.values()) if key == "*" else []
        found = [flat for one in step for flat in alternatives(one)]
    return found


def is_filled(value: object) -> bool:
    """Tell whether a setting holds something: a list or dict with an item, or a value that is not known."""
    if isinstance(value, Either):
        return any(is_filled(one) for one in value.values)
    return bool(value) if isinstance(value, (list, dict, tuple, str)) else value is not None
