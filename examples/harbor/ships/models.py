from django.core.validators import FileExtensionValidator
from django.db import models
from django.urls import reverse

from ships.validators import validate_photo


class Berth(models.Model):
    """A place at the quay."""

    name = models.CharField(max_length=40, unique=True)
    length_m = models.PositiveSmallIntegerField("length (m)")

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class Ship(models.Model):
    """A ship that called at the harbour. `inspected_at` is set by a background task."""

    name = models.CharField(max_length=80, db_index=True)
    length_m = models.PositiveSmallIntegerField("length (m)")
    berth = models.ForeignKey(Berth, models.SET_NULL, null=True, blank=True, related_name="ships")
    photo = models.FileField(
        upload_to="ships/",
        blank=True,
        validators=[FileExtensionValidator(["jpg", "jpeg", "png", "webp"]), validate_photo],
    )
    arrived_at = models.DateTimeField(auto_now_add=True, db_index=True)
    inspected_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-arrived_at", "-pk"]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("ships:detail", args=[self.pk])


class Report(models.Model):
    """What the harbour master's periodic report counted."""

    written_at = models.DateTimeField(auto_now_add=True)
    ships = models.PositiveIntegerField()
    inspected = models.PositiveIntegerField()

    class Meta:
        ordering = ["-written_at", "-pk"]
        get_latest_by = ["written_at", "pk"]

    def __str__(self):
        return f"{self.ships} ships, {self.inspected} inspected"


class PeriodicTask(models.Model):
    """When the scheduler last put a periodic task into the queue; outlives restarts of the scheduler."""

    name = models.CharField(max_length=200, unique=True)
    enqueued_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name
