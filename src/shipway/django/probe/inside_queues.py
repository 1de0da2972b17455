"""Asks the workers of RQ and of django.tasks (in the database) whether they are there, and has them do a task."""

from __future__ import annotations

import importlib
import sys
import time
from datetime import datetime, timezone
from typing import Any

from shipway.django.probe.queued_redis import text

LOOK_S = 0.2
RQ_PROBE = "operator.index"
"""A function of Python itself: RQ runs whatever can be imported."""
RQ_CHANNEL = "rq:pubsub:"  # of rq/command.py: each worker listens there for as long as it lives


def rq_workers(facts: dict[str, Any], options: dict[str, Any]) -> bool:
    """Put what django-rq's queues and their workers tell into `facts`. Returns False for a project without RQ."""
    if sys.modules.get("rq") is None:
        return False
    from django.conf import settings

    try:
        queues = importlib.import_module("django_rq.queues")
    except ImportError:
        facts["mute"] = "only queues of django-rq can be found"
        return True
    wanted = [name for name in settings.RQ_QUEUES if not options["queues"] or name in options["queues"]]
    found = {name: queues.get_queue(name) for name in wanted}
    facts["waiting"] = {name: len(queue) for name, queue in found.items()}
    facts["nodes"] = {}
    for queue in found.values():
        facts["nodes"].update(rq_nodes(queue.connection))
    heard = {name for one in facts["nodes"].values() if one["answers"] for name in one["queues"]}
    facts["probes"] = [rq_probe(queue, options) for name, queue in found.items() if name in heard]
    facts["waiting_after"] = {name: len(queue) for name, queue in found.items()}
    return True


def rq_nodes(connection: Any) -> dict[str, Any]:
    """Return the registered workers; `answers` is whether a process is connected and listens for commands now."""
    from rq import Worker

    found = {}
    for worker in Worker.all(connection=connection):
        name = str(worker.name)
        listeners = connection.pubsub_numsub(RQ_CHANNEL + name)
        found[name] = {
            "answers": int(listeners[0][1]) if listeners else 0,
            "pid": int(worker.pid or 0),
            "machine": text(worker.hostname or ""),
            "queues": {queue: ["", ""] for queue in worker.queue_names()},
            "active": int(str(text(worker.get_state())).endswith("busy")),
            "concurrency": 1,
            "heard_s": since(worker.last_heartbeat),
        }
    return found


def since(moment: Any) -> int:
    """Return how many seconds ago a moment (UTC) was, -1 for none."""
    if not isinstance(moment, datetime):
        return -1
    moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return max(0, int(time.time() - moment.timestamp()))


def rq_probe(queue: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Have a queue do a task that touches nothing, and delete what it leaves."""
    from rq import Queue

    task, seconds = options["probe"] or RQ_PROBE, options["probe_s"]
    args = () if options["probe"] else (7,)
    # Not by django-rq's own queue, which may wait for the end of a request before it sends.
    plain = Queue(queue.name, connection=queue.connection, serializer=queue.serializer)
    began = time.monotonic()
    job = plain.enqueue_call(task, args=args, timeout=int(seconds) + 1, ttl=int(seconds) + 1, result_ttl=60)
    facts: dict[str, Any] = {"queue": str(queue.name), "task": task, "state": "sent"}
    try:
        while time.monotonic() - began < seconds and facts["state"] not in ("done", "failed"):
            time.sleep(LOOK_S)
            state = str(getattr(job.get_status(refresh=True), "value", job.get_status()))
            facts["state"] = {"started": "taken", "finished": "done", "failed": "failed"}.get(state, "sent")
        if facts["state"] == "done":
            facts["took_ms"] = int((time.monotonic() - began) * 1000)
        elif facts["state"] == "failed":
            result = job.latest_result()
            facts["said"] = str(getattr(result, "exc_string", "") or "")[-500:]
    finally:
        job.delete()
    return facts


def django_task_workers(facts: dict[str, Any], options: dict[str, Any]) -> bool:
    """Put what the table of django-tasks tells into `facts`. Returns False for a project without it.

    Its workers keep no record of themselves, and run tasks of the project only: what is asked is whether tasks that are
    due are taken, and, where the project names one, whether a task is done.
    """
    from django.apps import apps

    if not apps.is_installed("django_tasks_db") and not apps.is_installed("django_tasks.backends.database"):
        return False
    model = apps.get_model("django_tasks_database", "DBTaskResult")
    facts["waiting"], facts["oldest_s"] = rows_waiting(model)
    facts["running"] = model.objects.filter(status="RUNNING").count()
    facts["probes"] = [row_probe(model, options)] if options["probe"] else []
    deadline = time.monotonic() + options["probe_s"]
    while sum(facts["waiting"].values()) and time.monotonic() < deadline and not facts["probes"]:
        time.sleep(LOOK_S)
        facts["waiting_after"], facts["oldest_s"] = rows_waiting(model)
        if sum(facts["waiting_after"].values()) < sum(facts["waiting"].values()):
            break
    facts.setdefault("waiting_after", facts["waiting"])
    facts["running_after"] = model.objects.filter(status="RUNNING").count()
    return True


def rows_waiting(model: Any) -> Any:
    """Return how many tasks are due, by queue, and for how long the first of them has been."""
    from django.db.models import Count

    due = model.objects.ready()
    counts = due.order_by().values_list("queue_name").annotate(n=Count("pk"))
    oldest = due.order_by("enqueued_at").values_list("enqueued_at", flat=True).first()
    return {str(name): int(count) for name, count in counts}, since(oldest)


def row_probe(model: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Have a worker do the project's own probe task, and delete its row."""
    from django.utils.module_loading import import_string

    task, seconds = options["probe"], options["probe_s"]
    began = time.monotonic()
    result = import_string(task).enqueue()
    facts: dict[str, Any] = {"queue": "default", "task": task, "state": "sent"}
    row = model.objects.filter(pk=result.id)
    try:
        while time.monotonic() - began < seconds and facts["state"] not in ("done", "failed"):
            time.sleep(LOOK_S)
            status = row.values_list("status", flat=True).first()
            facts["state"] = {"RUNNING": "taken", "SUCCESSFUL": "done", "SUCCEEDED": "done", "FAILED": "failed"}.get(
                str(status), "sent"
            )
        if facts["state"] == "done":
            facts["took_ms"] = int((time.monotonic() - began) * 1000)
    finally:
        row.exclude(status="RUNNING").delete()
    return facts
