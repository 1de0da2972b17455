"""What a run does to single steps: proves them, takes them back, and writes the lines that nothing else carries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from shipway.core.action import Action, Pipe, lower
from shipway.core.errors import ConnectionLost, ShipwayError
from shipway.core.ports import Request, Result
from shipway.core.record import Record
from shipway.core.step import Step
from shipway.engine.journal import append, last_words
from shipway.engine.outcome import Failure
from shipway.engine.progress import Progress
from shipway.engine.underway import Underway

_LINES_MAX = 20
"""How many lines one append has at most, to keep it a small write."""
_FailureCode = Literal["step.failed", "step.undo_failed"]


class StepRunner:
    """Keeps `Progress` and the ledger true about the steps of a run."""

    def __init__(self, progress: Progress) -> None:
        self.progress, self._world, self._journal = progress, progress.world, progress.journal
        self.underway = Underway(progress.world.transport)
        self._waiting: dict[str, list[Record]] = {}

    def prove(self, step: Step) -> None:
        """Note a step that proved true: one that we had begun was ours, any other one was true before us.

        Its line waits for the next exchange with its host: without it a later run would ask again.
        """
        is_ours = self.progress.of(step) in ("open", "failed")
        self.progress.set(step, "done" if is_ours else "skipped")
        record = self._journal.record("step.done" if is_ours else "step.skipped", step.id)
        self._waiting.setdefault(step.host, []).append(record)

    def take_lines(self, host: str) -> list[Record]:
        """Return the lines that wait for `host`; they wait no more."""
        return self._waiting.pop(host, [])

    def take_waiting(self, host: str) -> list[Request]:
        """Return the requests that write the lines which wait for `host`; they wait no more."""
        lines = self.take_lines(host)
        return [self._journal.append(host, lines[i : i + _LINES_MAX]) for i in range(0, len(lines), _LINES_MAX)]

    async def flush(self, host: str) -> None:
        """Write the lines that still wait for `host`. That it did not work harms nobody, and is told."""
        try:
            if waiting := self.take_waiting(host):
                await self._world.transport.exchange(host, waiting)
        except ShipwayError as error:
            self.progress.warn(str(error))

    def waiting_hosts(self) -> tuple[str, ...]:
        """Return the hosts for which lines wait."""
        return tuple(self._waiting)

    def commit(self, index: int) -> None:
        """Note that the line which commits stage `index` stands."""
        self.progress.committed = index + 1
        self.progress.emit("run.commit", stage=self.progress.plan.stages[index])

    async def undo(self, step: Step, lane: str) -> bool:
        """Take `step` back. Return whether that worked; what went wrong is noted in `Progress`.

        A ledger that cannot be written does not stop an undo: undoing again is safe, leaving the step is not.
        """
        self.progress.tell("step.undoing", step)
        self.progress.set(step, "undoing")
        try:
            failure = await self._take_back(step, lane)
        except Exception as error:  # noqa: BLE001  the other hosts must still be taken back
            failure = self.progress.failure_of(error, step, "could not take back")
        if failure is None:
            self.progress.set(step, "undone")
            self.progress.tell("step.undone", step)
            return True
        self.progress.leave(failure, step)
        if failure.code == "step.undo_failed":
            self.progress.set(step, "undo_failed")
            await self.note(step, lane, self._journal.record("step.undo_failed", step.id, said=failure.said))
        return False

    async def note(self, step: Step, lane: str, record: Record) -> None:
        """Write a line about a failure. When even that fails, the failure itself is what the user needs to hear."""
        request = append(self._world.layout(step.host), [record], "never")
        try:
            await self._world.transport.exchange(step.host, [request], track=lane)
        except ShipwayError as error:
            self.progress.warn(str(error), step)

    async def _take_back(self, step: Step, lane: str) -> Failure | None:
        host, record = step.host, self._journal.record
        calls = [
            self._journal.append(host, [record("step.undoing", step.id)], "never"),
            *(_call(action) for action in step.undo),
            self._journal.append(host, [record("step.undone", step.id)], "never"),
        ]
        try:
            failed = await self._run(step, lane, calls)
        except ConnectionLost:
            failed = await self._run(step, lane, calls)
        return None if failed is None else failure_of_result(self.progress, step, failed, "step.undo_failed")

    async def _run(self, step: Step, lane: str, calls: Sequence[Request | Pipe]) -> Result | None:
        """Run `calls`, in one exchange up to each pipe; return the result that stopped it, None when all of it ran."""
        batch: list[Request] = []
        for call in calls:
            if isinstance(call, Request):
                batch.append(call)
                continue
            if failed := await self._send(step, lane, batch):
                return failed
            batch = []
            result = await self._world.transport.pipe(call.source, step.host, call.sink)
            if not result.ok:
                return result
        return await self._send(step, lane, batch)

    async def _send(self, step: Step, lane: str, batch: Sequence[Request]) -> Result | None:
        if not batch:
            return None
        results = await self._world.transport.exchange(step.host, batch, track=lane, output=self._output(step))
        if not results:
            raise ConnectionLost("transport.no_answer", f"{step.host} did not answer")
        return None if len(results) == len(batch) and batch[-1].onward(results[-1]) else results[-1]

    def _output(self, step: Step) -> Callable[[bytes], None]:
        def tell(piece: bytes) -> None:
            self.progress.tell("step.output", step, detail=piece.decode("utf-8", "replace"))

        return tell


def failure_of_result(progress: Progress, step: Step, result: Result, code: _FailureCode) -> Failure:
    """Return the failure of a step, or of its undo, that `result` is."""
    verb = "could not" if code == "step.failed" else "could not take back:"
    how = "it took longer than its limit" if result.timed_out else f"exit status {result.status}"
    said = last_words(result.said) or how
    return Failure(code, f"{verb} {step.title} on {step.host}", step.id, progress.where(step), said)


def _call(action: Action) -> Request | Pipe:
    return action if isinstance(action, Pipe) else Request(lower(action))
