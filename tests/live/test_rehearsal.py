"""A deploy that rehearses its migrations on PostgreSQL: what operations do not tell is seen before it is done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.contract.migrations.postgres import postgres
from tests.live.machine import Machine
from tests.live.site import Site, new_site
from tests.live.test_migrations import FIRST, NAME, approval, change_model, deploy, migration

SECRETLY = '"DO $$ BEGIN ALTER TABLE ships_ship ALTER mark SET NOT NULL; END $$"'
ADD = 'migrations.AddField("ship", "mark", models.IntegerField(null=True, default=0)),'


@pytest.fixture
def socket() -> Iterator[str]:
    with postgres() as place:
        yield place


def test_what_operations_do_not_tell_is_refused_before_anything_changes(machine: Machine, socket: str) -> None:
    with psycopg.connect(host=socket, user="postgres", autocommit=True) as admin:
        admin.execute("CREATE DATABASE quay")
    site = new_site(machine, "quay")

    def ask(config: dict[str, Any]) -> None:
        config["env"]["clear"]["DATABASE_URL"] = f"postgres://postgres@{socket.replace('/', '%2F')}/quay"
        config["venv"]["lock"] = "requirements-postgres.txt"
        config["release"] = {"rehearse": True}

    site.configure(ask)
    site.commit()
    ran = site.deploy()
    assert ran.code == 0, ran.text
    trace = site.trace()
    name = migration(site, 5, FIRST, f"{ADD} migrations.RunSQL({SECRETLY})")
    site.append(f"ships/migrations/{name}.py", '    shipway = {"old_code": "ok", "rollback": "allowed"}\n')
    change_model(site, NAME, NAME + "    mark = models.IntegerField(null=True, default=0)\n")
    asked = deploy(site)
    assert asked.error["code"] == "migrations.approval", asked.text
    refused = site("deploy", "--json", "--approve", approval(asked))
    assert (refused.code, refused.error["code"]) == (4, "rehearse.old_code"), refused.text
    assert 'null value in column "mark"' in str(refused.error["findings"])
    assert (site.trace(), scratch(socket)) == (trace, [])
    allow(site, name)
    ran = deploy(site)
    assert ran.code == 0, ran.text
    assert any("did everything on the new schema" in note for note in ran.report["notes"]), ran.report["notes"]
    assert scratch(socket) == []


def allow(site: Site, name: str) -> None:
    """Take out what nobody could see."""
    path = site.directory / f"ships/migrations/{name}.py"
    path.write_text(path.read_text().replace(f"migrations.RunSQL({SECRETLY})", ""))


def scratch(socket: str) -> list[str]:
    with psycopg.connect(host=socket, user="postgres") as admin:
        rows = admin.execute("SELECT datname FROM pg_database WHERE datname LIKE 'shipway%'").fetchall()
    return [name for (name,) in rows]
