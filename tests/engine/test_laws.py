"""The plans that the matrices run keep the laws."""

from __future__ import annotations

import asyncio

import pytest

from shipway.planning.prune import plan_prune
from shipway.planning.rollback import plan_rollback
from tests.engine.client import deploy_plan, installed, look, world_of
from tests.engine.sim_runtime import sim_site
from tests.laws import assert_lawful


@pytest.mark.parametrize("width", [0, 1, 2])
@pytest.mark.parametrize("hosts", [1, 2, 3])
def test_plans_are_lawful(hosts: int, width: int) -> None:
    site = sim_site(["app-1", "app-2", "app-3"][:hosts], width=width)
    facts = asyncio.run(look(site, world_of(site, installed(site, deploys=2))))
    assert_lawful(deploy_plan(site, facts), lambda: deploy_plan(site, facts))
    assert_lawful(plan_rollback(site, facts, "r", "r1"), lambda: plan_rollback(site, facts, "r", "r1"))
    assert_lawful(plan_prune(site, facts, "r"), lambda: plan_prune(site, facts, "r"))
