"""What runs in the background."""

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from parcels.models import Count, Parcel


@shared_task
def weigh(parcel_id):
    """Weigh a parcel, once, however often it is asked."""
    Parcel.objects.filter(pk=parcel_id, weighed_at=None).update(
        weighed_at=timezone.now(), weighed_by=settings.RELEASE or "none"
    )


@shared_task
def count():
    """Count the parcels for the harbour master."""
    Count.objects.create(parcels=Parcel.objects.count())
