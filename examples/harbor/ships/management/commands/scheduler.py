"""Puts periodic tasks into the queue. One scheduler is to run at a time; a second one would find nothing due."""

import datetime
import logging
import signal
import time

from django.core.management.base import BaseCommand
from django.db import close_old_connections, transaction
from django.utils import timezone

from ships.models import PeriodicTask
from ships.tasks import periodic_tasks

logger = logging.getLogger(__name__)


def enqueue_due(now):
    """Enqueue each periodic task whose time has come; return their names."""
    enqueued = []
    for task, every_s in periodic_tasks().items():
        with transaction.atomic():
            row, is_new = PeriodicTask.objects.select_for_update().get_or_create(
                name=task.module_path, defaults={"enqueued_at": now}
            )
            if not is_new and row.enqueued_at + datetime.timedelta(seconds=every_s) > now:
                continue
            row.enqueued_at = now
            row.save(update_fields=["enqueued_at"])
            task.enqueue()
        enqueued.append(task.module_path)
    return enqueued


class Command(BaseCommand):
    help = "Enqueue periodic tasks until SIGTERM or SIGINT."

    is_stopping = False

    def stop(self, *_):
        self.is_stopping = True

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="Look once, then exit.")

    def handle(self, *, once, **options):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.stop)
        while not self.is_stopping:
            close_old_connections()
            for name in enqueue_due(timezone.now()):
                logger.info("enqueued %s", name)
            if once:
                return
            time.sleep(0.2)
