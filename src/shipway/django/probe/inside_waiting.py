"""How many tasks wait in each queue: lengths only, so that a long queue costs no more than a short one."""

from __future__ import annotations

from typing import Any

from shipway.django.probe.queued import waiting
from shipway.django.probe.queued_redis import celery_queue_names

MAX_SHOWN = 100


def celery_waiting(app: Any, connection: Any) -> dict[str, int]:
    """Return how many messages are ready in each queue of a Celery app; nothing for a broker that cannot tell."""
    kind = connection.transport.driver_type
    found: dict[str, int] = {}
    if kind == "redis":
        with connection.channel() as channel:
            prefix = str(getattr(channel, "global_keyprefix", "") or "")
            with channel.conn_or_acquire() as client:
                for queue in celery_queue_names(app, client, prefix)[:MAX_SHOWN]:
                    keys = [prefix + channel._q_for_pri(queue, level) for level in channel.priority_steps]
                    found[queue] = sum(int(client.llen(key)) for key in keys)
    elif kind == "amqp":
        for queue in list(app.amqp.queues)[:MAX_SHOWN]:
            found[str(queue)] = waiting(connection, queue)
    return found
