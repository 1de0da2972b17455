"""Each framework's worker by its command: the signal that ends it softly, and None for what is none."""

import pytest

from shipway.config.load import load_config
from shipway.config.warm_stop import warm_stop

SIGNALS = {
    "celery -A pier worker --concurrency 2": "TERM",
    "sh -c 'exec celery --app=pier worker'": "TERM",
    "python manage.py rqworker default": "TERM",
    "rq worker high": "TERM",
    "python manage.py rundramatiq": "TERM",
    "dramatiq pier.tasks": "TERM",
    "python manage.py run_huey": "INT",
    "huey_consumer.py pier.huey -w 4": "INT",
    "huey_consumer pier.huey --graceful-signal TERM": "TERM",
    "python manage.py db_worker": "TERM",
}


@pytest.mark.parametrize("cmd", SIGNALS)
def test_a_worker_ends_its_task(cmd: str) -> None:
    found = warm_stop(cmd)
    assert found is not None
    assert found.signal == SIGNALS[cmd]


@pytest.mark.parametrize("cmd", [None, "", "celery -A pier beat", "uvicorn pier.asgi", "python manage.py send_mail"])
def test_what_is_no_worker_of_a_framework(cmd: str | None) -> None:
    assert warm_stop(cmd) is None


TWO = """
service: shop
runtime: venv
servers:
  web: [a]
  beat: {{ hosts: [{hosts}], cmd: celery -A shop beat }}
"""


@pytest.mark.parametrize(("hosts", "is_told"), [("a", False), ("a, b", True)])
def test_more_than_one_scheduler_is_warned_of(hosts: str, *, is_told: bool) -> None:
    warnings = load_config({"deploy.yml": TWO.format(hosts=hosts)}).warnings
    assert ["2 schedulers run at once: beat on a, beat on b" in one.what for one in warnings] == [True] * is_told
