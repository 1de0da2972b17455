"""The tasks that a project registers, with each framework as it is today. Needs their packages: run where CI is set."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from shipway.django.answer import parse_answer
from shipway.django.task_codec import parse_known, parse_queued
from shipway.tasks.compare import stuck
from tests.contract.migrations.django_project import TOKEN, make_project, python_with
from tests.contract.migrations.redis import redis

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


QUEUES = """
from celery import Celery
celery_app = Celery("shop", broker="redis://{redis}/0")
celery_app.set_default()
INSTALLED_APPS = ["shop", "django.contrib.contenttypes", "django_tasks_db", "django_rq"]
RQ_QUEUES = {{"default": {{"URL": "redis://{redis}/1"}}}}
TASKS = {{"default": {{"BACKEND": "django_tasks_db.DatabaseBackend"}}}}
import dramatiq
from dramatiq.brokers.redis import RedisBroker
dramatiq.set_broker(RedisBroker(url="redis://{redis}/2"))
"""
WAITING = """
import dramatiq
from celery import shared_task
from django_rq import job
from django_tasks import task
from huey import RedisHuey
huey = RedisHuey("shop", url="redis://{redis}/3")

@shared_task
def mail(customer, subject="x"): ...
@shared_task(queue="slow")
def slowly(customer): ...
@dramatiq.actor(queue_name="d")
def act(a, b=1): ...
@huey.task()
def hue(a): ...
@job
def later(a, *rest): ...
@task()
def django(a): ...
"""
SEND = """
import datetime, os
os.environ["DJANGO_SETTINGS_MODULE"] = "conf.settings"
import django as library
library.setup()
import django_rq
from celery import current_app
from shop.tasks import *
mail.delay(1)
mail.delay(1, subject="a-secret-subject")
mail.apply_async((2,), priority=6)
slowly.delay(1)
mail.apply_async((3,), queue="bound-by-a-sender")
current_app.send_task("shop.tasks.gone", args=(1, 2))
act.send(1)
act.send_with_options(args=(1,), kwargs={"b": 2}, delay=60000)
hue(1)
hue.schedule((1,), delay=100)
later.delay(1, 2)
django_rq.get_queue("default").enqueue("shop.tasks.nowhere", 4, x=5)
django_rq.get_queue("default").enqueue_in(datetime.timedelta(seconds=50), later, 1)
django.enqueue(1)
django.using(run_after=datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).enqueue(a=1)
"""
FORMS = {
    "celery": {
        ("shop.tasks.mail", "celery", "ready", 1, ()): 2,
        ("shop.tasks.mail", "celery", "ready", 1, ("subject",)): 1,
        ("shop.tasks.mail", "bound-by-a-sender", "ready", 1, ()): 1,
        ("shop.tasks.slowly", "slow", "ready", 1, ()): 1,
        ("shop.tasks.gone", "celery", "ready", 2, ()): 1,
    },
    "rq": {
        ("shop.tasks.later", "default", "ready", 2, ()): 1,
        ("shop.tasks.later", "default", "delayed", 1, ()): 1,
        ("shop.tasks.nowhere", "default", "ready", 1, ("x",)): 1,
    },
    "dramatiq": {("act", "d", "ready", 1, ()): 1, ("act", "d", "delayed", 1, ("b",)): 1},
    "huey": {("shop.tasks.hue", "shop", "ready", 1, ()): 1, ("shop.tasks.hue", "shop", "delayed", 1, ()): 1},
    "tasks": {
        ("shop.tasks.django", "default", "ready", 1, ()): 1,
        ("shop.tasks.django", "default", "delayed", 0, ("a",)): 1,
    },
}
WAITERS = ("celery", "redis", "packaging", "rq", "django-rq", "huey", "dramatiq", "django-tasks-db[compat]")


def test_what_waits_in_every_framework(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """Real messages by each framework's own client, told as forms; and nothing of what they carry."""
    python = python_with(">=5.2,<5.3", pytestconfig.cache.mkdir("django-queues"), *WAITERS)
    project = make_project(tmp_path, python)
    with redis() as server:
        project.settings(QUEUES.format(redis=server))
        project.write("shop/tasks.py", WAITING.format(redis=server))
        project.manage("migrate", "-v0")
        project.write("send.py", SEND)
        subprocess.run((python, "send.py"), cwd=tmp_path, check=True, capture_output=True, timeout=60)
        answered = project.ask(want=("tasks", "queued"))
    report = parse_answer(answered.output, TOKEN, said=answered.said)
    assert report.faults == {}
    assert b"a-secret-subject" not in answered.output
    queued = parse_queued(report.queued)
    found: dict[str, dict[Any, int]] = {}
    for one in queued.messages:
        form = (one.name, one.queue, one.state, one.arguments, one.keywords)
        found.setdefault(one.framework, {})[form] = one.count
    assert found == FORMS
    assert queued.unread == {}
    told = {str(one) for one in stuck(parse_known(report.tasks), queued, None)}
    assert told == {"shop.tasks.gone: 1 waiting; no such task", "shop.tasks.nowhere: 1 waiting; no such task"}
