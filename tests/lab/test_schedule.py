"""Jobs at times of their own on two servers, the backup before a risky release, and what is asked of its files.

One site for all; the order of the tests is that of the story.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from shipway.runtimes.schedule import script
from tests.lab.bare_server import own_servers
from tests.lab.fixtures import Lab, LabHost
from tests.lab.harbor import eventually
from tests.lab.pier import Pier
from tests.lab.test_gate import approve, deploy, migrate

NUMBERS = (33, 133)
HOME = "/var/lib/shipway/pier"
TICK = """
import os, pathlib, socket, time
from django.core.management.base import BaseCommand

class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("--wait", type=float, default=0)

    def handle(self, wait, **_):
        from parcels.models import Count
        Count.objects.create(parcels=777)
        print("tick", os.environ["SHIPWAY_RELEASE"], flush=True)
        time.sleep(wait)
"""
SCHEDULE = """
schedule:
  tick: { cron: "* * * * *", command: tick }
  slow: { cron: "@yearly", command: tick --wait 30 }
"""
# Another service of the same login, for cron alone: what is tested is the host's part.
CRON_HOME = "/var/lib/shipway/other"
LIST = "systemctl list-timers --all --no-legend 'shipway-schedule.*' | grep -o 'shipway-schedule[^ ]*timer' | sort"


@dataclass(frozen=True)
class Site:
    pier: Pier
    one: LabHost
    two: LabHost

    def rows(self, *, code: int = 0) -> dict[str, dict[str, Any]]:
        answer = self.pier("schedule", "list", "--json")
        assert answer.status == code, f"{answer.err}{answer.out}"
        return {row["name"]: row for row in json.loads(answer.out)}

    def timers(self) -> list[tuple[str, str]]:
        """Return what systemd of both servers has in force, as (server, job)."""
        found = []
        for host in (self.one, self.two):
            names = host.run("sh", "-c", LIST).out.split()
            found += [(host.name, name.split(".")[2]) for name in names]
        return found

    def hosts(self, *hosts: LabHost) -> None:
        """Write which servers have the role, the primary one first."""
        path = self.pier.folder / "config/deploy.yml"
        names = "".join(f"    - {host.name}\n" for host in hosts)
        path.write_text(re.sub(r"(?<=  web:\n)(    - .*\n)+", names, path.read_text()))


@pytest.fixture(scope="module")
def site(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    place = tmp_path_factory.mktemp("operator")
    with own_servers(lab, place, NUMBERS, bare=False) as (one, two):
        pier = Pier(lab, one, place / "pier").prepare()
        config = pier.folder / "config/deploy.yml"
        config.write_text(re.sub(r"(?s)\n  worker:.*?(?=\nproxy:)", "\n", config.read_text()))
        config.write_text(re.sub(r"(?s)\n  redis:.*?- data:/data", "", config.read_text()))
        pier.edit("config/deploy.yml", "REDIS_URL: redis://pier-redis:6379/0", 'REDIS_URL: ""')
        pier.edit("config/deploy.yml", str(lab.ssh_config), str(place / "ssh_config"))
        pier.edit("config/deploy.yml", "    image: postgres:16\n", "    image: postgres:16\n    port: 5432\n")
        pier.edit(".kamal/secrets", "pier-db", one.address)
        pier.append("config/deploy.yml", "release:\n  backup: accessory\n  backup_keep: 2\n" + SCHEDULE)
        for path in ("management", "management/commands"):
            (pier.folder / "parcels" / path).mkdir()
            (pier.folder / "parcels" / path / "__init__.py").touch()
        (pier.folder / "parcels/management/commands/tick.py").write_text(TICK)
        made = Site(pier, one, two)
        made.hosts(one, two)
        pier.commit("Jobs")
        begin_cron(two)
        pier.ok("setup")
        yield made


def begin_cron(host: LabHost) -> None:
    """Put a job into root's crontab, as a host without systemd has it; `test_cron…` looks what became of it."""
    done = host.run(
        "sh", "-c", "apt-get update -qq && apt-get install -y -qq --no-install-recommends cron", limit_s=120
    )
    assert done.status == 0, done.out + done.err
    job = {
        "name": "mark",
        "cron": "* * * * *",
        "timezone": "UTC",
        "calendars": ["*-*-* *:*:00 UTC"],
        "argv": ["sh", "-c", "echo by cron; touch /run/marked"],
        "limit_s": 30,
        "role": "web",
    }
    text = json.dumps({"release": "r1", "hosts": {"mark": ["here"]}, "jobs": [job]})
    assert host.run("mkdir", "-p", f"{CRON_HOME}/releases/r1", f"{CRON_HOME}/schedule").status == 0
    assert host.run("sh", "-c", f"cat >{CRON_HOME}/releases/r1/schedule.json", stdin=text).status == 0
    assert host.run("sh", "-c", f"cat >{CRON_HOME}/schedule/run.py", stdin=script("schedule_run")).status == 0
    assert host.run("sh", "-c", "printf '1 2 3 4 5 mine\\n' | crontab -").status == 0
    on_host(host, "check", CRON_HOME, "r1", "cron")
    on_host(host, "activate", CRON_HOME, "r1", "cron")


def on_host(host: LabHost, *words: str) -> str:
    done = host.run("python3", "-I", "-S", "-", *words, stdin=script("schedule"))
    assert done.status == 0, done.out + done.err
    return done.out


def test_a_job_runs_once_over_all_hosts_by_the_timer_of_one(site: Site) -> None:
    assert site.timers() == [(site.one.name, "slow"), (site.one.name, "tick")]
    row = site.rows()["tick"]
    assert (row["host"], row["release"], row["way"], row["trouble"]) == (site.one.name, "r1", "root", "")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:00Z", row["next"])
    verify = "systemd-analyze verify /etc/systemd/system/shipway-schedule.* 2>&1"
    assert site.one.run("sh", "-c", verify).out == ""
    eventually(lambda: (site.rows()["tick"]["last"] or {}).get("by") == "timer")
    last = site.rows()["tick"]["last"]
    assert (last["status"], last["release"]) == (0, "r1")
    assert "tick r1" in site.pier.ok("schedule", "logs", "tick")
    stat = site.one.run("sh", "-c", f"stat -c '%a' {HOME}/schedule {HOME}/schedule/log/tick.log").out.split()
    assert stat == ["700", "600"]
    secrets = site.one.run("sh", "-c", f"cat {HOME}/schedule/active.json {HOME}/releases/r1/schedule.json").out
    assert not [one for one in site.pier.environment.values() if one in secrets]


def test_cron_does_the_same_and_leaves_the_rest_of_the_crontab(site: Site) -> None:
    eventually(lambda: site.two.run("test", "-e", "/run/marked").status == 0)
    found = json.loads(on_host(site.two, "report", CRON_HOME))
    assert found["way"] == "cron"
    assert found["jobs"][0]["is_set"] is True
    assert found["jobs"][0]["state"]["by"] == "timer"
    on_host(site.two, "clear", CRON_HOME)
    assert site.two.run("crontab", "-l").out == "1 2 3 4 5 mine\n"
    assert site.two.run("sh", "-c", f"ls {CRON_HOME}/schedule").out.split() == ["log", "state"]


def test_a_person_runs_one_and_never_a_second_time_meanwhile(site: Site) -> None:
    ran = site.pier("schedule", "run", "tick")
    if ran.status:  # its timer has it
        eventually(lambda: not site.rows()["tick"]["now"])
        ran = site.pier("schedule", "run", "tick")
    assert (ran.status, ran.out.strip()) == (0, "tick r1"), ran.err
    by_itself = f"python3 {HOME}/schedule/run.py now {HOME} slow ann >/dev/null 2>&1 &"
    site.one.run("sh", "-c", by_itself)
    eventually(lambda: site.rows()["slow"]["now"])
    busy = site.pier("schedule", "run", "slow")
    assert busy.status == 4
    assert "schedule.busy" in busy.err
    site.one.run("systemctl", "start", "shipway-schedule.pier.slow.service")  # as a timer that is set anew may call it
    assert site.rows()["slow"]["last"] is None
    unknown = site.pier("schedule", "run", "tock")
    assert unknown.status == 2
    assert "there are: slow, tick" in unknown.err


def test_it_goes_with_the_primary_host_and_comes_back_with_the_release(site: Site) -> None:
    site.hosts(site.two, site.one)
    report = deploy(site.pier)
    assert report["release"] == "r2"
    assert "Hand over the schedule" in report["stages"]
    assert site.timers() == [(site.two.name, "slow"), (site.two.name, "tick")]
    assert {row["host"] for row in site.rows().values()} == {site.two.name}
    assert "tick r2" in site.pier.ok("schedule", "run", "tick")
    site.pier.ok("rollback", "r1", "--yes")
    assert site.timers() == [(site.one.name, "slow"), (site.one.name, "tick")]
    site.hosts(site.one, site.two)
    site.pier.commit("As before")
    assert site.rows()["tick"]["trouble"] == ""


def test_a_backup_is_made_before_data_is_lost_and_one_that_fails_ends_the_deploy(site: Site) -> None:
    pier = site.pier
    pier.edit("config/deploy.yml", "backup: accessory", "backup: 'echo half; exit 3'")
    migrate(pier, 'migrations.RunSQL("delete from parcels_count")')
    refused = deploy(pier, code=4)
    command = re.search(r"--approve ([0-9a-f]{12})", refused["next"])
    assert command is not None, refused
    failed = deploy(pier, "--approve", command[1], code=10)
    assert "the backup is not whole" in failed["said"], failed
    assert count(site) > 0
    assert site.one.run("sh", "-c", f"ls {HOME}/backups").out == ""
    pier.edit("config/deploy.yml", "backup: 'echo half; exit 3'", "backup: accessory")
    _, report = approve(pier)
    (note,) = [note for note in report["notes"] if note.startswith("backup: ")]
    path = note.removeprefix("backup: ").partition(",")[0]
    assert site.one.run("stat", "-c", "%a", path).out.strip() == "600"
    assert count(site) < 3, "the ticks since"
    listed = site.one.run("sh", "-c", f"docker exec -i pier-db pg_restore --list <{path}")
    assert "TABLE DATA public parcels_count" in listed.out, listed.err
    assert note in site.pier.ok("audit")


def count(site: Site) -> int:
    words = ("accessory", "exec", "db", "--reuse", "--raw", "--", "psql", "-U", "pier", "-tAc")
    return int(site.pier.ok(*words, "select count(*) from parcels_count").strip())


def test_pages_without_their_files_and_uploads_without_a_place_end_before_the_switch(site: Site) -> None:
    pier, before = site.pier, site.pier.release
    page = pier.folder / "parcels/templates/parcels/list.html"
    whole = page.read_text()
    page.write_text(whole + "{% load static %}{% static 'parcels/lost.css' %}")
    lost = deploy(pier, code=4)
    assert (lost["code"], lost["where"]) == ("static.missing", "parcels/templates/parcels/list.html"), lost
    page.write_text(whole)
    pier.append("pier/settings.py", '\nMEDIA_ROOT = "/media"\n')
    pier.append("parcels/models.py", "\n\nclass Photo(models.Model):\n    image = models.FileField()\n")
    fields = '("id", models.BigAutoField(primary_key=True)), ("image", models.FileField())'
    migrate(pier, f'migrations.CreateModel("Photo", [{fields}])')
    inside = deploy(pier, code=4)
    assert inside["code"] == "media.in_container", inside
    pier.append("config/deploy.yml", "volumes: [pier-media:/media]\n")
    closed = deploy(pier, code=4)
    assert closed["code"] == "media.unwritable", closed
    assert pier.release == before
    pier.edit(
        "Dockerfile", "USER pier", "RUN install -d -o pier /media\nUSER pier"
    )  # a volume takes its owner from there
    deploy(pier)
    assert site.one.docker("run", "--rm", "-v", "pier-media:/media", "python:3.11-slim", "ls", "/media").out == ""


def test_what_the_key_leaves_and_remove_takes_all_of_it(site: Site) -> None:
    pier = site.pier
    pier.ok("app", "stop")
    assert site.timers() == []
    assert site.rows(code=1)["tick"]["trouble"] != ""
    pier.ok("app", "start")
    assert len(site.timers()) == 2
    pier.ok("remove", "--yes")
    assert site.timers() == []
    for host in (site.one, site.two):
        assert host.run("sh", "-c", "ls /etc/systemd/system | grep shipway-schedule").out == ""
