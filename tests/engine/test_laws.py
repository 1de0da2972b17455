"""The plans that the matrices run keep the laws."""

from __future__ import annotations

import asyncio

import pytest

from shipway.planning.migrate import Decided
from shipway.planning.prune import plan_prune
from shipway.planning.rollback import plan_rollback
from tests.engine.client import deploy_plan, installed, look, prepare_plan, world_of
from tests.engine.sim_runtime import sim_site
from tests.laws import assert_lawful

M, N = ("app", "m"), ("app", "n")


@pytest.mark.parametrize("width", [0, 1, 2])
@pytest.mark.parametrize("hosts", [1, 2, 3])
def test_plans_are_lawful(hosts: int, width: int) -> None:
    site = sim_site(["app-1", "app-2", "app-3"][:hosts], width=width)
    facts = asyncio.run(look(site, world_of(site, installed(site, deploys=2))))
    assert_lawful(prepare_plan(site, facts), lambda: prepare_plan(site, facts))
    for decided in (Decided(), Decided(before=(M,), after=(N,)), Decided(window=(M, N))):
        assert_lawful(deploy_plan(site, facts, decided), lambda: deploy_plan(site, facts, decided))  # noqa: B023
    assert_lawful(plan_rollback(site, facts, "r", "r1"), lambda: plan_rollback(site, facts, "r", "r1"))
    assert_lawful(plan_prune(site, facts, "r"), lambda: plan_prune(site, facts, "r"))
