"""Approvals and holds: what counts, for whom, and what has the same fingerprint."""

from dataclasses import replace

import pytest

from shipway.core.errors import Refused
from shipway.core.facts import Facts
from shipway.core.record import Record, RecordKind
from shipway.planning.approvals import (
    Consents,
    NeedsApproval,
    approvals_of,
    check_approved,
    check_hold,
    deploy_fingerprint,
    hold_of,
)
from shipway.planning.deploy import plan_prepare
from shipway.planning.site import Site
from shipway.runtimes.base import Release
from tests.sites import ended, facts_serving, site

COMMANDS = ("shipway approve f -d production", "shipway deploy -d production")


def line(kind: RecordKind, **detail: str) -> Record:
    return Record(kind, "", "2026-01-01T00:00:00Z", detail=detail)


def consents(*people: str, needed: int = 1, deployer: str = "ann") -> Consents:
    records = [line("approval", fingerprint="f", who=who, reason="x") for who in people]
    return Consents(
        approvals_of([*records, line("approval", who="x"), line("note", fingerprint="f")]), needed, deployer
    )


@pytest.mark.parametrize(
    ("found", "missing", "people"),
    [
        (consents(), 1, ()),
        (consents("ann"), 1, ()),
        (consents("Ann"), 1, ()),
        (consents("bo"), 0, ("bo",)),
        (consents("bo", "BO", "bo", needed=2), 1, ("bo",)),
        (consents("bo", "cy", "ann", needed=2), 0, ("bo", "cy")),
        (consents("ann", needed=0), 0, ("ann",)),
    ],
)
def test_who_counts(found: Consents, missing: int, people: tuple[str, ...]):
    assert found.missing("f") == missing
    assert tuple(name.casefold() for name in found.people("f")) == people
    assert found.missing("other") == found.needed


def test_a_missing_approval_says_the_command():
    with pytest.raises(NeedsApproval) as caught:
        check_approved(consents("bo", needed=3), "f", "the deploy", COMMANDS)
    error = caught.value
    assert (error.code, error.fingerprint, int(error.exit_code)) == ("deploy.needs_approval", "f", 4)
    assert all(command in error.next for command in COMMANDS)
    assert "2 people" in error.what
    check_approved(consents("bo"), "f", "the deploy", COMMANDS)
    check_approved(consents(needed=0), "f", "the deploy", COMMANDS)


def test_a_hold_lasts_until_it_is_ended():
    held, over = line("hold", who="bo", reason="the fair"), line("hold.end", who="cy")
    assert hold_of(()) is None
    assert hold_of([held, over]) is None
    found = hold_of([held, over, held, line("note", note="x")])
    assert (found.who, found.reason) == ("bo", "the fair")
    check_hold(None, "deploy", "")
    with pytest.raises(Refused) as caught:
        check_hold(found, "deploy", " -d staging")
    assert (caught.value.code, "shipway unhold -d staging" in caught.value.next) == ("deploy.held", True)


def fingerprint(shop: Site, facts: Facts, release: Release, run: str = "run", verb: str = "deploy") -> str:
    plan = plan_prepare(shop, facts, run, release, notes=("a note",))
    return deploy_fingerprint(shop, facts, replace(plan, verb=verb), release)  # type: ignore[arg-type]


def test_what_has_the_same_fingerprint_and_what_has_another():
    shop = site(("a", "b"))
    facts = facts_serving(shop, "r1", records=ended("deploy", "r1"))
    release = Release("r2", "c2", "/home/ann/shop")
    first = fingerprint(shop, facts, release)
    same = [
        fingerprint(shop, facts, release, run="another"),
        fingerprint(shop, facts, replace(release, release="r7")),
        fingerprint(shop, facts_serving(shop, "r1", kept=["r0", "r5"], records=ended("deploy", "r1")), release),
    ]
    assert same == [first] * 3
    one = site(("a",))
    other = [
        fingerprint(shop, facts, replace(release, version="c3")),
        fingerprint(shop, facts_serving(shop, "r9"), release),
        fingerprint(one, facts_serving(one, "r1"), release),
        fingerprint(shop, facts, release, verb="redeploy"),
    ]
    assert len({first, *other}) == 5
