"""Laws that every plan keeps (DESIGN.md 3), for every test that makes one."""

from __future__ import annotations

from collections.abc import Callable

from shipway.core.plan_codec import plan_from_json, plan_to_json
from shipway.core.step import Plan, violations


def assert_lawful(plan: Plan, again: Callable[[], Plan] | None = None) -> None:
    """Check the laws, the way through JSON and back, and that `again` plans the same."""
    assert violations(plan) == ()
    assert plan_from_json(plan_to_json(plan)) == plan
    if again is not None:
        assert again() == plan
