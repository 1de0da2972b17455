"""Releases that change a PostgreSQL database, in containers and under traffic, each by the path that it needs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.fixtures import Lab
from tests.lab.pier import Pier, Visitors

HEAD = "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
LABEL = "    label = models.CharField(max_length=80)\n"
TITLE = "    title = models.CharField(max_length=80, null=True)\n"
WEIGHED_BY = "    weighed_by = models.CharField(max_length=20, blank=True)\n"
DOCK = "    dock = models.IntegerField(null=True)\n"
BOTH = "Parcel.objects.create(label=label, title=label)"
PSQL = ("accessory", "exec", "db", "--reuse", "--raw", "--", "psql", "-U", "pier", "-tAc")
MANY = "insert into parcels_count (at, parcels) select now(), n from generate_series(1, 120000) n"


@pytest.fixture(scope="module")
def pier(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pier]:
    """The pier without its worker and beat, which have no part in this, set up on a server with nothing of it."""
    host = lab.host(1)
    host.wipe()
    made = Pier(lab, host, tmp_path_factory.mktemp("operator") / "pier").prepare()
    config = made.folder / "config/deploy.yml"
    config.write_text(re.sub(r"(?s)\n  worker:.*?(?=\nproxy:)", "\n", config.read_text()))
    made.edit("config/deploy.yml", "REDIS_URL: redis://pier-redis:6379/0", 'REDIS_URL: ""')
    config.write_text(re.sub(r"(?s)\n  redis:.*?- data:/data", "", config.read_text()))
    made.commit("Web only")
    made.ok("setup")
    try:
        yield made
    finally:
        host.wipe()


def migrate(pier: Pier, operations: str, more: str = "", head: str = "") -> str:
    """Write the next migration, and return its name."""
    names = sorted(path.stem for path in (pier.folder / "parcels/migrations").glob("0*.py"))
    body = f'    dependencies = [("parcels", "{names[-1]}")]\n    operations = [{operations}]\n{more}'
    name = f"{len(names) + 1:04}_step"
    (pier.folder / f"parcels/migrations/{name}.py").write_text(head + HEAD + body)
    return name


def deploy(pier: Pier, *words: str, code: int = 0) -> dict[str, Any]:
    """Deploy what is in the folder; return the report or the error, with the stages that were done."""
    if pier.git("status", "--porcelain"):
        pier.commit("Change")
    answer = pier("deploy", "--json", *words)
    assert answer.status == code, f"{answer.err}\n{answer.out[-3000:]}"
    bodies = [json.loads(line) for line in answer.out.splitlines()]
    stages = [body["stage"] for body in bodies if body.get("event") == "stage.done"]
    return {**bodies[-1].get("report", {}), **bodies[-1].get("error", {}), "stages": stages}


def approve(pier: Pier, *words: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Deploy, which waits for an approval, and give it; return the refusal and the report."""
    refused = deploy(pier, code=4)
    assert refused["code"] == "migrations.approval", refused
    found = re.search(r"`shipway deploy --approve ([0-9a-f]{12})`", refused["next"])
    assert found, refused
    return refused, deploy(pier, "--approve", found[1], *words)


def ways_back(pier: Pier) -> dict[str, str]:
    return {row["release"]: row["verdict"] for row in json.loads(pier.ok("rollback", "--list", "--json"))}


def test_a_rename_is_refused_and_its_recipe_passes_in_three_releases(pier: Pier) -> None:
    rename_is_refused(pier)
    add_the_new_column(pier)
    go_back_and_forth(pier)
    forget_the_old_column(pier)
    drop_the_old_column(pier)


def rename_is_refused(pier: Pier) -> None:
    before = pier.containers()
    migrate(pier, 'migrations.RenameField("parcel", "label", "title")')
    pier.edit("parcels/models.py", LABEL, LABEL.replace("label", "title"))
    pier.edit("parcels/models.py", "return self.label", "return self.title")
    refused = deploy(pier, code=4)
    assert refused["code"] == "migrations.refused"
    (finding,) = refused["findings"]
    assert "Parcel" in finding["what"]
    assert "new column, write both, fill the old rows, read the new one" in finding["next"]
    assert pier.containers() == before, "nothing is left of it"
    pier.git("revert", "--no-edit", "HEAD")


def add_the_new_column(pier: Pier) -> None:
    """The first release of the recipe: the column, written beside the old one. Then the old rows are filled."""
    pier.post("Rope")
    migrate(pier, 'migrations.AddField("parcel", "title", models.CharField(max_length=80, null=True))')
    pier.edit("parcels/models.py", LABEL, LABEL + TITLE)
    pier.edit("parcels/views.py", "Parcel.objects.create(label=label)", BOTH)
    with Visitors(pier) as visitors:
        report = deploy(pier)
        fill = "from parcels.models import *; Parcel.objects.filter(title=None).update(title=models.F('label'))"
        pier.ok("manage", "--", "shell", "-c", fill)
    visitors.assert_content()
    stages = report["stages"]
    assert stages.index("Migrate the database") < next(i for i, name in enumerate(stages) if name.startswith("Start"))
    assert query(pier, "select title from parcels_parcel where title = 'Rope'") == "Rope"


def go_back_and_forth(pier: Pier) -> None:
    """What is allowed works under traffic."""
    now = pier.release
    assert next(iter(ways_back(pier).values())) == "allowed"
    with Visitors(pier) as visitors:
        pier.ok("rollback", "--yes")
        assert pier.release != now
        pier.ok("rollback", now, "--yes")
    visitors.assert_content()
    pier.ok("manage", "--", "shell", "-c", "from parcels.models import *; "
            "Parcel.objects.filter(title=None).update(title=models.F('label'))")  # fmt: skip


def forget_the_old_column(pier: Pier) -> None:
    """The second release: the new column is read, the old one is out of the state only."""
    gone = 'migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("parcel", "label")])'
    migrate(pier, f'migrations.AlterField("parcel", "label", models.CharField(max_length=80, null=True)), {gone}')
    pier.edit("parcels/models.py", LABEL, "")
    pier.edit("parcels/models.py", "return self.label", "return self.title")
    pier.edit("parcels/views.py", BOTH, "Parcel.objects.create(title=label)")
    pier.edit("parcels/views.py", "found.label", "found.title")
    pier.edit("parcels/templates/parcels/list.html", "parcel.label", "parcel.title")
    with Visitors(pier) as visitors:
        deploy(pier)
    visitors.assert_content()


def drop_the_old_column(pier: Pier) -> None:
    """The third release destroys something: it waits for an approval, and then nobody goes back behind the second."""
    first, second = next(iter(ways_back(pier))), pier.release
    migrate(pier, 'migrations.RunSQL("ALTER TABLE parcels_parcel DROP COLUMN label", migrations.RunSQL.noop)')
    with Visitors(pier) as visitors:
        refused, report = approve(pier)
    visitors.assert_content()
    assert "destructive" in refused["findings"][0]["what"]
    assert "Migrate the database" in " ".join(report["stages"])
    verdicts = ways_back(pier)
    assert verdicts[second] != "refused", verdicts
    assert verdicts[first] == "refused", verdicts
    answer = pier("rollback", first, "--yes", "--json")
    assert answer.status == 4, answer
    assert json.loads(answer.out.splitlines()[-1])["error"]["code"] == "rollback.refused", answer
    assert pier.release == report["release"]


def test_what_restricts_changes_rows_or_takes_long_waits_for_an_approval(pier: Pier) -> None:
    query(pier, MANY)
    migrate(pier, 'migrations.AddField("parcel", "dock", models.IntegerField(null=True))')
    pier.edit("parcels/models.py", WEIGHED_BY, WEIGHED_BY + DOCK)
    deploy(pier)
    fill = "lambda apps, editor: apps.get_model('parcels', 'Parcel').objects.filter(dock=None).update(dock=1)"
    data = migrate(pier, f"migrations.RunPython({fill}, migrations.RunPython.noop)")
    required = migrate(pier, 'migrations.AlterField("parcel", "dock", models.IntegerField(default=1))')
    long = migrate(pier, 'migrations.AddIndex("count", models.Index(fields=["parcels"], name="slow"))')
    pier.edit("parcels/models.py", DOCK, "    dock = models.IntegerField(default=1)\n")
    refused, _ = approve(pier)
    told = [finding["what"].partition(":")[0] for finding in refused["findings"]]
    assert told == [
        f"parcels.{data}, data migration", f"parcels.{required}, needs-approval", f"parcels.{long}, long-running",
    ]  # fmt: skip
    assert query(pier, "select count(*) from parcels_parcel where dock is distinct from 1") == "0"
    assert pier.post("Sail")


def test_an_index_that_is_built_beside_the_traffic_asks_nobody(pier: Pier) -> None:
    build = 'AddIndexConcurrently("count", models.Index(fields=["at"], name="beside"))'
    head = "from django.contrib.postgres.operations import AddIndexConcurrently\n"
    migrate(pier, build, "    atomic = False\n", head)
    with Visitors(pier) as visitors:
        deploy(pier)
        again = json.loads(pier.ok("redeploy", "--json").splitlines()[-1])["report"]
    visitors.assert_content()
    assert again["release"] == pier.release
    assert query(pier, "select indisvalid from pg_index where indexrelid = 'beside'::regclass") == "t"


def query(pier: Pier, sql: str) -> str:
    return pier.ok(*PSQL, sql).strip()
