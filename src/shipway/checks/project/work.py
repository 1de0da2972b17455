"""Checks of background work: a worker for the queue, one scheduler for what is periodic."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shipway.checks.project.subject import Subject
from shipway.checks.table import found
from shipway.config.model import Role
from shipway.core.errors import Finding

# How the worker of each queue is started; the names are those of the fact `queue`.
_WORKERS = {
    "celery": r"\bcelery\b.*\bworker\b",
    "django-q": r"\bqcluster\b",
    "django-q2": r"\bqcluster\b",
    "huey": r"run_huey|huey_consumer|djangohuey",
    "rq": r"rqworker|\brq worker\b",
    "dramatiq": r"rundramatiq|\bdramatiq\b",
    "procrastinate": r"procrastinate\b.*worker",
    "django-tasks": r"\bdb_worker\b",
    "background-tasks": r"process_tasks",
    "apscheduler": r"apscheduler",
}
_COMMANDS = {
    "celery": "celery -A {app} worker",
    "rq": "python manage.py rqworker",
    "django-tasks": "python manage.py db_worker",
    "huey": "python manage.py run_huey",
    "dramatiq": "python manage.py rundramatiq",
    "procrastinate": "python manage.py procrastinate worker",
}
_SCHEDULERS = re.compile(r"\bcelery\b.*\bbeat\b|\bworker\b.*\s(?:-B|--beat)\b|rqscheduler|apscheduler|run_scheduler")
# These start their own periodic tasks: a worker is all they need.
_OWN_CLOCK = ("huey", "procrastinate")


def check_workers(subject: Subject) -> Iterator[Finding]:
    """Find a queue that nobody works on."""
    queue = subject.project.fact("queue")
    pattern = _WORKERS.get(queue.text)
    is_eager = subject.project.setting("CELERY_TASK_ALWAYS_EAGER").truth is not False
    if pattern is None or not subject.roles or (queue.text == "celery" and is_eager and _has_eager(subject)):
        return
    if any(re.search(pattern, role.cmd or "") for role in subject.roles):
        return
    # A command of the project's own (a script, an entrypoint) may well start it.
    is_sure = queue.is_sure and not any(role.kind == "worker" for role in subject.roles)
    app = subject.project.fact("celery_app").text or "PROJECT"
    command = _COMMANDS.get(queue.text, "the worker's command").format(app=app)
    what = f"{queue.text} is used, and no role runs its worker"
    next_ = f"add a role under `servers:` with `cmd: {command}`"
    yield found("project.no_worker", what, queue.where, next_, level="error" if is_sure else "warning")


def _has_eager(subject: Subject) -> bool:
    return subject.project.setting("CELERY_TASK_ALWAYS_EAGER").is_set


def check_schedulers(subject: Subject) -> Iterator[Finding]:
    """Find periodic tasks that nobody starts, and those that several start."""
    places = [(role, host) for role in subject.roles if _schedules(role) for host in role.hosts]
    if len(places) > 1:
        names = ", ".join(f"{role.name} on {host}" for role, host in places)
        yield found("project.two_schedulers", f"periodic tasks are started {len(places)} times: {names}", subject.file)
    scheduler = subject.project.fact("scheduler")
    if scheduler.text and scheduler.text not in _OWN_CLOCK and subject.roles and not places:
        app = subject.project.fact("celery_app").text or "PROJECT"
        command = f"celery -A {app} beat" if scheduler.text == "celery-beat" else "the scheduler's command"
        what = f"periodic tasks are declared for {scheduler.text}, and no role starts them"
        next_ = f"add a role `beat` with one host and `cmd: {command}`"
        yield found("project.no_scheduler", what, scheduler.where, next_)


def _schedules(role: Role) -> bool:
    return role.kind == "scheduler" or bool(_SCHEDULERS.search(role.cmd or ""))
