"""What runs in the background: `manage.py db_worker` runs it, `manage.py scheduler` enqueues what is periodic."""

from django.conf import settings
from django.utils import timezone
from django_tasks import task

from ships.models import Berth, Report, Ship


@task()
def inspect_ship(ship_id):
    """Inspect a ship that has arrived, and give it the shortest berth that it fits into."""
    ship = Ship.objects.filter(pk=ship_id, inspected_at=None).first()
    if ship is None:
        return
    if ship.berth_id is None:
        ship.berth = Berth.objects.filter(length_m__gte=ship.length_m).order_by("length_m").first()
    ship.inspected_at = timezone.now()
    ship.save(update_fields=["berth", "inspected_at"])


@task()
def write_report():
    """Count the ships for the harbour master."""
    Report.objects.create(
        ships=Ship.objects.count(),
        inspected=Ship.objects.exclude(inspected_at=None).count(),
    )


def periodic_tasks():
    """Return every periodic task with the seconds between two runs."""
    return {write_report: settings.REPORT_EVERY_S}
