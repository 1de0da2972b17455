"""Background work: which task queue, the application behind `celery -A`, and what keeps the schedule."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from shipway.django.commands import HINT
from shipway.django.fact import UNKNOWN, Fact, Place
from shipway.django.layout import Layout
from shipway.django.packages import Packages
from shipway.django.processes import Processes
from shipway.django.settings import Settings, is_filled
from shipway.django.syntax import dotted
from shipway.django.tree import line_of

_CELERY_APP = re.compile(r"\bcelery\b[^|;&]*?(?:\s-A[= ]?|--app[= ])[\"']?([A-Za-z_][\w.]*(?::\w+)?)")


@dataclass(frozen=True, slots=True)
class Kind:
    """How a queue shows itself: an app in INSTALLED_APPS, a setting, a package, a command."""

    name: str
    apps: tuple[str, ...]
    settings: tuple[str, ...]
    packages: tuple[str, ...]
    command: str


KINDS = (
    Kind("celery", (), ("CELERY_BROKER_URL", "BROKER_URL"), ("celery",), r"\bcelery\b.*\bworker\b"),
    Kind("django-q2", ("django_q",), ("Q_CLUSTER",), ("django-q2", "django-q"), r"\bqcluster\b"),
    Kind("huey", ("huey.contrib.djhuey", "django_huey"), ("HUEY", "DJANGO_HUEY"), ("huey", "django-huey"),
         r"\b(run_huey|huey_consumer|djangohuey)\b"),
    Kind("rq", ("django_rq",), ("RQ_QUEUES", "RQ"), ("django-rq", "rq"), r"\brqworker\b|\brq worker\b"),
    Kind("dramatiq", ("django_dramatiq",), ("DRAMATIQ_BROKER",), ("dramatiq", "django-dramatiq"),
         r"\b(rundramatiq|dramatiq)\b"),
    Kind("procrastinate", ("procrastinate.contrib.django",), (), ("procrastinate",), r"\bprocrastinate\b.*worker"),
    Kind("django-tasks", ("django_tasks", "django_tasks_db"), (), ("django-tasks", "django-tasks-db"),
         r"\bdb_worker\b"),
    Kind("background-tasks", ("background_task",), (), ("django-background-tasks",), r"\bprocess_tasks\b"),
    Kind("apscheduler", ("django_apscheduler",), (), ("apscheduler",), r"\brunapscheduler\b"),
)  # fmt: skip


_MAKES = re.compile(r"Celery(?:App)?\(")
_WEAK = 3
"""The points of a setting or a package alone; an app in INSTALLED_APPS has more."""


def find_queue(settings: Settings, packages: Packages, processes: Processes, celery: Fact) -> Fact:
    """Return the fact `queue`: a name of `KINDS`, or `none`."""
    apps = settings.texts("INSTALLED_APPS")
    found: list[tuple[int, str, Place]] = []
    for kind in KINDS:
        app = next((app for app in apps if app.startswith(kind.apps)), "") if kind.apps else ""
        name = next((name for name in kind.settings if is_filled(settings.value(name))), "")
        package = packages.requirements.has(*kind.packages)
        command = next((c for c in processes.commands if c.weight > HINT and re.search(kind.command, c.text)), None)
        is_known = bool(packages.requirements.wanted) and not app and not (kind.name == "celery" and celery.is_known)
        if is_known and packages.requirements.anywhere(*kind.packages) is None:
            continue  # a setting or a command of this name alone: nothing installs what it would need
        score = 4 * bool(app) + 2 * bool(name) + 2 * bool(package) + 3 * bool(command)
        score += 4 if kind.name == "celery" and celery.is_known else 0
        if app or name or command or (kind.name == "celery" and celery.is_known):
            label = "django-q" if kind.name == "django-q2" and packages.requirements.has("django-q") else kind.name
            found.append(
                (
                    score,
                    label,
                    _place(settings, app, name, package.place if package else None, command.place if command else None),
                )
            )
    if not found and (imported := _imported(settings, packages)):
        return imported
    if not found:
        return Fact(
            "none", "medium", (settings.place("INSTALLED_APPS", "no known queue among apps, packages and commands"),)
        )
    score, name, place = max(found, key=lambda one: one[0])
    others = tuple(f"{where} speaks for {other}" for points, other, where in found if other != name and points > _WEAK)
    return Fact(name, "high" if score > _WEAK + 1 and not others else "medium", (place,), others)


def _imported(settings: Settings, packages: Packages) -> Fact | None:
    """Return a queue that the project runs by code of its own: its package is asked for, and imported."""
    layout = settings.layout
    for kind in KINDS:
        if packages.requirements.has(*kind.packages) is None or kind.name == "celery":
            continue
        pattern = re.compile(rf"^(?:from|import) {kind.packages[-1].replace('-', '_')}\b", re.MULTILINE)
        for path in layout.python_files:
            match = pattern.search(layout.sources.text(path))
            if match:
                return Fact(kind.name, "medium", (Place(path, line_of(layout.sources.text(path), match.start())),))
    return None


def _place(settings: Settings, app: str, name: str, package: Place | None, command: Place | None) -> Place:
    if app:
        return settings.find(rf"['\"]{re.escape(app)}") or settings.place("INSTALLED_APPS")
    return settings.place(name) if name else command or package or settings.place("INSTALLED_APPS")


def find_celery_app(layout: Layout, processes: Processes) -> Fact:
    """Return the fact `celery_app`: what the commands of the repository give to `-A`, else the module that makes it."""
    made = _made(layout)
    for command in processes.commands:
        match = _CELERY_APP.search(command.text)
        module = match[1].partition(":")[0] if match else ""
        if match and command.weight > HINT and layout.module_path(module):
            return Fact(match[1], "high" if made else "medium", (command.place,))
    if not made:
        return UNKNOWN
    path, line = made[0]
    module = layout.module_name(path)
    against = tuple(f"{other}:{number} makes another one" for other, number in made[1:])
    return Fact(
        module, "high" if not against else "medium", (Place(path, line, "makes the Celery application"),), against
    )


def _made(layout: Layout) -> list[tuple[str, int]]:
    """Return the modules that make a Celery application at their top level, the most likely first."""
    found = []
    for path in layout.python_files:
        text = layout.sources.text(path)
        if not _MAKES.search(text):
            continue
        tree = layout.sources.module(path)
        lines = [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Call) and _makes(n)] if tree else []
        if lines:
            found.append((path, min(lines)))
    return sorted(found, key=lambda one: ("celery" not in one[0].rpartition("/")[2], one[0].count("/"), one[0]))


def _makes(call: ast.Call) -> bool:
    """Tell whether a call makes a Celery application: of the class itself, or of one named after it."""
    name = dotted(call.func).rpartition(".")[2]
    return name.endswith("Celery") or name == "CeleryApp"


def find_scheduler(layout: Layout, settings: Settings, processes: Processes, queue: Fact) -> Fact:
    """Return the fact `scheduler`: what starts work by the clock; unknown when nothing in the repository does."""
    if queue.text == "celery":
        return _beat(layout, settings, processes)
    if queue.text == "huey":
        return _decorated(layout, r"@\w*\.?(db_)?periodic_task\(", "huey")
    if queue.text == "procrastinate":
        return _decorated(layout, r"@\w*\.?periodic\(", "procrastinate")
    for command in processes.commands:
        if command.weight > HINT and re.search(r"\b(rqscheduler|runapscheduler|run_scheduler)\b", command.text):
            return Fact("rq-scheduler" if "rq" in command.text else "apscheduler", "medium", (command.place,))
    return UNKNOWN


def _beat(layout: Layout, settings: Settings, processes: Processes) -> Fact:
    for command in processes.commands:
        if command.weight > HINT and re.search(r"\bcelery\b.*\bbeat\b|\bworker\b.* (-B|--beat)\b", command.text):
            return Fact("celery-beat", "high", (command.place,))
    for name in ("CELERY_BEAT_SCHEDULE", "CELERYBEAT_SCHEDULE"):
        if is_filled(settings.value(name)):
            return Fact("celery-beat", "high", (settings.place(name),))
    if "django_celery_beat" in settings.texts("INSTALLED_APPS"):
        return Fact("celery-beat", "high", (settings.find("django_celery_beat") or settings.place("INSTALLED_APPS"),))
    return _decorated(
        layout,
        r"add_periodic_task\(|\.beat_schedule\s*=\s*\{\s*[^}\s]|beat_schedule\.update\(|@periodic_task\(",
        "celery-beat",
    )


def _decorated(layout: Layout, pattern: str, name: str) -> Fact:
    compiled = re.compile(pattern)
    for path in layout.python_files:
        text = layout.sources.text(path)
        match = compiled.search(text) if "periodic" in text or "beat" in text else None
        if match:
            return Fact(name, "medium", (Place(path, text.count("\n", 0, match.start()) + 1),))
    return UNKNOWN
