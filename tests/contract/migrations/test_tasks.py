"""The tasks that a project registers, with each framework as it is today. Needs their packages: run where CI is set."""

import os
from pathlib import Path

import pytest

from tests.contract.migrations.django_project import make_project, python_with

pytestmark = pytest.mark.skipif(not os.environ.get("CI"), reason="installs five task frameworks: set CI=1 to run it")

SETTINGS = """
from celery import Celery
celery_app = Celery("shop", broker="memory://")
celery_app.set_default()
celery_app.conf.beat_schedule = {"nightly": {"task": "shop.tasks.mail", "schedule": 60.0}}
INSTALLED_APPS = ["shop", "django_tasks"]
import dramatiq
from dramatiq.brokers.stub import StubBroker
dramatiq.set_broker(StubBroker())
"""
TASKS = """
import dramatiq
from celery import shared_task
from django.contrib.admin import site  # a lazy object that must not be woken up
from django_tasks import task
from huey import MemoryHuey, crontab
from rq.decorators import job
huey = MemoryHuey("shop")

@shared_task
def mail(customer, subject="x", *, urgent): ...
@shared_task(bind=True, queue="slow", acks_late=True)
def bound(self, customer): ...
@dramatiq.actor(queue_name="d")
def act(a, b=1): ...
@huey.task()
def hue(a): ...
@huey.periodic_task(crontab(minute="0"))
def hourly(): ...
@job("q", connection=object())
def later(a, *rest): ...
@task()
def django(a): ...
"""
EXPECTED = {
    "celery": {"shop.tasks.bound": ["customer"], "shop.tasks.mail": ["customer"]},
    "rq": {"shop.tasks.later": ["a"]},
    "dramatiq": {"act": ["a"]},
    "huey": {"shop.tasks.hourly": [], "shop.tasks.hue": ["a"]},
    "tasks": {"shop.tasks.django": ["a"]},
}


def test_every_framework(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    packages = ("celery", "rq", "huey", "dramatiq", "django-tasks")
    project = make_project(tmp_path, python_with(">=5.2,<5.3", pytestconfig.cache.mkdir("django-tasks"), *packages))
    project.settings(SETTINGS)
    project.write("shop/tasks.py", TASKS)
    report = project.report(want=("tasks",))
    assert report.faults == {}
    found = {name: {t["name"]: t["required"] for t in one["tasks"]} for name, one in report.tasks.items()}
    assert found == EXPECTED
    celery = {t["name"]: t for t in report.tasks["celery"]["tasks"]}
    assert celery["shop.tasks.mail"]["keyword"] == [["urgent", True]]
    assert (celery["shop.tasks.bound"]["bind"], celery["shop.tasks.bound"]["queue"]) == (True, "slow")
    assert report.tasks["celery"]["beat"] == [["nightly", "shop.tasks.mail", "60.0"]]
