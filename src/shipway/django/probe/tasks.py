"""The tasks that a project registers with Celery, RQ, Dramatiq, Huey or django.tasks, with their signatures."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import types
from typing import Any

MAX_TASKS = 2_000


def task_facts() -> dict[str, Any]:
    """Return the frameworks that the project has loaded, each with its tasks; Celery also with its schedule."""
    found: dict[str, Any] = {}
    import_task_modules()
    for name, look in (("celery", celery), ("rq", rq), ("dramatiq", dramatiq), ("huey", huey), ("tasks", django_tasks)):
        facts = look()
        if facts is not None:
            found[name] = facts
    return found


def import_task_modules() -> None:
    """Import the `tasks` module of each installed app, as every one of these frameworks does in its workers."""
    from django.apps import apps

    frameworks = ("celery", "rq", "django_rq", "dramatiq", "huey", "django_tasks", "django.tasks")
    if not any(name in sys.modules or apps.is_installed(name) for name in frameworks):
        return
    for config in apps.get_app_configs():
        if importlib.util.find_spec(config.name + ".tasks") is not None:
            importlib.import_module(config.name + ".tasks")


def signature(function: Any) -> dict[str, Any]:
    """Return the parameters of `function`: required and optional ones, keyword-only ones, and catch-alls."""
    found: dict[str, Any] = {"required": [], "optional": [], "keyword": [], "varargs": False, "varkw": False}
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {**found, "varargs": True, "varkw": True}
    for one in parameters:
        if one.kind is one.VAR_POSITIONAL:
            found["varargs"] = True
        elif one.kind is one.VAR_KEYWORD:
            found["varkw"] = True
        elif one.kind is one.KEYWORD_ONLY:
            found["keyword"].append([one.name, one.default is one.empty])
        else:
            found["required" if one.default is one.empty else "optional"].append(one.name)
    return found


def task(name: Any, function: Any, queue: Any = "", **more: Any) -> dict[str, Any]:
    """Return the record of a task."""
    return {
        "name": str(name),
        "module": str(getattr(function, "__module__", "")),
        "queue": str(queue or ""),
        **signature(function),
        **more,
    }


def celery() -> Any:
    """Return the tasks and the schedule of the current Celery app, or None."""
    library = sys.modules.get("celery")
    if library is None:
        return None
    app = library.current_app
    app.loader.import_default_modules()
    tasks = [
        task(
            name,
            one.run,
            one.queue if hasattr(one, "queue") else "",
            bind=_is_bound(one),
            acks_late=bool(one.acks_late),
        )
        for name, one in sorted(app.tasks.items())
        if not name.startswith("celery.")
    ]
    beat = [[str(n), str(e.get("task", "")), str(e.get("schedule", ""))] for n, e in app.conf.beat_schedule.items()]
    limit = app.conf.task_time_limit
    return {"version": library.__version__, "tasks": tasks[:MAX_TASKS], "beat": beat, "time_limit_s": limit or 0}


def _is_bound(one: Any) -> bool:
    return bool(getattr(type(one), "__bound__", False)) and inspect.ismethod(one.run)


def is_a(value: Any, kind: Any) -> bool:
    """Return whether `value` is of `kind`, without asking `value`: a lazy object wakes up when isinstance does."""
    return issubclass(type(value), kind)


def rq() -> Any:
    """Return the functions that are jobs of RQ, or None. RQ has no registry; `@job` leaves a `delay` behind."""
    library = sys.modules.get("rq")
    if library is None:
        return None
    jobs = {}
    for name, module in list(sys.modules.items()):
        if name.endswith((".tasks", ".jobs")):
            for one in vars(module).values():
                if is_a(one, types.FunctionType) and hasattr(one, "delay") and one.__module__ == name:
                    jobs[f"{name}.{one.__qualname__}"] = task(f"{name}.{one.__qualname__}", one)
    return {"version": getattr(library, "VERSION", ""), "tasks": [jobs[n] for n in sorted(jobs)][:MAX_TASKS]}


def dramatiq() -> Any:
    """Return the actors of the global Dramatiq broker, or None."""
    library = sys.modules.get("dramatiq")
    if library is None:
        return None
    actors = library.get_broker().actors
    tasks = [task(name, one.fn, one.queue_name) for name, one in sorted(actors.items())]
    return {"version": library.__version__, "tasks": tasks[:MAX_TASKS]}


def huey() -> Any:
    """Return the tasks of every Huey instance that a module of the project holds, or None."""
    library = sys.modules.get("huey")
    if library is None:
        return None
    tasks = {}
    for module in list(sys.modules.values()):
        for one in list(vars(module).values()) if inspect.ismodule(module) else ():
            if is_a(one, library.Huey):
                for name, kind in one._registry._registry.items():
                    # The class that Huey makes of a function holds it in a closure only.
                    function = inspect.getclosurevars(kind.execute).nonlocals.get("func", kind.execute)
                    tasks[name] = task(name, function, one.name, periodic=hasattr(kind, "validate_datetime"))
    return {"version": library.__version__, "tasks": [tasks[n] for n in sorted(tasks)][:MAX_TASKS]}


def django_tasks() -> Any:
    """Return the Task objects of django.tasks (Django 6) or django-tasks in loaded `tasks` modules, or None."""
    base = (
        sys.modules.get("django.tasks.base")
        or sys.modules.get("django_tasks.base")
        or sys.modules.get("django_tasks.task")
    )
    if base is None:
        return None
    tasks = {}
    for name, module in list(sys.modules.items()):
        for one in list(vars(module).values()) if name.endswith(".tasks") and inspect.ismodule(module) else ():
            if is_a(one, base.Task):
                tasks[one.module_path] = task(one.module_path, one.func, one.queue_name)
    return {"version": "", "tasks": [tasks[n] for n in sorted(tasks)][:MAX_TASKS]}
