from __future__ import annotations

import json
import re

import pytest

from shipway.core.unit import HealthCheck, Unit
from shipway.runtimes.docker import DockerSettings, RoleSettings
from shipway.runtimes.docker.proof import BEAT_STARTS, READY, question

SETTINGS = DockerSettings("shop", "shop", roles={"web": RoleSettings(app_port=8000)}, readiness_s=4, deploy_limit_s=25)


def asked(cmd: str, role: str = "worker", *, once: bool = False, **changes: object) -> dict[str, object]:
    unit = Unit("shop", role, "a", "r1", "v", kind="worker", cmd=cmd, **changes)  # type: ignore[arg-type]
    return json.loads(question(unit, SETTINGS, once=once))


def test_a_proxied_role_is_asked_over_http() -> None:
    check = HealthCheck("/up", "shop.example", https=True, limit_s=12)
    body = asked("gunicorn", "web", proxied=True, health=check)
    assert body["limit_s"] == 12
    health = body["health"]
    assert (health["address"], health["host"], health["path"], health["https"]) == (
        ":8000",
        "shop.example",
        "/up",
        True,
    )
    assert "ping" not in body


def test_what_cannot_be_asked_must_stay_up() -> None:
    assert asked("python manage.py work") == {"limit_s": 25, "steady_s": 4}
    assert asked("", once=True) == {"limit_s": 25, "steady_s": 4, "once": True}


@pytest.mark.parametrize(
    ("cmd", "app", "node"),
    [
        ("celery -A shop worker -l info", "shop", "celery@{hostname}"),
        ("celery --app=shop.celery:app worker", "shop.celery:app", "celery@{hostname}"),
        ("python -m celery -A shop worker", "shop", "celery@{hostname}"),
        ("/venv/bin/celery -Ashop worker -n mail@%h", "shop", "mail@{hostname}"),
        ("sh -c 'exec celery -A shop worker --hostname=mail'", "shop", "mail@{hostname}"),
    ],
)
def test_a_celery_worker_is_asked_itself(cmd: str, app: str, node: str) -> None:
    body = asked(cmd)
    assert body["ready"] == READY
    assert body["ping"] == ["celery", "-A", app, "inspect", "ping", "-d", node, "--timeout", "3"]


def test_lines_of_celery_are_known() -> None:
    assert re.search(READY, "[2026-11-22 16:00:00,1: INFO/MainProcess] celery@web-1-0123456789ab ready.")
    assert not re.search(READY, "celery@web-1 v5.4.0 (opalescent)")
    assert re.search(BEAT_STARTS, "[2026-11-22 16:00:00,1: INFO/MainProcess] beat: Starting...")
    assert asked("celery -A shop beat")["ready"] == BEAT_STARTS
    assert "ready" not in asked("celery -A shop flower")
    assert "ready" not in asked("python celeryish.py worker")
