from django.db import models


class Parcel(models.Model):
    """A parcel on the pier. A background task weighs it and says which release did."""

    label = models.CharField(max_length=80)
    arrived_at = models.DateTimeField(auto_now_add=True)
    weighed_at = models.DateTimeField(null=True, blank=True)
    weighed_by = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self):
        return self.label


class Count(models.Model):
    """How many parcels there were when the periodic task looked."""

    at = models.DateTimeField(auto_now_add=True)
    parcels = models.PositiveIntegerField()

    class Meta:
        ordering = ["-pk"]

    def __str__(self):
        return f"{self.parcels} at {self.at:%F %T}"
