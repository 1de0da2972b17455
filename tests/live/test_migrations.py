"""Releases that change the database, by the path that each needs, while visitors ask: and the way back from each."""

from __future__ import annotations

import json
import re
import zlib

import pytest

from tests.live.machine import Machine
from tests.live.site import Ran, Site, new_site
from tests.live.visitor import Visitor

FIRST = "0004_inspections_and_reports"
FIELD = "    flag = models.CharField(max_length=20, null=True)\n"
NAME = "    name = models.CharField(max_length=80, db_index=True)\n"


@pytest.fixture
def yard(machine: Machine, request: pytest.FixtureRequest) -> Site:
    """A site of the test's own, deployed once."""
    site = new_site(machine, f"y{zlib.crc32(request.node.name.encode()) % 10**6}")
    ran = site.deploy()
    assert ran.code == 0, ran.text
    return site


def migration(site: Site, number: int, parent: str, operations: str) -> str:
    name = f"{number:04}_step"
    body = f'    dependencies = [("ships", "{parent}")]\n    operations = [{operations}]\n'
    head = "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
    site.write(f"ships/migrations/{name}.py", head + body)
    return name


def change_model(site: Site, old: str, new: str) -> None:
    path = site.directory / "ships/models.py"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def deploy(site: Site, *words: str) -> Ran:
    """Deploy while somebody asks for the page that lists ships."""
    site.commit()
    with Visitor(site.host, site.machine.port) as visitor:
        ran = site("deploy", "--json", *words)
    visitor.assert_content()
    return ran


def approval(ran: Ran) -> str:
    found = re.search(r"--approve ([0-9a-f]{12})`", ran.error["next"])
    assert found, ran.text
    return found[1]


def stages(ran: Ran) -> list[str]:
    return [event["stage"] for event in ran.events if event["event"] == "stage.done"]


def test_a_column_comes_and_goes(yard: Site) -> None:
    ship = "from ships.models import Ship; Ship.objects.create(name='Aurora', length_m=9)"
    assert yard("manage", "--", "shell", "-c", ship).code == 0
    add_column(yard)
    go_back_and_forth(yard)
    drop_column(yard)
    force_the_way_back(yard)


def add_column(yard: Site) -> None:
    """What the old code survives runs before the switch."""
    before = yard.serving()
    migration(yard, 5, FIRST, 'migrations.AddField("ship", "flag", models.CharField(max_length=20, null=True))')
    change_model(yard, NAME, NAME + FIELD)
    ran = deploy(yard)
    assert ran.code == 0, ran.text
    order = stages(ran)
    assert order.index("Migrate the database") < next(i for i, s in enumerate(order) if s.startswith("Start"))
    back = yard("rollback", "--list", "--json")
    assert {row["release"]: row["verdict"] for row in json.loads(back.out)} == {before: "allowed"}
    manifest = yard.home / "releases" / ran.report["release"] / "manifest.json"
    assert "the-key-of-yard" not in manifest.read_text()
    assert json.loads(manifest.read_text())["hash"] in (yard.home / "ledger.jsonl").read_text()


def go_back_and_forth(yard: Site) -> None:
    """What is allowed works under traffic."""
    now = yard.serving()
    with Visitor(yard.host, yard.machine.port) as visitor:
        assert yard("rollback", "--yes", "--json").code == 0
        assert yard("rollback", now, "--yes", "--json").code == 0
    visitor.assert_content()
    assert yard.serving() == now


def drop_column(yard: Site) -> None:
    """A drop waits for an approval, and runs when the old release is gone."""
    before, trace = yard.serving(), yard.trace()
    migration(yard, 6, "0005_step", 'migrations.RemoveField("ship", "flag")')
    change_model(yard, FIELD, "")
    refused = deploy(yard)
    assert (refused.code, refused.error["code"]) == (4, "migrations.approval"), refused.text
    assert yard.trace() == trace
    wrong = deploy(yard, "--approve", "0" * 12)
    assert (wrong.code, wrong.error["code"]) == (4, "migrations.other_approval")
    ran = deploy(yard, "--approve", approval(refused))
    assert ran.code == 0, ran.text
    order = stages(ran)
    assert order.index("Retire what served before") < order.index(f"Migrate, now that {before} is gone")


def force_the_way_back(yard: Site) -> None:
    """What is refused breaks when it is forced."""
    now = yard.serving()
    rows = json.loads(yard("rollback", "--list", "--json").out)
    assert rows[0]["verdict"] == "refused"
    assert "ships.0006_step" in rows[0]["reasons"][0]
    wanted = rows[0]["release"]
    refused = yard("rollback", wanted, "--json")
    assert (refused.code, refused.error["code"]) == (4, "rollback.refused"), refused.text
    assert yard("rollback", wanted, "--force").code == 2
    assert yard.serving() == now
    ran = yard("rollback", wanted, "--force", "--reason", "to see it fail", "--json")
    assert (ran.code, ran.error["code"]) == (11, "verify.pages"), ran.text  # it stays, as it was asked for
    assert yard.serving() == wanted
    assert yard.get("/").status == 500
    assert "to see it fail" in (yard.home / "ledger.jsonl").read_text()
    assert yard("rollback", now, "--json").code == 0
    assert yard.get("/").status == 200


def test_a_rename_is_refused_with_its_recipe_or_closes_the_site(yard: Site) -> None:
    trace = yard.trace()
    migration(yard, 5, FIRST, 'migrations.RenameField("report", "inspected", "looked_at")')
    (models := yard.directory / "ships/models.py").write_text(
        models.read_text()
        .replace("    inspected = models.Pos", "    looked_at = models.Pos")
        .replace("{self.inspected} inspected", "{self.looked_at} inspected")
    )
    for file, old in (("admin.py", '"inspected"]'), ("tasks.py", "inspected=")):
        path = yard.directory / "ships" / file
        assert path.read_text().count(old) == 1
        path.write_text(path.read_text().replace(old, old.replace("inspected", "looked_at")))
    refused = deploy(yard)
    assert (refused.code, refused.error["code"]) == (4, "migrations.refused"), refused.text
    assert "1. " in refused.error["findings"][0]["next"] if refused.error["findings"] else refused.error["next"]
    assert yard.trace() == trace
    asked = yard("deploy", "--maintenance-window", "--json")
    assert asked.code == 4
    ran = yard("deploy", "--maintenance-window", "--approve", approval(asked), "--json")
    assert ran.code == 0, ran.text
    order = stages(ran)
    assert order.index("Close the site") < order.index("Migrate the database") < order.index("Open the site")
    assert yard.get("/").status == 200
    yard.assert_serves(ran.report["release"])


def test_a_manifest_that_was_changed_is_not_believed(yard: Site) -> None:
    plain = deploy(yard)
    assert plain.code == 0, plain.text
    assert not [event for event in plain.events if "migrate" in event.get("step", "")], "nothing was pending"
    before = yard.serving()
    path = yard.home / "releases" / before / "manifest.json"
    path.write_text(path.read_text().replace('"ships_ship"', '"ships_boat"'))
    migration(yard, 5, FIRST, 'migrations.AddField("ship", "sail", models.IntegerField(null=True))')
    change_model(yard, NAME, NAME + "    sail = models.IntegerField(null=True)\n")
    ran = deploy(yard)
    assert ran.code == 0, ran.text
    assert any("not to be trusted" in note for note in ran.report["notes"])
    rows = {row["release"]: row for row in json.loads(yard("rollback", "--list", "--json").out)}
    assert rows[before]["verdict"] == "refused"
