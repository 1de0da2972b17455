"""The example in containers through a day by the README's own commands, with PostgreSQL, Redis, a worker and beat."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.lab.fixtures import Lab
from tests.lab.pier import Beats, Pier, Visitors

DATA = "/root/pier-db/data"
FIELD = "weighed_by = models.CharField(max_length=20, blank=True)"
MIGRATION = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("parcels", "0001_initial")]
    operations = [migrations.AddField("parcel", "note", models.TextField(null=True))]
"""
STAGING = """\
proxy:
  host: staging.example.org
env:
  clear:
    ALLOWED_HOSTS: staging.example.org
"""
COUNT = "select count(*) from parcels_parcel"
IMAGES = ("postgres:16", "redis:7")


@pytest.fixture(scope="module")
def pier(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pier]:
    """The pier, set up on a server with nothing of it. Afterwards it is removed by its own verb, and that is judged."""
    host = lab.host(2)
    host.wipe()
    for image in IMAGES:  # `remove` takes an accessory's image away, and this server can pull none
        host.docker("tag", image, f"kept/{image}")
    made = Pier(lab, host, tmp_path_factory.mktemp("operator") / "pier").prepare()
    made.ok("setup")
    assert "nothing to do: setup" in made.ok("setup")
    try:
        yield made
        removed = made("remove", "-y")
        left = host.docker("ps", "-a", "--format", "{{.Names}}").out.split()
        data = host.run("test", "-e", DATA)
    finally:
        for image in IMAGES:
            host.docker("tag", f"kept/{image}", image)
        host.wipe()
    assert removed.status == 0, removed
    assert (left, data.status) == ([], 1)


def units(release: str) -> list[str]:
    return [f"pier-{role}-{release}" for role in ("beat", "web", "worker")]


def query(pier: Pier, sql: str) -> str:
    words = ("accessory", "exec", "db", "--reuse", "--", "psql", "-U", "pier", "-tAc", sql)
    return pier.ok(*words).splitlines()[-1]


def after(release: str) -> str:
    return f"r{int(release[1:]) + 1}"


def test_a_day_on_the_pier(pier: Pier) -> None:
    first, version = pier.release, str(json.loads(pier.ask("GET", "/up")[2])["version"])
    there = int(query(pier, COUNT))
    assert pier.parcel(pier.post("Rope"))["weighed_by"] == first
    assert pier.containers() == units(first)

    pier.edit("parcels/models.py", FIELD, f"{FIELD}\n    note = models.TextField(null=True)")
    (pier.folder / "parcels/migrations/0002_parcel_note.py").write_text(MIGRATION)
    pier.commit("Notes on parcels")
    with Beats(pier.host) as beats, Visitors(pier) as visitors:
        pier.ok("deploy")
        second = after(first)
        assert pier.release == second
        assert pier.parcel(pier.post("Sail"))["weighed_by"] == second
        pier.ok("rollback")
        assert pier.parcel(pier.post("Anchor"))["weighed_by"] == first
        started = beats.assert_never_two()
    assert pier.containers() == units(first)
    assert started == 2
    visitors.assert_content()
    assert [number for number in visitors.parcels if not pier.parcel(number)["weighed_by"]] == []
    assert int(query(pier, COUNT)) - there == len(visitors.parcels) + 3
    assert query(pier, "select name from django_migrations where name like '%parcel_note'") == "0002_parcel_note"
    assert "0002" not in pier.ok("manage", "showmigrations", "parcels"), "the code of then does not know it"

    pier.environment["PIER_SECRET_KEY"] = "another-key-of-the-lab-and-of-nobody-else-0123456789"
    pier.ok("redeploy")
    third = after(second)
    key = 'echo "$SECRET_KEY" | cut -c 1-7; echo "$KAMAL_VERSION"'
    assert pier.ok("app", "exec", "--reuse", "-r", "web", key).split() == ["another", version]
    assert pier.parcel(pier.post("Chain"))["weighed_by"] == third
    assert pier.containers() == units(third)


def test_kamals_verbs_against_an_engine(pier: Pier) -> None:
    release = pier.release
    assert [line.split()[-1] for line in pier.ok("app", "containers", "-q").splitlines() if line.endswith(release)]
    assert "10.213" in pier.ok("app", "images")
    assert release in pier.ok("details")
    assert release in pier.ok("proxy", "details")

    new, reused = ("app", "exec", "-p", "hostname"), ("app", "exec", "-p", "--reuse", "hostname")
    assert pier.ok(*new).strip() != pier.ok(*reused).strip()
    inside = pier.host.docker("exec", f"pier-web-{release}", "hostname").out
    assert pier.ok(*reused) == inside == pier.ok("app", "exec", "-p", "-i", "--reuse", "hostname")
    assert pier.ok("app", "exec", "-p", "-e", "A:7", 'echo "$A"') == "7\n"
    assert pier("app", "exec", "-p", "sh -c 'exit 7'").status == 7
    pier.ok("app", "exec", "-p", "--detach", "python manage.py shell -c 'from parcels.models import Count'")

    assert pier.parcel(pier.post("Net"))["weighed_by"] == release
    told = pier.ok("app", "logs", "-r", "worker", "-g", "succeeded", "-n", "50", "-T")
    assert "parcels.tasks.weigh" in told
    assert all("succeeded" in line for line in told.splitlines())
    assert len(pier.ok("app", "logs", "-r", "web", "-n", "1").splitlines()) == 1
    assert "POST / HTTP" in pier.ok("app", "logs", "--container-id", f"pier-web-{release}", "-s", "10m", "-n", "50")
    assert pier.ok("proxy", "logs", "-n", "1")

    pier.ok("app", "maintenance")
    assert pier.ask("GET", "/")[0] == 503
    pier.ok("app", "live")
    pier.ok("proxy", "reboot", "-y")
    assert pier.release == release
    pier.ok("app", "stop")
    assert pier.containers() == []
    pier.ok("app", "start")
    assert pier.containers() == units(release)
    assert pier.parcel(pier.post("Buoy"))["weighed_by"] == release


def test_what_staging_has_verified_goes_into_production(pier: Pier) -> None:
    (pier.folder / "config/deploy.staging.yml").write_text(STAGING)
    secrets = pier.folder / ".kamal/secrets"
    (pier.folder / ".kamal/secrets.staging").write_text(secrets.read_text())
    before, version = pier.release, pier.commit("Staging")
    pier.ok("deploy", "-d", "staging")
    assert pier.release == before
    assert pier.containers("label=destination=staging") == units("staging-r1")
    pier.edit("parcels/templates/parcels/list.html", "</body>", "not verified</body>")
    pier.commit("Not verified yet")
    pier.ok("deploy", "--from", "staging")
    assert pier.release not in {before, "r1"}
    assert "not verified" not in pier.ask("GET", "/")[2]
    assert json.loads(pier.ask("GET", "/up")[2])["version"] == version
    pier.ok("remove", "-d", "staging", "-y")
    assert pier.containers() == units(pier.release)
