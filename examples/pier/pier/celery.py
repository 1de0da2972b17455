"""The Celery application: `celery -A pier worker`, and exactly one `celery -A pier beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pier.settings")

app = Celery("pier")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
