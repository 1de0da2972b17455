"""Walks the stages of what is done on this machine, and tells of it by the events of a run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass

from shipway.adapters.here import HereRunner
from shipway.core.errors import ShipwayError
from shipway.core.events import Event, EventKind, Listener
from shipway.core.here import HERE, HereStage, HereStep
from shipway.core.ports import Result

Explain = Callable[[HereStep, Result], ShipwayError]


@dataclass(frozen=True, slots=True)
class HereRun:
    """Runs stages; `explain` makes the error for a step that failed."""

    runner: HereRunner
    listen: Listener
    explain: Explain

    async def run(self, stages: Sequence[HereStage]) -> None:
        """Run all stages. Raises what `explain` returns for the first step that failed; the others are ended then."""
        for stage in stages:
            began_s = time.monotonic()
            self._tell("stage.begin", stage)
            await _side_by_side([self._track(stage, track) for track in stage.tracks])
            self._tell("stage.done", stage, took_s=time.monotonic() - began_s)

    async def _track(self, stage: HereStage, track: tuple[HereStep, ...]) -> None:
        for step in track:
            if await self.runner.is_done(step):
                self._tell("step.skipped", stage, step)
                continue
            self._tell("step.begin", stage, step)
            result = await self._tried(stage, step)
            self._tell("step.done", stage, step, took_s=result.took_s)

    async def _tried(self, stage: HereStage, step: HereStep) -> Result:
        """Return how a step ended well; raises the error of the last try."""
        pauses = iter(step.again_after_s)
        while True:
            result = await self.runner.run(step, self._output(stage, step))
            if result.ok:
                return result
            error = self.explain(step, result)
            pause_s = next(pauses, None) if error.code in step.passing else None
            if pause_s is None:
                self._tell("step.failed", stage, step, detail=error.what)
                raise error
            self._tell("step.output", stage, step, detail=f"{error.what}: once more in {pause_s:g} s")
            await asyncio.sleep(pause_s)

    def _output(self, stage: HereStage, step: HereStep) -> Callable[[bytes], None]:
        def tell(piece: bytes) -> None:
            self._tell("step.output", stage, step, detail=piece.decode("utf-8", "replace"))

        return tell

    def _tell(
        self, kind: EventKind, stage: HereStage, step: HereStep | None = None, *, detail: str = "", took_s: float = 0.0
    ) -> None:
        self.listen(
            Event(
                kind=kind,
                run="",
                at_s=time.monotonic(),
                stage=stage.title,
                step=step.id if step else "",
                host=HERE if step else "",
                title=step.title if step else stage.title,
                detail=detail,
                took_s=took_s,
            )
        )


async def _side_by_side(works: Sequence[Coroutine[None, None, None]]) -> None:
    """Wait for all; when one fails the others are cancelled and its error is raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
