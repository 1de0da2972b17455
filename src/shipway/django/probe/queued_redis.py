"""The places in Redis where Celery, RQ and Dramatiq keep their messages. Everything is only read."""

from __future__ import annotations

import json
import time
from typing import Any

CHUNK = 500
SCANS = 200


def items(client: Any, key: str) -> Any:
    """Yield the entries of a list, a piece at a time; while workers take from it some may be missed or seen twice."""
    start = 0
    while True:
        part = client.lrange(key, start, start + CHUNK - 1)
        yield from part
        if len(part) < CHUNK:
            return
        start += CHUNK


def celery_in_redis(app: Any, channel: Any, tell: Any) -> None:
    """Tell (message, queue, state) of all that waits for the workers of a Celery app: kombu/transport/redis.py."""
    prefix = str(getattr(channel, "global_keyprefix", "") or "")
    with channel.conn_or_acquire() as client:
        for queue in celery_queue_names(app, client, prefix):
            for priority in channel.priority_steps:
                for raw in items(client, prefix + channel._q_for_pri(queue, priority)):
                    tell(raw, queue, "ready")
        for _, raw in client.hscan_iter(prefix + channel.unacked_key, count=CHUNK):
            message, _, key = json.loads(raw)
            tell(json.dumps(message), str(key), "reserved")


def celery_queue_names(app: Any, client: Any, prefix: str) -> list[str]:
    """Return the queues of the app's configuration and of its tasks, and those that others have bound."""
    names = set(app.amqp.queues) | {str(app.conf.task_default_queue)}
    names |= {str(one.queue) for one in app.tasks.values() if getattr(one, "queue", None)}
    cursor: Any = 0
    for _ in range(SCANS):
        cursor, keys = client.scan(cursor, match=prefix + "_kombu.binding.*", count=CHUNK)
        for key in keys:
            # Without the prefix: kombu's client puts it before the key of this command itself.
            for bound in client.smembers(text(key)[len(prefix) :] if prefix else key):
                names.add(text(bound).split("\x06\x16")[-1])
        if not int(cursor):
            break
    # Answers and remote control travel in queues too, and hold no task.
    return sorted(n for n in names if n and not n.endswith((".pidbox", ".celery.pidbox")) and "celeryev" not in n)


def text(value: Any) -> str:
    """Return a key or member of Redis as text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def rq_jobs(connection: Any, queue: str) -> Any:
    """Yield (description, state, seconds until due) of the jobs of a queue of RQ: rq/queue.py, rq/registry.py."""
    ready = [(text(one), "ready", 0.0) for one in items(connection, f"rq:queue:{queue}")]
    held = [(text(one).split(":")[0], "reserved", 0.0) for one in connection.zrange(f"rq:wip:{queue}", 0, -1)]
    late = [(text(one), "delayed", 0.0) for one in connection.zrange(f"rq:deferred:{queue}", 0, -1)]
    timed = connection.zrange(f"rq:scheduled:{queue}", 0, -1, withscores=True)
    late += [(text(one), "delayed", max(0.0, at - time.time())) for one, at in timed]
    for job, state, due_s in ready + held + late:
        description = connection.hget(f"rq:job:{job}", "description")
        if description is not None:
            yield text(description), state, due_s


def dramatiq_in_redis(broker: Any) -> Any:
    """Yield (message, queue, whether it is for later): dramatiq/brokers/redis/dispatch.lua. Dead letters are dead."""
    names = {*broker.get_declared_queues()}
    for queue in sorted(names):
        for name, is_delayed in ((queue, False), (queue + ".DQ", True)):
            for _, raw in broker.client.hscan_iter(f"{broker.namespace}:{name}.msgs", count=CHUNK):
                yield raw, queue, is_delayed
