"""The state of a run in memory, and the events that tell of it. Changed by the executor only."""

from __future__ import annotations

from contextlib import suppress

from shipway.core.errors import ConnectionLost, ShipwayError
from shipway.core.events import Event, EventKind
from shipway.core.step import Plan, Stage, Step
from shipway.engine.journal import Journal
from shipway.engine.outcome import Failure
from shipway.engine.run_state import RunState, StepState
from shipway.engine.world import World


class Progress:
    """How far a run is: the states of its steps, what failed, what could not be taken back."""

    def __init__(self, plan: Plan, world: World, state: RunState) -> None:
        self.plan, self.world = plan, world
        self.journal = Journal(plan, world)
        self.committed = state.committed
        self.failures: list[Failure] = []
        self.left: list[Failure] = []
        self.doubted: list[Step] = []
        self._steps: dict[str, StepState] = dict(state.steps)
        self._stages = {step.id: stage for stage in plan.stages for track in stage.tracks for step in track}

    def state(self) -> RunState:
        """Return a copy that will not change."""
        return RunState(steps=dict(self._steps), committed=self.committed)

    def of(self, step: Step) -> StepState:
        """Return the state of `step`."""
        return self._steps.get(step.id, "new")

    def set(self, step: Step, state: StepState) -> None:
        """Note the state of `step`."""
        self._steps[step.id] = state

    def doubt(self, step: Step) -> None:
        """Note that `step` may have been begun, or done, and nobody could be asked."""
        self._steps[step.id] = "open"
        self.doubted.append(step)

    @property
    def is_halted(self) -> bool:
        """Whether no new step may start: something failed, or somebody asked to stop."""
        return bool(self.failures) or self.world.stop.is_set

    def fail(self, failure: Failure, step: Step | None = None, *, is_told: bool = False) -> None:
        """Note what ends the run. `is_told`: whoever listens knows it already."""
        self.failures.append(failure)
        if is_told:
            return
        self.tell("step.failed" if step else "warning", step, detail=failure.said or failure.what)

    def leave(self, failure: Failure, step: Step | None = None) -> None:
        """Note what could not be taken back, or not be written down."""
        self.left.append(failure)
        self.tell("step.undo_failed" if step else "warning", step, detail=failure.said or failure.what)

    def warn(self, detail: str, step: Step | None = None) -> None:
        """Tell of something that changes nothing."""
        self.tell("warning", step, detail=detail)

    def tell(self, kind: EventKind, step: Step | None = None, *, detail: str = "", took_s: float = 0.0) -> None:
        """Emit an event about a step, or about the run."""
        self.emit(kind, step=step, stage=self._stages[step.id] if step else None, detail=detail, took_s=took_s)

    def emit(
        self,
        kind: EventKind,
        *,
        step: Step | None = None,
        stage: Stage | None = None,
        detail: str = "",
        took_s: float = 0.0,
    ) -> None:
        """Emit an event. A listener that breaks (a closed terminal) does not break the run."""
        about = step or stage
        event = Event(
            kind=kind,
            run=self.plan.run,
            at_s=self.world.clock.monotonic(),
            stage=stage.title if stage else "",
            step=step.id if step else "",
            host=step.host if step else "",
            title=about.title if about else "",
            detail=detail,
            took_s=took_s,
        )
        with suppress(Exception):
            self.world.listen(event)

    def where(self, step: Step) -> str:
        """Return where `step` stands, for a message."""
        stage = self._stages[step.id]
        number = self.plan.stages.index(stage) + 1
        return f'stage {number} of {len(self.plan.stages)} "{stage.title}", {step.id}'

    def failure_of(self, error: Exception, step: Step | None = None, verb: str = "could not") -> Failure:
        """Return `error` as a failure of `step`, or of the run."""
        said = str(error) if isinstance(error, ShipwayError) else f"{type(error).__name__} (a mistake in Shipway)"
        if isinstance(error, ShipwayError) and error.said:
            said = f"{said}\n{error.said}"
        code = error.code if isinstance(error, ShipwayError) else "shipway.bug"
        if step is None:
            return Failure(code, said)
        if isinstance(error, ConnectionLost):
            what = f"lost the connection to {step.host} while it was to {step.title}"
        else:
            what = f"{verb} {step.title} on {step.host}"
        return Failure(code, what, step.id, self.where(step), said)
