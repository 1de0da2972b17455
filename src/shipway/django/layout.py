"""Where the Django project is in a repository, and which file holds a module."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace

from shipway.django.fact import UNKNOWN, Fact, Place
from shipway.django.syntax import dotted
from shipway.django.tree import Sources, join, parent, upwards

_ASIDE = re.compile(
    r"(^|/)(tests?|testing|testproject|test_project|examples?|sandbox|demo|docs?|docs_src|fixtures|templates?|"
    r"project_template|contrib|tools|node_modules|vendor|\.[^/]+)(/|$)|\{\{|%"
)
"""Directories whose manage.py is not that of the project, as long as there is another one."""


@dataclass(frozen=True, slots=True)
class Layout:
    """`root` is the directory of manage.py ("." for the tree itself), `import_roots` where modules are looked for.

    `python_files` are those of the project that run in production: no tests, migrations, documentation.
    """

    sources: Sources
    root: str = "."
    manage: str = ""
    import_roots: tuple[str, ...] = (".",)
    python_files: tuple[str, ...] = ()
    made: tuple[tuple[str, str], ...] = ()
    """Modules that only the image has, each with the file of the tree that it is a copy of."""

    def module_path(self, module: str) -> str:
        """Return the file that `import module` would load, "" when the tree has none."""
        parts = module.replace(".", "/")
        if not parts or parts.startswith("/") or ".." in module:
            return ""
        for base in self.import_roots:
            found = self.sources.first(join(base, f"{parts}.py"), join(base, f"{parts}/__init__.py"))
            if found:
                return found
        return dict(self.made).get(module, "")

    def module_name(self, path: str) -> str:
        """Return the dotted name under which `path` is imported: from the deepest import root that holds it."""
        for name, copied in self.made:
            if path == copied:
                return name
        for base in sorted(self.import_roots, key=len, reverse=True):
            start = "" if base == "." else f"{base}/"
            if path.startswith(start):
                return path[len(start) :].removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        return ""

    def is_package(self, path: str) -> bool:
        """Tell whether `path` is the `__init__.py` of a package."""
        return path.endswith("/__init__.py") or path == "__init__.py"

    def inside(self, path: str) -> str:
        """Return `path` as it is seen from the root of the project."""
        return path if self.root == "." else path.removeprefix(f"{self.root}/")


def _layout(sources: Sources, root: str, manage: str) -> Layout:
    found = Layout(sources, root, manage, _import_roots(sources, root, manage))
    files = tuple(path for path in sources.below(root, ".py") if not _is_aside(found.inside(path)))
    return replace(found, python_files=files)


def _is_aside(path: str) -> bool:
    parts = path.split("/")
    name = parts[-1]
    is_test = name.startswith(("test_", "conftest", "tests.")) or name.endswith(("_test.py", "_tests.py"))
    return is_test or any(part in _SKIPPED or part.startswith(".") for part in parts[:-1])


_SKIPPED = frozenset(
    ("tests", "test", "migrations", "docs", "doc", "node_modules", "testing", "site-packages", "examples", "e2e")
)


def find_layout(sources: Sources) -> tuple[Layout, dict[str, Fact]]:
    """Return where the project is, and the facts `root` and `manage`."""
    found = [path for path in sources.named("manage.py") if _runs_django(sources.text(path))]
    found = found or [path for path in sources.paths if _is_other_manage(sources, path)]
    best = sorted(found, key=lambda path: (bool(_ASIDE.search(parent(path))), path.count("/"), path))
    if not best:
        return _without_manage(sources)
    manage = best[0]
    root = parent(manage) if not manage.endswith("__main__.py") else _above_packages(sources, parent(manage))
    same = [p for p in best[1:] if not _ASIDE.search(parent(p)) and p.count("/") == manage.count("/")]
    place = Place(manage, _line(sources.text(manage), "execute_from_command_line"), "runs Django's commands")
    fact = Fact(manage, "medium" if same else "high", (place,), tuple(f"{p} is another one" for p in same))
    layout = _layout(sources, root, manage)
    return layout, {"manage": fact, "root": Fact(root, fact.confidence, (place,), fact.conflicts)}


def _runs_django(text: str) -> bool:
    return "execute_from_command_line" in text or "DJANGO_SETTINGS_MODULE" in text or "ManagementUtility" in text


def _is_other_manage(sources: Sources, path: str) -> bool:
    """A few projects give manage.py another name, or none and use `python -m package`."""
    name = path.rpartition("/")[2]
    return (
        (name.startswith("manage") or name == "__main__.py")
        and path.endswith((".py", "manage"))
        and _runs_django(sources.text(path))
    )


def _without_manage(sources: Sources) -> tuple[Layout, dict[str, Fact]]:
    entries = [p for p in sources.named("wsgi.py", "asgi.py") if not _ASIDE.search(parent(p))]
    if not entries:
        return Layout(sources), {"manage": UNKNOWN, "root": UNKNOWN}
    package = parent(entries[0])
    root = _above_packages(sources, package)
    place = Place(entries[0], 0, "the entry point; there is no manage.py")
    layout = _layout(sources, root, "")
    return layout, {"manage": UNKNOWN, "root": Fact(root, "low", (place,))}


def _above_packages(sources: Sources, directory: str) -> str:
    """Return the directory that a package's outermost parent stands in: where `import package` finds it."""
    while directory != "." and sources.has(f"{directory}/__init__.py"):
        directory = parent(directory)
    return directory


def _import_roots(sources: Sources, root: str, manage: str) -> tuple[str, ...]:
    """Return `root`, and the directories that manage.py, the settings and the entries put on `sys.path` by a literal.

    A manage.py inside the package that it serves names its settings from further up: that place stands for `root`.
    """
    found = [_named_from(sources, root, manage) or root]
    entries = [path for path in sources.below(root, ".py") if path.rpartition("/")[2] in _ENTRIES][:MAX_ENTRIES]
    for path in dict.fromkeys((manage, *entries)):
        tree = sources.module(path) if "sys.path" in sources.text(path) else None
        for word in _path_words(tree):
            for base in (root, parent(path), parent(parent(path))):
                place = join(base, word.strip("/"))
                if place and place not in found and any(one.startswith(f"{place}/") for one in sources.paths):
                    found.append(place)
                    break
    source = join(root, "src")
    if any(path.startswith(f"{source}/") and path.endswith(".py") for path in sources.paths):
        found.append(source)
    return tuple(dict.fromkeys(found))


_ENTRIES = frozenset(("wsgi.py", "asgi.py", "settings.py", "base.py", "common.py"))
MAX_ENTRIES = 60
MAX_WORDS = 20
"""Literals of one file that are tried as directories."""
_MODULE = re.compile(r"DJANGO_SETTINGS_MODULE[\"']\]?\s*[,=]\s*[\"']([A-Za-z_][\w.]*)")


def _named_from(sources: Sources, root: str, manage: str) -> str:
    match = _MODULE.search(sources.text(manage)) if manage else None
    parts = match[1].replace(".", "/") if match else ""
    for base in upwards(root) if parts else ():
        if sources.first(join(base, f"{parts}.py"), join(base, f"{parts}/__init__.py")):
            return base if base != root else ""
    # The operator writes the module: its package at least is somewhere.
    package = parts.rpartition("/")[0]
    for base in upwards(root) if package else ():
        if sources.has(join(base, f"{package}/__init__.py")):
            return base if base != root else ""
    return ""


def _path_words(tree: ast.Module | None) -> list[str]:
    calls = [
        node
        for node in (ast.walk(tree) if tree else ())
        if isinstance(node, ast.Call) and dotted(node.func) in ("sys.path.append", "sys.path.insert")
    ]
    words = [word.value for call in calls[:MAX_WORDS] for word in ast.walk(call) if isinstance(word, ast.Constant)]
    return [word for word in words if isinstance(word, str)][:MAX_WORDS]


def _line(text: str, words: str) -> int:
    at = text.find(words)
    return text.count("\n", 0, at) + 1 if at >= 0 else 0
