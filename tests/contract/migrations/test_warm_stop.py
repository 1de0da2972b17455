"""What a deploy does to the workers of each framework: the task at hand is done, the next one waits for the new worker.

Real workers with a real Redis; the signal is the one that a role with that command is stopped with.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shipway.config.warm_stop import warm_stop
from tests.contract.migrations.django_project import make_project, python_with
from tests.contract.migrations.redis import redis

pytestmark = pytest.mark.skipif(not os.environ.get("CI"), reason="installs five task frameworks: set CI=1 to run it")

LIMIT_S = 60.0
PACKAGES = ("celery", "redis", "packaging", "rq", "huey", "dramatiq[redis]", "django-tasks-db[compat]")
SLOW = """
import pathlib, time
def work(name):
    pathlib.Path(name + ".begun").touch()
    end = time.monotonic() + 60
    while not pathlib.Path("go").exists() and time.monotonic() < end:
        time.sleep(0.02)
    pathlib.Path(name + ".done").touch()
"""
MODULES = {
    "celery": """
from celery import Celery
from slow import work
app = Celery("x", broker="redis://{redis}/0")
app.conf.worker_prefetch_multiplier = 1
@app.task
def do(name): work(name)
def send(name): do.delay(name)
""",
    "rq": """
from redis import Redis
from rq import Queue
from slow import work
def send(name): Queue(connection=Redis.from_url("redis://{redis}/1")).enqueue(work, name)
""",
    "dramatiq": """
import dramatiq
from dramatiq.brokers.redis import RedisBroker
from slow import work
dramatiq.set_broker(RedisBroker(url="redis://{redis}/2"))
@dramatiq.actor
def do(name): work(name)
def send(name): do.send(name)
""",
    "huey": """
from huey import RedisHuey
from slow import work
huey = RedisHuey("x", url="redis://{redis}/3")
@huey.task()
def do(name): work(name)
def send(name): do(name)
""",
    "tasks": """
import django
django.setup()
from shop.tasks import do
def send(name): do.enqueue(name)
""",
}
COMMANDS = {
    "celery": "celery -A m_celery worker --concurrency 1 --loglevel WARNING",
    "rq": "rq worker --url redis://{redis}/1 default",
    "dramatiq": "dramatiq m_dramatiq --processes 1 --threads 1",
    "huey": "huey_consumer m_huey.huey -w 1",
    "tasks": "python manage.py db_worker --interval 0.1",
}
DJANGO = """
INSTALLED_APPS = ["shop", "django.contrib.contenttypes", "django_tasks_db"]
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
"""


@pytest.fixture
def broker() -> Iterator[str]:
    with redis() as address:
        yield address


def prepare(folder: Path, pytestconfig: pytest.Config, broker: str) -> Path:
    """Write the modules; return the directory of programs."""
    python = python_with(">=5.2,<5.3", pytestconfig.cache.mkdir("warm-stop"), *PACKAGES)
    project = make_project(folder, python)
    project.settings(DJANGO)
    project.write("slow.py", SLOW)
    project.write(
        "shop/tasks.py", "from django_tasks import task\nfrom slow import work\n@task()\ndef do(name): work(name)\n"
    )
    for name, text in MODULES.items():
        project.write(f"m_{name}.py", text.replace("{redis}", broker))
    project.manage("migrate", "-v0")
    return Path(python).parent


def wait(folder: Path, true: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + LIMIT_S
    while not true():
        assert process.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < end, (folder / "log").read_text()
        time.sleep(0.05)


@contextlib.contextmanager
def busy(kind: str, folder: Path, programs: Path, broker: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that is in the middle of its first task, with a second one queued."""
    environment = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "DJANGO_SETTINGS_MODULE": "conf.settings",
        "PYTHONPATH": str(folder),
    }
    send = f"import m_{kind} as m; m.send('one'); m.send('two')"
    subprocess.run([str(programs / "python"), "-c", send], cwd=folder, env=environment, check=True, timeout=LIMIT_S)
    words = COMMANDS[kind].replace("{redis}", broker).split()
    words[0] = str(programs / words[0])
    with (folder / "log").open("wb") as log:
        worker = subprocess.Popen(words, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        wait(folder, (folder / "one.begun").exists, worker)
        yield worker
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(LIMIT_S)


@pytest.mark.parametrize("kind", COMMANDS)
def test_the_task_at_hand_is_done_and_the_next_one_is_left(
    kind: str, tmp_path: Path, pytestconfig: pytest.Config, broker: str
) -> None:
    programs = prepare(tmp_path, pytestconfig, broker)
    found = warm_stop(COMMANDS[kind])
    assert found is not None
    with busy(kind, tmp_path, programs, broker) as worker:
        worker.send_signal(signal.Signals[f"SIG{found.signal}"])
        time.sleep(1)  # the signal is heard before the task may end
        assert not (tmp_path / "one.done").exists()
        assert worker.poll() is None, "it waits for its task"
        (tmp_path / "go").touch()
        worker.wait(LIMIT_S)
    assert (tmp_path / "one.done").exists(), (tmp_path / "log").read_text()
    assert not (tmp_path / "two.begun").exists(), "it took another task after it was asked to end"


def test_huey_loses_its_task_with_the_signal_that_everybody_else_gets(
    tmp_path: Path, pytestconfig: pytest.Config, broker: str
) -> None:
    programs = prepare(tmp_path, pytestconfig, broker)
    with busy("huey", tmp_path, programs, broker) as worker:
        worker.send_signal(signal.SIGTERM)
        worker.wait(LIMIT_S)
    (tmp_path / "go").touch()
    assert not (tmp_path / "one.done").exists()
