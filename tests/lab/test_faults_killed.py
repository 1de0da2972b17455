"""The operator's machine dies at moments over a whole deploy, and what is done next, from there or from another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.fault_site import FaultSite

POINTS = (
    ("step.begin", "/describe-"),
    ("step.done", "/fetch-"),
    ("step.begin", "/start-web"),
    ("step.done", "/start-worker"),
    ("step.done", "/switch-web"),
    ("run.commit", ""),
    ("step.begin", "/stop-web"),
)
VERBS = (("resume",), ("rollback", "--yes"), ("redeploy",))


@pytest.mark.parametrize("index", range(len(POINTS)), ids=[f"{kind} {step}".strip() for kind, step in POINTS])
def test_a_killed_deploy_is_settled(shop: FaultSite, index: int) -> None:
    """Visitors of both servers lose nothing, neither by the kill nor by what settles it."""
    before, verb = shop.serving(), VERBS[index % len(VERBS)]
    with shop.visited():
        with shop.start("redeploy", "--json") as running:
            running.wait_for(*POINTS[index])
            running.kill()
        ran = shop(*verb, "--json")
    after = shop.serving()
    if verb == ("resume",) and ran.code == 10:  # it was in its first part: nobody knows how it was to go on
        assert (ran.error["code"], after) == ("run.taken_back", before), ran.text
        return
    assert ran.code == 0, ran.text
    if verb[0] == "rollback":
        assert after == before
    else:
        assert int(after.removeprefix("r")) > int(before.removeprefix("r"))
    assert shop("resume", "--json").report["outcome"] == "nothing"


def test_another_operator_settles_it(shop: FaultSite, tmp_path: Path) -> None:
    """He has the same project and nothing else of the dead machine."""
    before = shop.serving()
    with shop.visited():
        with shop.start("redeploy", "--json") as running:
            running.wait_for("step.begin", "/start-worker")
            running.kill()
        ran = shop.clone(tmp_path / "other")("rollback", "--yes", "--json")
    assert ran.code == 0, ran.text
    shop.assert_serves(before)
