"""What waits in the queues of a project's task frameworks: how many messages of which form. No argument's value leaves.

Nothing is changed: lists and hashes are read as they are, no queue is declared, no message is taken.
"""

from __future__ import annotations

import ast
import base64
import importlib
import inspect
import json
import sys
import time
from datetime import datetime, timezone
from typing import Any

from shipway.django.probe.common import Answer, TooSlow, explain, limit
from shipway.django.probe.queued_redis import celery_in_redis, dramatiq_in_redis, rq_jobs
from shipway.django.probe.tasks import import_task_modules, is_a, task

MAX_FORMS = 500
MAX_MESSAGES = 50_000
FAR_S = 1e9


class Forms:
    """Counts messages by their form: name, queue, state, number of arguments, names of keywords."""

    def __init__(self) -> None:
        self.counts: dict[Any, list[int]] = {}
        self.read = 0

    def add(self, name: Any, queue: Any, state: str, args: Any, due_s: float = 0) -> None:
        """Count one message; `args` is what `argument_form` returns."""
        self.read += 1
        if self.read > MAX_MESSAGES:
            raise OverflowError(f"more than {MAX_MESSAGES} messages wait")
        if str(name).startswith("celery."):
            return
        found = self.counts.setdefault((str(name)[:300], str(queue)[:200], state, *args), [0, 0])
        found[0] += 1
        found[1] = max(found[1], int(due_s))

    def rows(self) -> list[Any]:
        """Return what was counted, the most numerous forms first."""
        ordered = sorted(self.counts.items(), key=lambda one: -one[1][0])[:MAX_FORMS]
        return [[name, queue, state, n, list(words), *counts] for (name, queue, state, n, words), counts in ordered]


def queued_facts(answer: Answer, options: dict[str, Any]) -> dict[str, Any]:
    """Return what waits, by framework; wait up to `wait_s` for the tasks of `watch` (framework, name) to be gone."""
    import_task_modules()
    until = time.monotonic() + options["wait_s"]
    watched = {tuple(one) for one in options["watch"]}
    while True:
        found = {name: facts for name, facts in look(answer, options["ask_s"]) if facts is not None}
        left = any((name, row[0]) in watched for name, facts in found.items() for row in facts["messages"])
        if not left or time.monotonic() >= until:
            return found
        time.sleep(1)


def look(answer: Answer, seconds: float) -> Any:
    """Yield what each framework that the project has loaded has in its queues."""
    ways = (("celery", celery_queues), ("rq", rq_queues), ("dramatiq", dramatiq_queues), ("huey", huey_queues),
            ("tasks", django_task_rows))  # fmt: skip
    for name, read in ways:
        forms = Forms()
        facts: dict[str, Any] = {}
        try:
            with limit(seconds):
                also = read(forms)
            if also is None:
                continue
            facts.update(also)
        except (Exception, TooSlow) as error:
            facts["unread"] = explain(error, answer)["message"]
        yield name, {"messages": forms.rows(), **facts}


def argument_form(args: Any, kwargs: Any) -> Any:
    """Return how many arguments there are and the names of keywords; (-1, ()) where that cannot be told."""
    if not isinstance(args, (list, tuple)) or not isinstance(kwargs, dict):
        return -1, ()
    return len(args), tuple(sorted(str(name)[:100] for name in kwargs))[:50]


def celery_queues(forms: Forms) -> Any:
    """Count the messages of the current Celery app; what no other process can see is nobody's concern."""
    library = sys.modules.get("celery")
    if library is None:
        return None
    app = library.current_app
    if app.conf.task_always_eager:
        return {}
    with app.connection_for_read() as connection:
        kind = connection.transport.driver_type
        if kind == "memory":
            return {}
        if kind == "redis":
            with connection.channel() as channel:  # one attempt: the default channel of kombu tries again and again
                celery_in_redis(app, channel, lambda *one: celery_message(forms, *one))
            return {}
        if kind != "amqp":
            return {"unread": f"messages in {kind} cannot be read"}
        for queue in app.amqp.queues:
            for _ in range(waiting(connection, queue)):
                forms.add("", queue, "ready", (-1, ()))
    return {"unread": "this broker tells how many messages wait, and not which"}


def waiting(connection: Any, queue: str) -> int:
    """Return how many messages a queue of RabbitMQ has; 0 for one that is not there."""
    try:
        with connection.channel() as channel:
            return int(channel.queue_declare(queue, passive=True).message_count)
    except Exception as error:
        if getattr(error, "code", getattr(error, "reply_code", 0)) == 404:
            return 0
        raise


def celery_message(forms: Forms, raw: Any, queue: str, state: str) -> None:
    """Count one message of Celery, in the second or the first version of its protocol."""
    message = json.loads(raw)
    headers = message.get("headers") or {}
    body: Any = None
    if str(message.get("content-type", "")).endswith("json"):
        coded = (message.get("properties") or {}).get("body_encoding") == "base64"
        body = json.loads(base64.b64decode(message["body"]) if coded else message["body"])
    name, eta = headers.get("task"), headers.get("eta")
    if isinstance(body, dict):
        name, eta, body = body.get("task", name), body.get("eta", eta), [body.get("args"), body.get("kwargs")]
    if isinstance(body, list) and len(body) >= 2:
        form = argument_form(body[0], body[1])
    else:
        form = argument_form(literal(headers.get("argsrepr")), literal(headers.get("kwargsrepr")))
    due_s = seconds_until(eta)
    forms.add(name or "", queue, "delayed" if due_s > 0 else state, form, due_s)


def literal(text: Any) -> Any:
    """Return the value that `text` writes down, None for what is no literal (it may have been cut off)."""
    try:
        return ast.literal_eval(str(text))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def seconds_until(moment: Any) -> float:
    """Return in how many seconds `moment` (a datetime or ISO 8601, UTC without a zone) is; 0 for one that is over."""
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment.replace("Z", "+00:00"))
        except ValueError:
            return 0
    if not isinstance(moment, datetime):
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    left: float = moment.timestamp() - time.time()
    # django-tasks-db writes the last day of the calendar for a task that is for any time.
    return left if 0 < left < FAR_S else 0


def rq_queues(forms: Forms) -> Any:
    """Count the jobs of the queues that django-rq is configured with; a job's description is its call."""
    if sys.modules.get("rq") is None:
        return None
    try:
        queues = importlib.import_module("django_rq.queues")
    except ImportError:
        return {"unread": "only queues of django-rq can be found"}
    from django.conf import settings

    names: dict[str, Any] = {}
    for queue in settings.RQ_QUEUES:
        for text, state, due_s in rq_jobs(queues.get_queue(queue).connection, queue):
            name, args, kwargs = call_of(text)
            names.setdefault(name, imported(name))
            forms.add(name, queue, state, argument_form(args, kwargs), due_s)
    return {"also": [task(name, found) for name, found in names.items() if found is not None]}


def call_of(text: str) -> Any:
    """Return (name, arguments, keywords) of a call as RQ describes it; None for arguments that cannot be told."""
    name = text.partition("(")[0].strip()
    try:
        call = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return name, None, None
    if not isinstance(call, ast.Call):
        return name, None, None
    return name, call.args, {word.arg: word.value for word in call.keywords}


def imported(path: str) -> Any:
    """Return the function that a dotted path names, None when there is none."""
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name, None)
    except (ImportError, ValueError):
        return None


def dramatiq_queues(forms: Forms) -> Any:
    """Count the messages of the global Dramatiq broker."""
    library = sys.modules.get("dramatiq")
    if library is None:
        return None
    broker = library.get_broker()
    kind = type(broker).__name__
    if kind == "StubBroker":
        return {}
    if not hasattr(broker, "client") or not hasattr(broker, "namespace"):
        return {"unread": f"messages of a {kind} cannot be read"}
    for raw, queue, is_delayed in dramatiq_in_redis(broker):
        message = json.loads(raw)
        eta = message.get("options", {}).get("eta")
        due_s = max(0.0, eta / 1000 - time.time()) if isinstance(eta, (int, float)) else 0.0
        form = argument_form(message.get("args"), message.get("kwargs"))
        forms.add(message.get("actor_name", ""), queue, "delayed" if is_delayed else "ready", form, due_s)
    return {}


def huey_queues(forms: Forms) -> Any:
    """Count what every Huey instance of the project has queued and scheduled; what a worker has taken is not seen."""
    library = sys.modules.get("huey")
    if library is None:
        return None
    seen = set()
    for module in list(sys.modules.values()):
        for one in list(vars(module).values()) if inspect.ismodule(module) else ():
            if is_a(one, library.Huey) and id(one) not in seen and not one.immediate:
                seen.add(id(one))
                for state, items in (
                    ("ready", one.storage.enqueued_items()),
                    ("delayed", one.storage.scheduled_items()),
                ):
                    for raw in items:
                        message = one.serializer.deserialize(raw)
                        form = argument_form(list(message.args or ()), message.kwargs or {})
                        due_s = seconds_until(message.eta)
                        forms.add(message.name, one.name, "delayed" if due_s else state, form, due_s)
    return {}


def django_task_rows(forms: Forms) -> Any:
    """Count the rows of django-tasks-db that no worker has ended."""
    from django.apps import apps

    if not apps.is_installed("django_tasks_db") and not apps.is_installed("django_tasks.backends.database"):
        return None
    rows = apps.get_model("django_tasks_database", "DBTaskResult").objects.filter(
        status__in=("NEW", "READY", "RUNNING")
    )
    values = rows.values_list("task_path", "queue_name", "status", "args_kwargs", "run_after")
    for path, queue, status, call, run_after in values.iterator():
        due_s = 0 if status == "RUNNING" else seconds_until(run_after)
        state = "reserved" if status == "RUNNING" else "delayed" if due_s > 0 else "ready"
        forms.add(path, queue, state, argument_form(call.get("args"), call.get("kwargs")), due_s)
    return {}
