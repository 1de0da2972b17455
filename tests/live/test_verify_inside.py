"""A verification of a site in virtualenvs: what is asked inside works there too, and finds what is wrong."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

from tests.live.machine import wait_until
from tests.live.site import Site


def verified(site: Site, code: int = 0) -> dict[str, dict[str, Any]]:
    ran = site("verify", "--json")
    assert ran.code == code, ran.text
    return {check["code"]: check for check in json.loads(ran.out)["checks"]}


def failures(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {code: check["what"] for code, check in found.items() if check["state"] == "failed"}


def test_what_is_asked_inside(site: Site) -> None:
    found = verified(site)
    assert failures(found) == {}
    inside = ("database", "storage", "media", "secure", "workers", "queues", "scheduler", "restarts", "logs", "errors")
    states = {name: found[f"verify.{name}"]["state"] for name in inside}
    assert states == dict.fromkeys(inside, "passed"), found
    assert "django_session" in found["verify.database"]["evidence"][0]
    assert found["verify.probe_task"]["what"].endswith("`verify/workers/probe`"), (
        "django-tasks runs tasks of the project"
    )
    log = site.home / "log" / "web-r1.log"
    with log.open("a") as file:
        file.write("ERROR django.request: Internal Server Error: /ships/7/\n" * 12)
    try:
        wrong = failures(verified(site, code=4))
    finally:
        os.truncate(log, log.stat().st_size - 12 * 54)
    assert list(wrong) == ["verify.errors"]
    assert "web on localhost logged 12 errors" in wrong["verify.errors"]


def test_a_process_that_was_killed_is_told(moving: Site) -> None:
    """Its keeper started it again, so it runs."""
    (pidfile,) = (moving.home / "run").glob("worker-*.pid")
    before = pidfile.read_text()
    os.kill(int(before.split()[0]), signal.SIGKILL)
    wait_until(lambda: pidfile.read_text() != before)
    wrong = failures(verified(moving, code=4))
    assert "worker on localhost" in wrong["verify.restarts"]
