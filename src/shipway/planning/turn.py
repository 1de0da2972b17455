"""Whether what a run did can be taken back at a stage that verifies, and why not."""

from __future__ import annotations

from shipway.core.step import Plan, Stage


def why_not_back(plan: Plan, stage: Stage) -> str:
    """Return why what stands before `stage` cannot be taken back, as the end of a sentence; "" where it can.

    A deploy whose migrations the old code does not survive has none but a way forward, and so has one that closed the
    site: there the old release was stopped for good. Without an old release there is nothing to go back to.
    """
    before = plan.stages[: plan.stages.index(stage)]
    if not plan.base:
        return "no release served before"
    if any(one.commits for one in before):
        return f"{plan.base} was stopped for good before the migrations"
    steps = (step for one in before for track in one.tracks for step in track)
    blocked = next((step for step in steps if not step.undo and not step.harmless), None)
    return f"{plan.base} does not work on the database as it is now ({blocked.title})" if blocked else ""
