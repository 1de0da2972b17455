"""Asks the workers of a Celery app whether they are there, what they know, and has each queue do a task.

The task is Celery's own `celery.accumulate`: it is known to every worker, returns its arguments, touches nothing, and
keeps no result (`ignore_result`). That it was done is told by the workers' own counters, since most sites keep no
results. It expires where nobody takes it.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from typing import Any

from shipway.django.probe.common import is_ours
from shipway.django.probe.inside_waiting import celery_waiting
from shipway.django.probe.tasks import import_task_modules

ASK_S = 1.0  # one broadcast; a worker answers in milliseconds unless its machine is busy
STEP_S = 0.2
LOOK_AGAIN_S = 1.0
MAX_NODES, MAX_NAMES, MAX_QUEUES, MAX_TRIES = 200, 50, 20, 6
CELERY_PROBE = "celery.accumulate"


def celery_workers(facts: dict[str, Any], options: dict[str, Any]) -> bool:
    """Put what the workers tell into `facts`, piece by piece. Returns False for a project without Celery."""
    if "celery" not in sys.modules:
        import_task_modules()
    library = sys.modules.get("celery")
    if library is None:
        return False
    app = library.current_app
    options["tasks"] = sorted(set(options["tasks"]) | expected_tasks(app))
    facts["eager"] = bool(app.conf.task_always_eager)
    if facts["eager"]:
        return True
    with app.connection_for_read() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0.2, timeout=options["ask_s"])
        facts["broker"] = str(connection.transport.driver_type)
        if facts["broker"] == "memory" or not connection.supports_exchange_type("fanout"):
            facts["mute"] = f"a {facts['broker']} broker cannot pass a question to its workers"
            return True
        facts["waiting"] = celery_waiting(app, connection)
        nodes = facts["nodes"] = ask_nodes(app, connection, options)
        if nodes:
            tell_more(app, connection, nodes, options)
            facts["probes"] = probe_queues(app, connection, nodes, options)
        facts["waiting_after"] = celery_waiting(app, connection)
    return True


def expected_tasks(app: Any) -> set[str]:
    """Return the tasks that a worker must know: what its app imports, what is scheduled, and the project's own.

    A task of a package that only we have imported is nobody's business: perhaps the project does not use it.
    """
    app.loader.import_default_modules()
    found = {str(name) for name in app.tasks}
    import_task_modules()
    here = os.getcwd() + os.sep
    for name, one in app.tasks.items():
        file = getattr(sys.modules.get(getattr(one.run, "__module__", "")), "__file__", None)
        if file and is_ours(file, here):
            found.add(str(name))
    found |= {str(one.get("task", "")) for one in app.conf.beat_schedule.values()}
    return {name for name in found if name and not name.startswith("celery.")}


def ask_nodes(app: Any, connection: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Return the workers that answer a ping, by name, as soon as as many have answered as are expected."""
    until = time.monotonic() + options["ask_s"]
    found: dict[str, Any] = {}
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of two workers with one name: we count them
            replies = app.control.ping(timeout=ASK_S, connection=connection)
        counts: dict[str, int] = {}
        for reply in replies or ():
            for name in reply:
                counts[str(name)[:200]] = counts.get(str(name)[:200], 0) + 1
        for name, count in list(counts.items())[:MAX_NODES]:
            one = found.setdefault(name, {"answers": 0})
            one["answers"] = max(one["answers"], count)
        if is_enough(found, options) or time.monotonic() >= until:
            return found


def is_enough(found: dict[str, Any], options: dict[str, Any]) -> bool:
    """Whether every expected worker has answered: those whose machine is known, and as many as there should be."""
    machines = {name.rpartition("@")[2] for name in found}
    return set(options["machines"]) <= machines and sum(one["answers"] for one in found.values()) >= options["units"]


def asked(app: Any, connection: Any, nodes: Any, word: str) -> dict[str, Any]:
    """Return what the workers `nodes` answer to one question."""
    inspect = app.control.inspect(destination=list(nodes), timeout=ASK_S * 2, connection=connection)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(inspect, word)() or {}


def tell_more(app: Any, connection: Any, nodes: dict[str, Any], options: dict[str, Any]) -> None:
    """Write into `nodes` which process each is, how busy it is, its queues, the tasks it lacks, whether it is ours."""
    wanted = set(options["tasks"])
    known = asked(app, connection, nodes, "registered")
    answers = {word: asked(app, connection, nodes, word) for word in ("stats", "active", "active_queues")}
    for name, one in nodes.items():
        stats = answers["stats"].get(name) or {}
        one["pid"] = int(stats.get("pid") or 0)
        one["concurrency"] = int((stats.get("pool") or {}).get("max-concurrency") or 0)
        one["ours"] = is_ours_node(name, one["pid"], options)
        one["active"] = len(answers["active"].get(name) or ())
        one["queues"] = {str(q["name"]): address(q) for q in answers["active_queues"].get(name) or ()}
        if name in known:
            names = {str(text).split(" ", 1)[0] for text in known[name]}
            lacking = sorted(wanted - names)
            one["shared"] = len(wanted & names)
            one["lacks"], one["lacking"] = lacking[:MAX_NAMES], len(lacking)


def address(queue: Any) -> list[str]:
    """Return the exchange and routing key that lead to a queue, as a worker told them."""
    return [str((queue.get("exchange") or {}).get("name") or ""), str(queue.get("routing_key") or "")]


def probe_queues(app: Any, connection: Any, nodes: dict[str, Any], options: dict[str, Any]) -> list[dict[str, Any]]:
    """Send a task to each queue that a worker takes from, and return what became of it and how long that took."""
    queues: dict[str, Any] = {}
    for one in nodes.values():
        queues.update(one["queues"])
    wanted = [name for name in queues if not options["queues"] or name in options["queues"]]
    task = options["probe"] or CELERY_PROBE
    if task not in app.tasks:
        return [{"queue": name, "task": task, "state": "unknown"} for name in wanted[:1]]
    return [probe(app, connection, nodes, (task, name, queues[name]), options) for name in sorted(wanted)[:MAX_QUEUES]]


def is_ours_node(name: str, pid: int, options: dict[str, Any]) -> bool:
    """Whether a worker is one of the release that is asked about, and not of the one before it, which may still run."""
    is_there = not options["machines"] or name.rpartition("@")[2] in options["machines"]
    return is_there and (not options["pids"] or not pid or pid in options["pids"])


def probe(app: Any, connection: Any, nodes: dict[str, Any], where: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Send a task to a queue until a worker of ours has done one; others may take from the same queue."""
    facts: dict[str, Any] = {}
    until = time.monotonic() + options["probe_s"]
    for _ in range(MAX_TRIES):
        facts = send_and_wait(app, connection, nodes, where, (options, until))
        if facts["state"] != "done" or facts["ours"] or time.monotonic() > until - LOOK_AGAIN_S:
            break
    return facts


def send_and_wait(app: Any, connection: Any, nodes: dict[str, Any], where: Any, how: Any) -> dict[str, Any]:
    """Send one task, and wait until a worker has done it."""
    (task, queue, (exchange, key)), (options, until) = where, how
    takers = [name for name, one in nodes.items() if queue in one["queues"]]
    before = begun_counts(app, connection, takers, task)
    began = time.monotonic()
    way = {"queue": app.amqp.queues[queue]} if queue in app.amqp.queues else {"exchange": exchange, "routing_key": key}
    sent = app.tasks[task].apply_async(
        args=() if options["probe"] else (options["mark"],), expires=options["probe_s"] + 1, ignore_result=True,
        connection=connection, **way,
    )  # fmt: skip
    facts: dict[str, Any] = {"queue": queue, "task": task, "state": "sent", "ours": False, "by": ""}
    while time.monotonic() < until:
        time.sleep(STEP_S)
        if facts["state"] == "sent":
            after = begun_counts(app, connection, takers, task)
            grown = [name for name, count in after.items() if count > before.get(name, 0)]
            if grown:
                facts.update(state="taken", by=grown[0], ours=any(nodes[name]["ours"] for name in grown))
        if facts["state"] == "taken" and not is_held(app, connection, takers, sent.id):
            facts.update(state="done", took_ms=int((time.monotonic() - began) * 1000))
            break
    if facts["state"] != "done":
        facts["busy"] = are_busy(app, connection, nodes, takers)
    return facts


def begun_counts(app: Any, connection: Any, nodes: list[str], task: str) -> dict[str, int]:
    """Return how often each worker has begun a task of this name since it started."""
    stats = asked(app, connection, nodes, "stats")
    return {name: int((one.get("total") or {}).get(task, 0)) for name, one in stats.items()}


def is_held(app: Any, connection: Any, nodes: list[str], task_id: str) -> bool:
    """Whether a worker still has the task: taken in, or being done."""
    inspect = app.control.inspect(destination=nodes, timeout=ASK_S * 2, connection=connection)
    found = inspect.query_task([task_id]) or {}
    return any(one[0] in ("active", "reserved", "scheduled") for held in found.values() for one in held.values())


def are_busy(app: Any, connection: Any, nodes: dict[str, Any], takers: list[str]) -> bool:
    """Whether every worker of a queue has as many tasks at hand as it can do at once."""
    active = asked(app, connection, takers, "active")
    return bool(active) and all(len(active.get(name) or ()) >= max(1, nodes[name]["concurrency"]) for name in takers)
