import datetime
import logging

from django.core.management import call_command
from django.test import TestCase
from django.utils import timezone

from ships.management.commands.scheduler import enqueue_due
from ships.models import Berth, Report, Ship
from ships.tasks import inspect_ship, write_report


class TasksTest(TestCase):
    def setUp(self):
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)

    def run_worker(self):
        call_command("db_worker", batch=True, interval=0, startup_delay=False)

    def test_worker_inspects_and_berths_a_ship(self):
        ship = Ship.objects.create(name="Aurora", length_m=90)
        inspect_ship.enqueue(ship.pk)
        self.run_worker()
        ship.refresh_from_db()
        self.assertIsNotNone(ship.inspected_at)
        self.assertEqual(ship.berth, Berth.objects.get(name="Old Pier"))

    def test_a_ship_that_is_gone_is_no_failure(self):
        self.assertIsNone(inspect_ship.call(12345))

    def test_scheduler_enqueues_what_is_due_once(self):
        now = timezone.now()
        self.assertEqual(enqueue_due(now), [write_report.module_path])
        self.assertEqual(enqueue_due(now + datetime.timedelta(seconds=59)), [])
        self.assertEqual(enqueue_due(now + datetime.timedelta(seconds=60)), [write_report.module_path])
        self.run_worker()
        self.assertEqual(Report.objects.count(), 2)
