"""Workers of Celery, RQ and django-tasks on a real Redis, asked from inside. Needs their packages: set CI=1."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis

from shipway.core.inside import Inside
from shipway.core.unit import Unit
from shipway.core.vital import Vital
from shipway.verification.outcome import Answer
from shipway.verification.workers import (
    Asked,
    Expected,
    asked_of,
    judge_alive,
    judge_probe,
    judge_queues,
    judge_tasks,
)
from tests.contract.migrations.django_project import DjangoProject, make_project, python_with
from tests.contract.migrations.redis import redis
from tests.contract.migrations.test_inside import ask

pytestmark = pytest.mark.skipif(not os.environ.get("CI"), reason="installs three task frameworks: set CI=1 to run it")

PACKAGES = ("celery", "redis", "packaging", "rq", "django-rq", "django-tasks-db[compat]")
SETTINGS = """
INSTALLED_APPS = ["shop", "django.contrib.contenttypes", "django_tasks_db", "django_rq"]
CELERY_BROKER_URL = "redis://{0}/0"
RQ_QUEUES = {{"default": {{"URL": "redis://{0}/1"}}}}
TASKS = {{"default": {{"BACKEND": "django_tasks_db.DatabaseBackend"}}}}
"""
CELERY = """
import os
from celery import Celery
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "conf.settings")
app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
"""
TASKS = """
import time
from celery import shared_task
from django_tasks import task
@shared_task
def mail(customer): ...
@shared_task(queue="slow")
def slowly(seconds):
    time.sleep(seconds)
@task()
def note(): ...
"""
CMDS = {
    "celery": ("-m", "celery", "-A", "shop", "worker", "-c", "1", "-Q", "celery,slow", "-l", "WARNING"),
    "rq": ("manage.py", "rqworker", "default"),
    "tasks": ("manage.py", "db_worker", "--interval", "0.2"),
}
LIMIT_S = 60


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with redis() as address:
        yield address


@pytest.fixture(scope="module")
def project(server: str, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> DjangoProject:
    python = python_with(">=5.2,<5.3", pytestconfig.cache.mkdir("django-workers"), *PACKAGES)
    made = make_project(tmp_path_factory.mktemp("shop"), python)
    made.settings(SETTINGS.format(server))
    made.write("shop/celery.py", CELERY)
    made.write("conf/__init__.py", "from shop.celery import app\n")
    made.write("shop/tasks.py", TASKS)
    made.manage("migrate", "-v0")
    return made


@pytest.fixture
def shop(project: DjangoProject, server: str) -> DjangoProject:
    """The project with empty queues: a worker that is ended in a task gives it back."""
    with Redis.from_url(f"redis://{server}/0") as client:
        client.flushall()
    return project


def send(project: DjangoProject, code: str) -> None:
    project.manage("shell", "-v0", "-c", f"from shop.tasks import *; {code}")


@contextlib.contextmanager
def worker(project: DjangoProject, framework: str) -> Iterator[int]:
    """Give the process id of a worker that has begun to work, and end it."""
    words = (project.python, *CMDS[framework])
    with subprocess.Popen(
        words, cwd=project.directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(LIMIT_S)
            finally:
                process.kill()


def expected(framework: str, pid: int, machine: str = os.uname().nodename) -> Expected:
    unit = Unit("shop", "worker", "here", "r1", "v", kind="worker", cmd=" ".join(CMDS[framework]))
    return Expected(unit, Vital("worker", "r1", machine=machine, is_running=True, pid=pid, pids=(pid,)))


def told(project: DjangoProject, framework: str, pid: int, **options: object) -> Asked:
    one = expected(framework, pid)
    options = {"probe_s": 8.0, "pids": (pid,), "machines": (one.vital.machine,), **options}
    inside = ask(project, "workers", frameworks=(framework,), **options)
    found = asked_of(inside, Asked(framework, (one,), None, 8.0))
    assert not isinstance(found, Answer), (found, inside)
    return found


def until_alive(project: DjangoProject, framework: str, pid: int) -> Asked:
    limit = time.monotonic() + LIMIT_S
    while True:
        found = told(project, framework, pid)
        if judge_alive(found).state == "passed" or time.monotonic() > limit:
            return found


@pytest.mark.parametrize("framework", ["celery", "rq"])
def test_a_worker_answers_and_does_a_task(shop: DjangoProject, framework: str) -> None:
    with worker(shop, framework) as pid:
        found = until_alive(shop, framework, pid)
        alive, tasks, probe, queues = (judge(found) for judge in (judge_alive, judge_tasks, judge_probe, judge_queues))
    assert alive.state == "passed", found
    assert probe.state == "passed", found
    assert queues.state == "passed", found
    assert tasks.state == ("passed" if framework == "celery" else "skipped"), found
    assert {one.queue for one in found.facts.probes} == {"celery": {"celery", "slow"}, "rq": {"default"}}[framework]


@pytest.mark.parametrize("framework", ["celery", "rq"])
def test_no_worker_is_named(shop: DjangoProject, framework: str) -> None:
    found = told(shop, framework, 1, ask_s=1.0)
    answer = judge_alive(found)
    assert (answer.state, answer.what) == ("failed", "worker on here runs, and did not answer")
    assert judge_probe(found).state == "skipped", "what is wrong is said once"


@pytest.mark.parametrize("framework", ["celery", "rq"])
def test_the_worker_of_another_release_is_not_taken_for_ours(shop: DjangoProject, framework: str) -> None:
    with worker(shop, framework) as pid:
        until_alive(shop, framework, pid)
        found = told(shop, framework, pid + 1_000_000, ask_s=1.0)
    answer = judge_alive(found)
    assert answer.state == "failed"
    assert any("answered" in line for line in answer.evidence), "somebody did"


def test_a_stopped_worker_leaves_its_queue_to_grow(shop: DjangoProject) -> None:
    send(shop, "mail.delay(1)")
    found = told(shop, "celery", 1, ask_s=1.0)
    assert found.facts.waiting["celery"] == 1
    assert "1 tasks wait in the queue `celery`" in judge_queues(found).what
    with worker(shop, "celery") as pid:
        assert judge_queues(until_alive(shop, "celery", pid)).state == "passed"


def test_a_worker_with_its_hands_full_is_no_failure(shop: DjangoProject) -> None:
    with worker(shop, "celery") as pid:
        until_alive(shop, "celery", pid)
        send(shop, "slowly.delay(20)")
        found = told(shop, "celery", pid, probe_s=2.0)
        assert judge_alive(found).state == "passed", found
        assert judge_probe(found).state == "passed", found
        assert any("hands full" in line for line in judge_probe(found).evidence)


def test_a_task_that_the_worker_does_not_know_is_named(shop: DjangoProject) -> None:
    with worker(shop, "celery") as pid:
        until_alive(shop, "celery", pid)
        shop.write("shop/tasks.py", TASKS + "@shared_task\ndef brandnew(): ...\n")
        try:
            answer = judge_tasks(told(shop, "celery", pid))
        finally:
            shop.write("shop/tasks.py", TASKS)
    assert answer.state == "failed"
    assert "does not know 1 tasks of the release: shop.tasks.brandnew" in answer.what


def test_a_broker_that_is_down_is_named(shop: DjangoProject) -> None:
    settings = (shop.directory / "conf/settings.py").read_text()
    try:
        shop.settings(SETTINGS.format("127.0.0.1:1"))
        for framework in ("celery", "rq"):
            answer = judge_alive(told(shop, framework, 1, ask_s=2.0))
            assert answer.state == "failed"
            assert "could not ask its workers" in answer.what
            assert "refused" in answer.what
    finally:
        (shop.directory / "conf/settings.py").write_text(settings)


def test_django_tasks_are_judged_by_what_is_due(shop: DjangoProject) -> None:
    assert judge_queues(told(shop, "tasks", 1)).state == "passed"
    send(shop, "note.enqueue()")
    found = told(shop, "tasks", 1, probe_s=1.0)
    assert "1 tasks wait in the queue `default`" in judge_queues(found).what
    with worker(shop, "tasks") as pid:
        limit = time.monotonic() + LIMIT_S
        while judge_queues(found := told(shop, "tasks", pid)).state != "passed":
            assert time.monotonic() < limit, found
        assert judge_probe(found).state == "skipped"
        named = told(shop, "tasks", pid, probe="shop.tasks.note")
    assert judge_probe(named).state == "passed", named
    assert "was done in" in judge_probe(named).evidence[0]


def test_what_no_release_loads_is_said(shop: DjangoProject) -> None:
    answer = asked_of(Inside(workers={}), replace(Asked("rq", (expected("rq", 1),), None)))
    assert isinstance(answer, Answer)
    assert "RQ is not loaded" in answer.what


def test_nothing_is_left_in_redis(shop: DjangoProject, tmp_path: Path) -> None:
    """What a verification leaves is nothing: no queue, no result, no row."""
    keys = "import redis, django.conf as c; print(sorted(k for n in (0, 1) for k in redis.Redis.from_url("
    keys += "c.settings.CELERY_BROKER_URL[:-1] + str(n)).keys('*')))"
    with worker(shop, "celery") as pid, worker(shop, "rq") as other:
        until_alive(shop, "celery", pid)
        until_alive(shop, "rq", other)
        before = shop.manage("shell", "-v0", "-c", keys)
        assert judge_probe(told(shop, "celery", pid)).state == "passed"
        assert judge_probe(told(shop, "rq", other)).state == "passed"
        after = shop.manage("shell", "-v0", "-c", keys)
    assert "pidbox" in before
    left = set(after.split()) - set(before.split())
    assert not left, left
