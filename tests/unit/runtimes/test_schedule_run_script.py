"""The runner of jobs, run as a timer runs it: its log, its state, never twice, its time limit."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shipway.core.job import Job
from shipway.runtimes import schedule_run_script
from shipway.runtimes.schedule import schedule_text
from shipway.runtimes.schedule_report import parse_report

RUNNER = Path(schedule_run_script.__file__)
LIMIT_S = 30.0


def wait(true: Callable[[], object]) -> None:
    end = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "schedule").mkdir()
    return tmp_path


def put(home: Path, script: str, *, limit_s: float = 20, release: str = "r1") -> None:
    job = {"name": "job", "argv": ["sh", "-c", script], "limit_s": limit_s}
    active = {"release": release, "environment": {"FROM_LOGIN": "yes"}, "jobs": [job]}
    (home / "schedule" / "active.json").write_text(json.dumps(active))


def words(home: Path, *more: str) -> list[str]:
    verb = "now" if more else "run"
    return [sys.executable, "-I", "-S", str(RUNNER), verb, str(home), "job", *more]


def run(home: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words(home, *more), capture_output=True, text=True, check=False, timeout=LIMIT_S)


def state(home: Path) -> dict[str, object]:
    path = home / "schedule" / "state" / "job.json"
    found: dict[str, object] = json.loads(path.read_text()) if path.exists() else {}
    return found


def log(home: Path) -> str:
    return (home / "schedule" / "log" / "job.log").read_text()


def test_a_timer_gets_silence_and_the_log_gets_all(home: Path) -> None:
    put(home, 'echo out; echo err >&2; printf "%s" "$FROM_LOGIN"; exit 3')
    done = run(home)
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")
    lines = log(home).splitlines()
    assert lines[0].startswith("--- ")
    assert lines[0].endswith("begun by timer, with r1")
    assert lines[1:4] == ["out", "err", "yes"]
    assert "ended with exit status 3 after" in lines[4]
    found = state(home)
    assert (found["status"], found["release"], found["by"], found["why"]) == (3, "r1", "timer", "")
    assert oct((home / "schedule" / "log" / "job.log").stat().st_mode)[-3:] == "600"


def test_a_person_sees_what_it_says_and_the_log_has_it_too(home: Path) -> None:
    put(home, "echo out")
    done = run(home, "ann")
    assert (done.returncode, done.stdout) == (0, "out\n")
    assert "begun by ann" in log(home)


def test_it_never_runs_twice_at_once_and_the_next_release_is_no_way_around(home: Path) -> None:
    put(home, f"echo first; while [ ! -e {home}/go ]; do sleep 0.05; done")
    first = subprocess.Popen(words(home))
    wait(lambda: (home / "schedule" / "log" / "job.log").exists() and "first" in log(home))
    put(home, "echo second", release="r2")
    second = run(home)
    assert second.returncode == 75
    assert "still running since" in second.stderr
    assert "second" not in log(home)
    assert json.loads((home / "schedule" / "state" / "job.skipped").read_text())["by"] == "timer"
    (home / "go").touch()
    assert first.wait(LIMIT_S) == 0
    assert run(home).returncode == 0
    assert "begun by timer, with r2" in log(home)


def test_a_runner_that_is_killed_leaves_neither_its_command_nor_its_lock(home: Path) -> None:
    put(home, f"echo $$ > {home}/pid; sleep 60")
    first = subprocess.Popen(words(home))
    wait(lambda: (home / "pid").exists() and (home / "pid").read_text().strip())
    first.send_signal(signal.SIGKILL)
    first.wait(LIMIT_S)
    pid = int((home / "pid").read_text())
    wait(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2])
    put(home, "true")
    assert run(home).returncode == 0


def test_what_takes_too_long_is_ended_with_all_that_it_started(home: Path) -> None:
    put(home, f"sleep 60 & echo $! > {home}/pid; wait", limit_s=0.5)
    done = run(home, "ann")
    assert done.returncode == 143
    assert "it took longer than" in done.stderr
    assert "it took longer than" in str(state(home)["why"])
    pid = int((home / "pid").read_text())
    wait(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2])


def test_a_command_that_ends_well_in_spite_of_being_asked_to_end_has_not_succeeded(home: Path) -> None:
    put(home, "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done", limit_s=0.5)
    assert run(home).returncode == 1


def test_who_asks_the_runner_to_end_ends_the_command(home: Path) -> None:
    put(home, "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done")
    going = subprocess.Popen(words(home))
    wait(lambda: (home / "schedule" / "log" / "job.log").exists() and "ready" in log(home))
    os.kill(going.pid, signal.SIGTERM)
    assert going.wait(LIMIT_S) == 7
    assert "bye" in log(home)
    assert "asked to end" in str(state(home)["why"])


def test_a_job_that_has_gone_is_no_failure_of_its_last_timer(home: Path) -> None:
    put(home, "true")
    (home / "schedule" / "active.json").write_text(json.dumps({"release": "r2", "jobs": []}))
    done = run(home)
    assert done.returncode == 78
    assert "not in the schedule of r2" in done.stderr


def test_a_program_that_is_not_there_is_told(home: Path) -> None:
    (home / "schedule" / "active.json").write_text(
        json.dumps({"release": "r1", "jobs": [{"name": "job", "argv": ["/no/such/program"], "limit_s": 5}]})
    )
    assert run(home).returncode == 127
    assert "could not start" in log(home)


def test_output_without_end_does_not_fill_the_disk(home: Path) -> None:
    put(home, "head -c 7000000 /dev/zero | tr '\\0' x")
    assert run(home).returncode == 0
    assert "is left out" in log(home)
    assert len(log(home)) < 5_100_000
    put(home, "echo short")
    assert run(home).returncode == 0
    assert log(home).splitlines()[1] == "short"  # a log that has grown is begun anew
    assert (home / "schedule" / "log" / "job.log.1").exists()


def test_what_goes_on_in_the_background_is_not_waited_for(home: Path) -> None:
    put(home, f"sleep 60 & echo $! > {home}/pid")
    assert run(home).returncode == 0
    assert run(home).returncode == 0, "nor has it the lock"
    os.kill(int((home / "pid").read_text()), signal.SIGKILL)


REPORT = {
    "release": "r2",
    "way": "root",
    "jobs": [
        {
            "name": "job",
            "cron": "0 0 * * *",
            "timezone": "UTC",
            "role": "web",
            "is_set": True,
            "is_running": False,
            "skipped": "",
            "state": {
                "release": "r1",
                "by": "timer",
                "began": "b",
                "ended": "e",
                "status": 3,
                "took_s": 1.5,
                "why": "",
            },
        }
    ],
}


def test_a_report_is_read() -> None:
    found = parse_report(json.dumps(REPORT).encode())
    assert (found.release, found.way) == ("r2", "root")
    job = found.jobs["job"]
    assert job.now is None
    assert job.last is not None
    assert (job.last.status, job.last.took_s, job.is_set) == (3, 1.5, True)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "nonsense", '{"jobs": 3}', '{"jobs": [3]}', '{"jobs": [{"name": 3}]}', '{"jobs": [{}]}'],
)
def test_nonsense_is_no_report(text: str) -> None:
    assert parse_report(text.encode()).jobs == {}


def test_a_run_that_goes_on_has_the_last_one_beside_it() -> None:
    job = json.loads(json.dumps(REPORT["jobs"]))[0]
    job |= {"is_running": True, "state": {"began": "now", "pid": 1, "last": job["state"]}}
    found = parse_report(json.dumps({**REPORT, "jobs": [job]}).encode()).jobs["job"]
    assert found.now is not None
    assert found.last is not None
    assert (found.now.began, found.last.began) == ("now", "b")
    job["is_running"] = False  # it was killed
    killed = parse_report(json.dumps({**REPORT, "jobs": [job]}).encode()).jobs["job"]
    assert killed.now is None
    assert killed.last is not None
    assert killed.last.ended == ""


def due(cron: str, zone: str, at: str) -> bool:
    job = Job(name="j", cron=cron, command=("c",), timezone=zone, role="web", hosts=("a",), limit_s=1)
    (made,) = json.loads(schedule_text("r1", [(job, ("x",))]))["jobs"]
    return schedule_run_script.is_due(made, datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("cron", "zone", "at", "is_it"),
    [
        ("* * * * *", "UTC", "2026-11-22T19:00:59", True),
        ("30 4 * * *", "UTC", "2026-11-22T04:30:00", True),
        ("30 4 * * *", "UTC", "2026-11-22T04:37:00", True),
        ("30 4 * * *", "UTC", "2026-11-22T04:29:59", False),
        ("30 4 * * *", "UTC", "2026-11-22T15:00:00", False),
        ("30 4 * * *", "Europe/Berlin", "2026-11-22T03:30:05", True),
        ("30 4 * * *", "Europe/Berlin", "2026-11-22T04:30:05", False),
        ("0 0 * * MON", "UTC", "2026-11-23T00:00:01", True),
        ("0 0 * * MON", "UTC", "2026-11-24T00:00:01", False),
        ("0 0 13 * FRI", "UTC", "2026-11-27T00:00:01", True),
        ("59 23 * * *", "UTC", "2026-11-23T00:03:00", True),
        ("30 2 * * *", "Europe/Berlin", "2027-03-28T01:30:00", True),  # 02:30 is left out that night
    ],
)
def test_a_timer_that_looks_back_begins_nothing(cron: str, zone: str, at: str, *, is_it: bool) -> None:
    assert due(cron, zone, at) is is_it


def test_what_is_not_due_is_begun_by_a_person_only(home: Path) -> None:
    put(home, "echo out")
    place = home / "schedule" / "active.json"
    body = json.loads(place.read_text())
    never = {"minutes": [], "hours": [], "days": [], "months": [], "weekdays": [], "any_day": False}
    body["jobs"][0] |= {"times": never, "timezone": "UTC"}
    place.write_text(json.dumps(body))
    done = run(home)
    assert done.returncode == 78
    assert "not due now" in done.stderr
    assert run(home, "ann").stdout == "out\n"
