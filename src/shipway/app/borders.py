"""What a run waits for between its stages: the hooks of the project, and the verification of the new release."""

from __future__ import annotations

from dataclasses import dataclass

from shipway.app.run_hooks import RunHooks
from shipway.app.verification.in_run import RunVerification
from shipway.core.step import Plan, Stage
from shipway.engine.world import Moment


@dataclass(frozen=True, slots=True)
class Borders:
    """What stands between the stages of one run."""

    hooks: RunHooks
    verification: RunVerification

    def waits_at(self, plan: Plan, stage: Stage) -> bool:
        """Whether there is anything to wait for at `stage`."""
        return bool(stage.verifies) or self.hooks.waits_at(plan, stage)

    async def at(self, plan: Plan, stage: Stage, moment: Moment) -> None:
        """Do what is to be done before or after `stage`; what it raises fails the run."""
        await self.hooks.at(plan, stage, moment)
        if stage.verifies and moment == "begin":
            await self.verification.at(plan, stage)
