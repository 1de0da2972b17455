"""What the gate says to pending migrations: which runs when, what must be approved, what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from shipway.core.errors import Refused
from shipway.core.schema import Column
from shipway.migrations.gate import base_of_database, sort_out
from shipway.migrations.plan import Base, chart
from shipway.migrations.unmade import unmade
from shipway.planning.approvals import Approval, Consents
from shipway.planning.gate import Rules, Serves, decide
from shipway.planning.migrate import Decided
from tests.unit.migrations.replay import database_of

CASES = sorted((Path(__file__).parents[1] / "migrations" / "cases").glob("*.json"))
BEFORE = """
from django.db import models
class Customer(models.Model):
    name = models.CharField(max_length=60)
    vat = models.CharField(max_length=20, null=True)
    credit = models.IntegerField()
"""
ADD = "migrations.AddField('customer', 'x', models.IntegerField(null=True))"
DROP_NULL = "migrations.RemoveField('customer', 'vat')"
RENAME = "migrations.RenameField('customer', 'credit', 'limit')"
PYTHON = "migrations.RunPython(print)"
UNMAP = "migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField('customer', 'credit')])"
KEYS = {n: ("shop", f"000{n}_change") for n in range(2, 6)}


def ask(*sources: str, rules: Rules | None = None, serves: str = "r1", **more) -> Decided:
    database = database_of("postgresql", BEFORE, *sources, **more)
    base = base_of_database(database, serves) if serves else None
    return decide(database, Serves(serves, base), "r2", rules or Rules())


def refusal(*sources: str, **how) -> Refused:
    with pytest.raises(Refused) as caught:
        ask(*sources, **how)
    assert caught.value.exit_code == 4
    return caught.value


def approved(error: Refused) -> str:
    return error.next.partition("--approve ")[2].partition("`")[0]


def test_nothing_pending_is_nothing_to_do() -> None:
    assert ask() == Decided()


def test_what_the_old_code_survives_runs_before() -> None:
    assert ask(ADD) == Decided(before=(KEYS[2],))


def test_an_approval_is_for_exactly_what_was_shown() -> None:
    error = refusal(ADD, DROP_NULL)
    assert error.code == "migrations.approval"
    assert [finding.code for finding in error.findings] == ["migrations.to_approve"]
    given = Rules(approved=approved(error))
    assert ask(ADD, DROP_NULL, rules=given) == Decided(before=(KEYS[2],), after=(KEYS[3],), is_risky=True)
    other = refusal(DROP_NULL, rules=given)
    assert other.code == "migrations.other_approval"
    assert approved(other) not in ("", given.approved)


def test_an_approval_in_the_ledger_is_the_same_notion() -> None:
    fingerprint = approved(refusal(ADD, DROP_NULL))
    by_ann = (Approval(fingerprint, "ann", ""),)
    expected = Decided(before=(KEYS[2],), after=(KEYS[3],), is_risky=True)
    assert ask(ADD, DROP_NULL, rules=Rules(consents=Consents(by_ann))) == expected
    own = Rules(approved=fingerprint, consents=Consents(by_ann, 1, "ann"), approve="shipway approve {fingerprint}")
    error = refusal(ADD, DROP_NULL, rules=own)
    assert (error.code, f"shipway approve {fingerprint}" in error.next) == ("migrations.approval", True)
    assert ask(ADD, DROP_NULL, rules=Rules(consents=Consents(by_ann, 1, "bo"))) == expected


def test_what_two_releases_cannot_share_is_refused_with_the_recipe_or_closes_the_site() -> None:
    error = refusal(ADD, RENAME)
    assert error.code == "migrations.refused"
    assert "shop.0003_change" in error.what
    assert "1. " in error.findings[0].next
    assert "--maintenance-window" in error.next
    asked = refusal(ADD, RENAME, rules=Rules(window=True))
    assert asked.code == "migrations.approval"
    given = Rules(window=True, approved=approved(asked))
    assert ask(ADD, RENAME, rules=given) == Decided(window=(KEYS[2], KEYS[3]), is_risky=True)
    assert refusal(ADD, RENAME, rules=Rules(approved=given.approved)).code == "migrations.refused"


def test_a_window_is_not_opened_in_vain_nor_for_what_breaks_the_new_release() -> None:
    assert ask(ADD, rules=Rules(window=True)) == Decided(before=(KEYS[2],))
    assert refusal(UNMAP, rules=Rules(window=True)).code == "migrations.refused"


@pytest.mark.parametrize(("policy", "code"), [("approve", "migrations.approval"), ("manual", "migrations.by_hand")])
def test_the_policy_of_a_destination(policy: str, code: str) -> None:
    assert refusal(ADD, rules=Rules(policy)).code == code


def test_what_the_new_release_can_wait_for_is_left_to_a_person() -> None:
    decided = ask(DROP_NULL, rules=Rules("manual"))
    assert (decided.before, decided.after) == ((), ())
    assert "shop.0002_change" in decided.notes[0]


def test_a_new_database_asks_nobody() -> None:
    assert ask(DROP_NULL, PYTHON, serves="", applied=frozenset()).before[1:] == (KEYS[2], KEYS[3])
    assert refusal(PYTHON, serves="").code == "migrations.approval", "a database with rows, where nothing serves"


def test_a_release_that_left_no_manifest_is_told_of() -> None:
    database = database_of("postgresql", BEFORE, ADD)
    decided = decide(database, Serves("r1", None, "r1 recorded nothing"), "r2", Rules())
    assert decided.before == (KEYS[2],)
    assert decided.notes[0].startswith("r1 recorded nothing")


def test_what_is_recorded_does_not_run_again_and_what_the_base_left_out_does() -> None:
    database = database_of("postgresql", BEFORE, ADD, DROP_NULL)
    initial = ("shop", "0001_initial")
    half = replace(database, applied=frozenset({initial, KEYS[2]}))
    assert [slot.verdict.key for slot in sort_out(half, base_of_database(database, "r1")).slots] == [KEYS[3]]
    # r1 has 0003 itself: it was to run after the one before was gone, and did not.
    told = Base("r1", frozenset({initial, KEYS[2], KEYS[3]}), database_of("postgresql", BEFORE).footprint)
    assert [(s.verdict.key, s.when) for s in sort_out(half, told).slots] == [(KEYS[3], "before")]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem[:5])
def test_no_observed_case_runs_before_the_switch_when_the_old_code_breaks(path: Path) -> None:
    case = json.loads(path.read_text())
    database = database_of(case["db"], case["before_models"], case["migration"])
    (slot,) = sort_out(database, base_of_database(database, "r1")).slots
    breaks = case["expected"]["a_old_code_keeps_working"] == "breaks"
    assert (slot.when == "before") != (breaks or bool(slot.verdict.broken))
    if case["expected"]["class"] in ("destructive", "data migration", "needs-approval") and slot.when != "refused":
        assert slot.needs_approval


def test_a_model_that_was_changed_without_a_migration() -> None:
    """Unless the database has it all the same, made by hand."""
    database = database_of("postgresql", BEFORE)
    state = chart(database, base_of_database(database, "r1")).release
    table = state["shop_customer"]
    more = replace(table, columns={**table.columns, "dock": Column("dock", field="dock")})
    changed = replace(database, footprint={**state, "shop_customer": more}, live=state)
    with pytest.raises(Refused, match=r"Customer\.dock") as caught:
        decide(changed, Serves("r1", base_of_database(database, "r1")), "r2", Rules())
    assert caught.value.code == "migrations.not_made"
    assert unmade(replace(changed, live=changed.footprint)) == ()
    assert unmade(replace(changed, live=None)) == ()
    assert unmade(replace(changed, footprint={**state, "shop_boat": replace(more, name="shop_boat")})) == ("Customer",)
