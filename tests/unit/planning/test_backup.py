"""The backup in plans: only where it is asked for, before anything is migrated, and before there is no way back."""

import pytest

from shipway.core.action import Command
from shipway.core.step import Plan
from shipway.planning.deploy import plan_prepare, plan_release
from shipway.planning.migrate import Decided
from shipway.planning.site import RoleSpec
from shipway.runtimes.backup import BackupSpec
from shipway.runtimes.base import Release
from tests.laws import assert_lawful
from tests.sites import ended, facts_serving, site

M = (("app", "m"),)
NEW = Release("r3", "c0ffee", "/project")
WEB = (RoleSpec("web", ("a",), proxied=True),)
COMMAND = BackupSpec(command='pg_dump "$PGDATABASE"', keep=2)
ACCESSORY = BackupSpec(host="db", container="shop-db", keep=2)


def plan(backup: BackupSpec | None, decided: Decided) -> Plan:
    shop = site(("a",), WEB, backup=backup)
    facts = facts_serving(shop, "r2", kept=["r1"], records=ended("deploy", "r2", base="r1"))
    found = plan_release(plan_prepare(shop, facts, "run", NEW), shop, facts, decided)
    assert_lawful(found)
    return found


@pytest.mark.parametrize(
    ("backup", "decided", "is_made"),
    [
        (None, Decided(before=M, is_risky=True), False),
        (COMMAND, Decided(), False),
        (COMMAND, Decided(before=M), False),
        (COMMAND, Decided(before=M, is_risky=True), True),
        (COMMAND, Decided(after=M, is_risky=True), True),
        (COMMAND, Decided(window=M, is_risky=True), True),
        (BackupSpec(command="x", when="always"), Decided(before=M), True),
        (BackupSpec(command="x", when="always"), Decided(), False),
        (ACCESSORY, Decided(before=M, is_risky=True), True),
    ],
)
def test_one_is_made_where_it_is_asked_for(backup: BackupSpec | None, decided: Decided, *, is_made: bool) -> None:
    found = plan(backup, decided)
    steps = [step for step in found.steps() if step.id.endswith("/back-up")]
    assert len(steps) == is_made
    if not is_made:
        return
    ids = [step.id for step in found.steps()]
    stages = [stage.title for stage in found.stages]
    first = next(i for i, one in enumerate(ids) if "/migrate" in one)
    assert ids.index(steps[0].id) < first
    assert stages.index("Back up the database") < found.commit_index()


def test_a_command_runs_in_the_release_and_an_accessory_is_asked_where_it_stands() -> None:
    words = {}
    for backup in (COMMAND, ACCESSORY):
        (step,) = [s for s in plan(backup, Decided(before=M, is_risky=True)).steps() if s.id.endswith("/back-up")]
        (command,) = step.do
        assert isinstance(command, Command)
        words[step.host] = command.argv[4:]
    common = ("/srv/shop/backups", "run-before-r3", "2", "/srv/shop/ledger.jsonl", "run")
    assert words["a"] == (*common, "any", "in", "r3", "sh", "-c", 'pg_dump "$PGDATABASE"')
    assert words["db"][:10] == (*common, "postgresql", "docker", "exec", "shop-db", "sh")
