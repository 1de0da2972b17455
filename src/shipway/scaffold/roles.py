"""The roles of a project: what its files run, and what its queue and its schedule need besides."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from typing import Literal

from shipway.django.fact import Place
from shipway.runtimes.docker.words import split
from shipway.scaffold.platforms import Process, named_processes
from shipway.scaffold.subject import APP_PORT, Subject

Kind = Literal["web", "worker", "scheduler"]

_SERVES = re.compile(r"(?:^|[\s/])(gunicorn|uvicorn|daphne|granian|hypercorn|waitress-serve|uwsgi)(?=\s|$)")
_WORKS = re.compile(
    r"\bcelery\b.*\bworker\b|\b(?:db_worker|rqworker|rq worker|qcluster|run_huey|huey_consumer|djangohuey|rundramatiq|"
    r"dramatiq|process_tasks|runworker)\b|\bprocrastinate\b.*\bworker\b"
)
_SCHEDULES = re.compile(r"\bcelery\b.*\bbeat\b|\b(?:rqscheduler|runapscheduler|run_scheduler)\b")
_FOR_DEVELOPMENT = re.compile(r"\b(runserver|runserver_plus|watchfiles|watchmedo|devserver|npm|yarn)\b|--reload\b")
_ONCE = re.compile(r"^(release|postdeploy|predeploy|migrate|init|setup|cron|test|tests|job)")
_BEFORE = re.compile(
    r"manage(\.py)? (migrate|collectstatic|check|compilemessages|createcachetable|compress|wait_for_db)\b"
)
_RUNNERS = re.compile(r"^(?:exec|(?:uv|poetry|pipenv|pdm|rye|hatch) run(?: --)?|python3?(?: -m)?(?= celery\b))\s+")
_SCHEDULE = "/tmp/celerybeat-schedule"  # noqa: S108  the last runs, where a process without rights may write
_DATABASE_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
_CLOCKS = frozenset(("clock", "beat", "scheduler"))
_COMMANDS = {
    "django-tasks": "python manage.py db_worker",
    "django-q": "python manage.py qcluster",
    "django-q2": "python manage.py qcluster",
    "huey": "python manage.py run_huey",
    "rq": "python manage.py rqworker default",
    "dramatiq": "python manage.py rundramatiq",
    "procrastinate": "python manage.py procrastinate worker",
    "background-tasks": "python manage.py process_tasks",
}
"""What starts a worker, from the documentation of each queue."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role: its command ("" where no file says it), what it is, where it was read, and what to know about it."""

    name: str
    cmd: str
    kind: Kind
    place: Place | None = None
    note: str = ""


def find_roles(subject: Subject) -> tuple[Role, ...]:
    """Return the roles, `web` first. A project without a web process gets one all the same."""
    roles: list[Role] = []
    for processes in named_processes(subject.sources, subject.processes):
        roles = _of_processes(processes)
        if roles:
            break
    if not any(role.kind == "web" for role in roles):
        roles.insert(0, Role("web", "", "web"))
    if not any(role.kind == "worker" for role in roles):
        roles += _worker(subject)
    if not any(role.kind == "scheduler" or _has_beat(role) for role in roles):
        roles += _scheduler(subject)
    order = ("web", "worker", "scheduler")
    return tuple(_unique(sorted((_fit(role) for role in roles), key=lambda role: order.index(role.kind))))


def _of_processes(processes: list[Process]) -> list[Role]:
    found: list[Role] = []
    for process in processes:
        command = _plain(process.command)
        if not command or _FOR_DEVELOPMENT.search(command) or _ONCE.match(process.name.lower()):
            continue
        kind = _kind(process.name, command)
        is_known = any(role.kind == kind == "web" or role.cmd == command for role in found)
        if kind is None or is_known:
            continue
        found.append(Role(process.name, command, kind, process.place))
    return found


def _kind(name: str, command: str) -> Kind | None:
    """Return what a process is; None for one that is none of the project's (a database, a mail catcher)."""
    if _SCHEDULES.search(command) and not _WORKS.search(command):
        return "scheduler"
    if _WORKS.search(command):
        return "worker"
    if name == "web" or _SERVES.search(command):
        return "web"
    if name in _CLOCKS:
        return "scheduler"
    return "worker" if "manage.py" in command and not _BEFORE.search(command) else None


def _plain(command: str) -> str:
    """Return a command without what Shipway does itself (migrate, collectstatic), and without `uv run` and the like."""
    parts = [part.strip() for part in re.split(r"&&", command)]
    parts = [part for part in parts if part and not _BEFORE.search(part)]
    while parts and _RUNNERS.match(parts[-1]):
        parts[-1] = _RUNNERS.sub("", parts[-1], count=1)
    return " && ".join(parts)


def _fit(role: Role) -> Role:
    """Return a role as the configuration has it: one simple command, and a port where the platform had `$PORT`."""
    cmd = re.sub(r"\$\{?PORT(?::-\d+)?\}?", str(APP_PORT), role.cmd)
    try:
        split(cmd)
    except ValueError:
        cmd = f"sh -c {shlex.quote(cmd)}"
    if re.match(r"celery\b.*\bbeat\b", cmd) and not re.search(r"\s(-[sS]|--schedule\w*)\b", cmd):
        cmd = f"{cmd} --schedule {_SCHEDULE}"
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", role.name).strip("-_.") or role.kind
    name = "web" if role.kind == "web" else name
    return replace(role, name=name, cmd=cmd)


def _unique(roles: list[Role]) -> list[Role]:
    """Give roles of one kind the usual name; two that share one get numbers."""
    usual = {"worker": "worker", "scheduler": "beat"}
    taken: set[str] = set()
    found = []
    for role in roles:
        is_only = sum(one.kind == role.kind for one in roles) == 1
        name = usual.get(role.kind, role.name) if is_only else role.name
        number = 2
        while name in taken:
            name, number = f"{role.name}-{number}", number + 1
        taken.add(name)
        found.append(replace(role, name=name))
    return found


def _has_beat(role: Role) -> bool:
    return re.search(r"\bcelery\b.*\s(?:-\w*B\b|--beat\b)", role.cmd) is not None


def _worker(subject: Subject) -> list[Role]:
    queue, place = subject.text("queue"), next(iter(subject.fact("queue").evidence), None)
    if queue == "celery":
        app = subject.text("celery_app")
        note = "" if app else "the Celery application was not found: write it after -A"
        app = app if re.fullmatch(r"[\w.:]+", app) else subject.settings.partition(".")[0] or "config"
        return [Role("worker", f"celery -A {app} worker --loglevel INFO", "worker", place, note)]
    if queue in _COMMANDS:
        return [Role("worker", _COMMANDS[queue], "worker", place)]
    return []


def _scheduler(subject: Subject) -> list[Role]:
    scheduler, place = subject.text("scheduler"), next(iter(subject.fact("scheduler").evidence), None)
    if scheduler == "celery-beat":
        app = subject.text("celery_app")
        app = app if re.fullmatch(r"[\w.:]+", app) else subject.settings.partition(".")[0] or "config"
        is_in_database = subject.has_package("django-celery-beat")
        keeps = f" --scheduler {_DATABASE_SCHEDULER}" if is_in_database else f" --schedule {_SCHEDULE}"
        return [Role("beat", f"celery -A {app} beat{keeps} --loglevel INFO", "scheduler", place)]
    if scheduler == "apscheduler":
        return [Role("beat", "python manage.py runapscheduler", "scheduler", place)]
    return []
