"""A deploy that is killed by the kernel, at moments over its whole life, and what a person does next."""

from __future__ import annotations

import pytest

from tests.live.site import Site
from tests.live.visitor import Visitor

SLOW_MIGRATION = """
import time
from django.db import migrations
from django.db.models.signals import pre_migrate

def wait(app_config, **kwargs):
    if app_config.label == "ships":
        time.sleep(1.5)

pre_migrate.connect(wait)

class Migration(migrations.Migration):
    dependencies = [("ships", "0004_inspections_and_reports")]
"""
POINTS = (
    ("step.begin", "unpack-"),
    ("step.begin", "install-packages-"),
    ("step.done", "check-"),
    ("step.begin", "migrate"),
    ("step.begin", "start-web"),
    ("step.done", "start-worker"),
    ("step.done", "switch-web"),
    ("step.begin", "start-beat"),
    ("step.done", "start-beat"),
    ("step.begin", "stop-web"),
)
VERBS = (("resume",), ("rollback", "--yes"), ("deploy",))


@pytest.mark.parametrize("index", range(len(POINTS)), ids=[f"{kind} {step}".strip() for kind, step in POINTS])
def test_a_killed_deploy_is_recovered(moving: Site, index: int):
    """At once, on the same machine: nobody waits for the lock of a process that is gone, nor meets what it left."""
    point, verb = POINTS[index], VERBS[index % len(VERBS)]
    before = moving.serving()
    moving.write(f"ships/migrations/0005_slow_{index}.py", SLOW_MIGRATION)
    moving.commit()
    with Visitor(moving.host, moving.machine.port) as visitor, moving.start("deploy", "--json") as running:
        running.wait_for(*point)
        running.kill()
        begun = number(before) + 1
        ran = moving(*verb, "--json")
    visitor.assert_content()
    after = moving.serving()
    is_first_part = index < POINTS.index(("step.begin", "migrate"))
    if verb[0] == "resume" and is_first_part:  # nobody is left who knows how it was to go on
        assert (ran.code, ran.error["code"], after) == (10, "run.taken_back", before), ran.text
        return
    assert ran.code == 0, ran.text
    if verb[0] == "rollback":
        assert after == before
    else:
        assert number(after) >= begun
    assert moving("resume", "--json").report["outcome"] == "nothing"


def number(release: str) -> int:
    return int(release.removeprefix("r"))
