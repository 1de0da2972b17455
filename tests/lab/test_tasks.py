"""Releases that change tasks while messages of the old form wait, with Celery and Redis in containers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.fixtures import Lab
from tests.lab.pier import Pier
from tests.lab.test_gate import deploy, query

HAUL = """

@shared_task
def haul(seconds):
    Count.objects.create(parcels=900001)
    time.sleep(seconds)
    Count.objects.create(parcels=900002)
"""
LATER_S = 30


@pytest.fixture(scope="module")
def pier(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pier]:
    """The pier with a worker and a task that takes long, without beat."""
    host = lab.host(1)
    host.wipe()
    made = Pier(lab, host, tmp_path_factory.mktemp("operator") / "pier").prepare()
    config = made.folder / "config/deploy.yml"
    config.write_text(re.sub(r"(?s)\n  # Exactly one.*?(?=\nproxy:)", "\n", config.read_text()))
    made.append("config/deploy.yml", "\nrelease:\n  tasks: refuse\n")
    made.edit("parcels/tasks.py", "from celery import", "import time\n\nfrom celery import")
    made.append("parcels/tasks.py", HAUL)
    made.commit("A long task")
    made.ok("setup")
    try:
        yield made
    finally:
        host.wipe()


def send(pier: Pier, *calls: str) -> None:
    pier.ok("manage", "--", "shell", "-c", "; ".join(("from parcels.tasks import *", *calls)))


def counted(pier: Pier, number: int) -> int:
    return query(pier, "select parcels from parcels_count").split().count(str(number))


def change_tasks(pier: Pier) -> None:
    """One task gets another name, one a further argument that must be given."""
    for path in ("parcels/tasks.py", "parcels/views.py", "parcels/tests/test_parcels.py"):
        file = pier.folder / path
        file.write_text(re.sub(r"\bweigh\b", "measure", file.read_text()))
    pier.edit("parcels/tasks.py", "def haul(seconds)", "def haul(seconds, crane)")


def test_a_task_that_runs_is_ended_softly_and_queued_ones_meet_workers_that_know_them(pier: Pier) -> None:
    ends_softly(pier)
    first = pier.release
    number = pier.post("Rope")
    assert pier.parcel(number)["weighed_by"] == first
    query(pier, "update parcels_parcel set weighed_at = null, weighed_by = ''")
    send(pier, f"weigh.apply_async(({number},), countdown={LATER_S})", f"haul.apply_async((0,), countdown={LATER_S})")
    change_tasks(pier)
    is_refused(pier, first)
    pier.edit("config/deploy.yml", "tasks: refuse", "tasks: wait")
    report = deploy(pier)
    assert pier.parcel(number)["weighed_by"] == first, "the old worker has done it"
    assert counted(pier, 900002) == 2
    assert any("parcels.tasks.weigh (no such task)" in note for note in report["notes"]), report
    assert report["stages"].index("Old workers end") < report["stages"].index(f"Switch to {report['release']}")
    assert pier.parcel(pier.post("Sail"))["weighed_by"] == report["release"]
    goes_not_back(pier, first)


def ends_softly(pier: Pier) -> None:
    """A task that was begun before the switch ends in its old worker, and no other one does it again."""
    send(pier, "haul.delay(12)")
    pier.ok("redeploy")
    assert (counted(pier, 900001), counted(pier, 900002)) == (1, 1)


def is_refused(pier: Pier, first: str) -> None:
    before = pier.containers()
    refused: dict[str, Any] = deploy(pier, code=4)
    assert refused["code"] == "tasks.incompatible", refused
    told = sorted(finding["what"] for finding in refused["findings"])
    assert [line.partition(":")[0] for line in told] == ["parcels.tasks.haul", "parcels.tasks.weigh"]
    assert "1 for later; they lack `crane`" in told[0]
    assert "1 for later; no such task" in told[1]
    assert (pier.release, pier.containers()) == (first, before)


def goes_not_back(pier: Pier, first: str) -> None:
    """What only the new workers know waits: code does not go back before it is done."""
    send(pier, "measure.apply_async((1,), countdown=3000)")
    answer = pier("rollback", first, "--yes", "--json")
    error = json.loads(answer.out.splitlines()[-1])["error"]
    assert (answer.status, error["code"]) == (4, "rollback.refused"), answer
    assert any("parcels.tasks.measure: 1 for later" in finding["what"] for finding in error["findings"]), error
