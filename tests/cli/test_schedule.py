"""`shipway schedule` against this machine as the host, with what a deploy would have left there."""

import fcntl
import json
from pathlib import Path

import pytest

from shipway.runtimes.schedule import script
from tests.cli.conftest import SECRET, Project

JOBS = """
schedule:
  nightly: { cron: "30 4 * * *", command: clearsessions, timezone: Europe/Berlin }
  broken: { cron: "@hourly", command: break }
"""


def job(name: str, cron: str, zone: str, words: str) -> dict[str, object]:
    argv = ["sh", "-c", words]
    return {"name": name, "cron": cron, "timezone": zone, "argv": argv, "limit_s": 20, "role": "web"}


@pytest.fixture
def scheduled(served: Project) -> Project:
    """The project with two jobs that were put in force; no timer calls them."""
    served.write("config/deploy.yml", (served.directory / "config/deploy.yml").read_text() + JOBS)
    place = served.state / "shop" / "schedule"
    place.mkdir()
    (place / "run.py").write_text(script("schedule_run"))
    jobs = [job("broken", "0 * * * *", "UTC", f"echo 'key {SECRET[:6]}'; exit 9")]
    jobs.append(job("nightly", "30 4 * * *", "Europe/Berlin", "echo cleared"))
    (place / "active.json").write_text(json.dumps({"release": "r2", "way": "root", "environment": {}, "jobs": jobs}))
    (place / "active").write_text("r2 here\n")
    return served


def home(project: Project) -> Path:
    return project.state / "shop" / "schedule"


def test_without_a_schedule_there_is_nothing_to_list(served: Project) -> None:
    answer = served("schedule", "list")
    assert (answer.code, "No job is configured" in answer.out) == (0, True)
    assert served("schedule", "list", "--json").json == []
    unknown = served("schedule", "run", "nightly")
    assert unknown.code == 2
    assert "shipway docs schedule" in unknown.err


def test_what_no_deploy_has_brought_is_told_and_is_not_run(project: Project) -> None:
    project.write("config/deploy.yml", (project.directory / "config/deploy.yml").read_text() + JOBS)
    answer = project("schedule", "list")
    assert answer.code == 1
    assert "nightly on here: not in force: the next deploy brings it" in answer.out
    run = project("schedule", "run", "nightly")
    assert run.code == 4
    assert "schedule.not_in_force" in run.err
    assert "shipway manage clearsessions" in run.err
    assert project("schedule", "logs", "nightly").code == 4
    assert not project.state.exists()  # looking leaves nothing behind


def test_a_job_is_run_and_its_end_is_kept(scheduled: Project) -> None:
    ran = scheduled("schedule", "run", "nightly")
    assert (ran.code, ran.out) == (0, "cleared\n")
    failed = scheduled("schedule", "run", "broken", "--json")
    assert failed.code == 9
    assert failed.json[0]["status"] == 9
    rows = {row["name"]: row for row in scheduled("schedule", "list", "--json").json}
    assert (rows["nightly"]["last"]["status"], rows["nightly"]["release"]) == (0, "r2")
    assert rows["broken"]["last"]["status"] == 9
    assert "its timer is gone" in rows["nightly"]["trouble"]  # nothing but the files stands here
    assert "exit status 9" in scheduled("schedule", "list").out
    assert "cleared" in scheduled("schedule", "logs", "nightly").out
    lines = [json.loads(line) for line in scheduled("schedule", "logs", "broken", "--json").out.splitlines()]
    assert [line["line"] for line in lines][1] == f"key {SECRET[:6]}"
    assert scheduled("schedule", "logs", "broken", "-n", "1").out.startswith("--- ")


def test_it_is_not_begun_again_while_it_runs(scheduled: Project) -> None:
    (home(scheduled) / "lock").mkdir()
    with (home(scheduled) / "lock" / "nightly").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        busy = scheduled("schedule", "run", "nightly")
    assert busy.code == 4
    assert "schedule.busy" in busy.err
    assert "shipway schedule logs nightly -f" in busy.err


def test_a_secret_that_a_job_prints_is_taken_out(scheduled: Project) -> None:
    place = home(scheduled) / "active.json"
    body = json.loads(place.read_text())
    body["jobs"][0]["argv"] = ["cat", str(scheduled.directory / ".kamal/key")]
    place.write_text(json.dumps(body))
    for words in (("run", "broken"), ("logs", "broken"), ("run", "broken", "--json")):
        answer = scheduled("schedule", *words)
        assert SECRET not in answer.out + answer.err, words


def test_plan_shows_the_schedule_of_the_next_release(scheduled: Project) -> None:
    answer = scheduled("plan", "deploy", "-v")
    assert answer.code == 0
    assert "put the schedule of r3 in force" in answer.out
