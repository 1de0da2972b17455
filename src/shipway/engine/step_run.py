"""One step on its host: done, judged after a lost connection, or taken back. One exchange where that is possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from shipway.core.action import Action, Pipe, lower
from shipway.core.errors import ConnectionLost, ShipwayError
from shipway.core.ports import Output, Request, Result
from shipway.core.record import Record
from shipway.core.step import Step
from shipway.engine.journal import append, last_words, parse_tail, tail
from shipway.engine.outcome import Failure, unwritable
from shipway.engine.progress import Progress
from shipway.engine.run_state import replay

_Role = Literal["waiting", "probe", "begin", "act", "end"]
_WAITING_MAX = 20
"""Lines that wait for a ride are written by themselves from this number on, to keep one append a small write."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One track while it runs: the name of its shell, and the lines that wait for the next exchange, by host."""

    name: str
    waiting: dict[str, list[Record]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Part:
    role: _Role
    call: Request | Pipe


@dataclass(frozen=True, slots=True)
class _Stopped:
    """The part after which the rest was not run, and its result."""

    role: _Role
    result: Result


class StepRunner:
    """Runs single steps of a run and keeps `Progress` and the ledger true about them."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._world, self._journal = progress, progress.world, progress.journal

    async def do(self, step: Step, lane: Lane) -> bool:
        """Do `step`, unless it is true already. Return whether it is behind us; a failure is noted in `Progress`."""
        self._progress.tell("step.begin", step)
        begun_s = self._world.clock.monotonic()
        try:
            failure = await self._attempt(step, lane)
        except ConnectionLost as lost:
            failure = await self._judge(step, lane, lost)
        except ShipwayError as error:
            failure = self._progress.failure_of(error, step)
        except Exception as error:  # noqa: BLE001  a mistake of ours must not leave the servers half changed
            self._progress.set(step, "open")
            failure = self._progress.failure_of(error, step)
        if failure is None:
            is_done = self._progress.of(step) == "done"
            took_s = self._world.clock.monotonic() - begun_s
            self._progress.tell("step.done" if is_done else "step.skipped", step, took_s=took_s)
            return len(lane.waiting.get(step.host, ())) < _WAITING_MAX or await self.flush(lane)
        self._progress.fail(failure, step)
        if self._progress.of(step) == "failed":
            await self._note(step, lane, self._journal.record("step.failed", step.id, said=failure.said))
        return False

    async def undo(self, step: Step, lane: Lane) -> bool:
        """Take `step` back. Return whether that worked; what went wrong is noted in `Progress`.

        A ledger that cannot be written does not stop an undo: undoing again is safe, leaving the step is not.
        """
        self._progress.tell("step.undoing", step)
        self._progress.set(step, "undoing")
        try:
            failure = await self._take_back(step, lane)
        except Exception as error:  # noqa: BLE001  the other hosts must still be taken back
            failure = self._progress.failure_of(error, step, "could not take back")
        if failure is None:
            self._progress.set(step, "undone")
            self._progress.tell("step.undone", step)
            return True
        self._progress.leave(failure, step)
        if failure.code == "step.undo_failed":
            self._progress.set(step, "undo_failed")
            await self._note(step, lane, self._journal.record("step.undo_failed", step.id, said=failure.said))
        return False

    async def flush(self, lane: Lane) -> bool:
        """Write the lines that still wait in `lane`. Return False when they could not be written: that ends a run."""
        for host, records in lane.waiting.items():
            if not records:
                continue
            waiting, records[:] = tuple(records), []
            try:
                (result,) = await self._exchange(host, [self._journal.append(host, waiting)], lane)
            except ShipwayError as error:
                self._progress.fail(self._progress.failure_of(error))
                return False
            if not result.ok:
                self._progress.fail(unwritable(host, result))
                return False
        return True

    async def _attempt(self, step: Step, lane: Lane) -> Failure | None:
        stopped = await self._run(step, lane, self._parts(step, lane), self._output(step))
        if stopped is None:
            self._progress.set(step, "done")
            return None
        if stopped.role == "probe":
            self._prove(step, lane)
            return None
        if stopped.role in ("waiting", "begin"):
            return unwritable(step.host, stopped.result, step.id, self._progress.where(step))
        self._progress.set(step, "failed")
        return self._failure(step, stopped.result, "step.failed", "could not")

    def _parts(self, step: Step, lane: Lane) -> list[_Part]:
        host, parts = step.host, []
        if waiting := lane.waiting.pop(host, None):
            parts.append(_Part("waiting", self._journal.append(host, waiting)))
        if step.done is not None:
            parts.append(_Part("probe", Request(step.done, "success")))
        parts.append(_Part("begin", self._journal.append(host, [self._journal.record("step.begin", step.id)])))
        parts += [_Part("act", _call(action)) for action in self._actions(step)]
        parts.append(_Part("end", self._journal.append(host, [self._journal.record("step.done", step.id)])))
        return parts

    def _actions(self, step: Step) -> tuple[Action, ...]:
        """Return what does the step. What an earlier attempt left half done is first taken back, while it can be."""
        is_half_done = self._progress.of(step) in ("open", "failed")
        if is_half_done and not step.repeatable and not self._progress.committed:
            return (*step.undo, *step.do)
        return step.do

    def _prove(self, step: Step, lane: Lane) -> None:
        """Note a step that proved true: one that we had begun was ours, any other one was true before us."""
        is_ours = self._progress.of(step) in ("open", "failed")
        self._progress.set(step, "done" if is_ours else "skipped")
        record = self._journal.record("step.done" if is_ours else "step.skipped", step.id)
        lane.waiting.setdefault(step.host, []).append(record)

    async def _judge(self, step: Step, lane: Lane, lost: ConnectionLost) -> Failure | None:
        """Find out, over a new connection, what became of a step whose connection broke; try once more if it may be."""
        requests = [tail(self._world.layout(step.host))]
        if step.done is not None:
            requests.append(Request(step.done, "never"))
        try:
            results = await self._exchange(step.host, requests, lane)
        except ShipwayError:
            self._progress.set(step, "open")
            return self._progress.failure_of(lost, step)
        seen = replay(self._progress.plan, parse_tail(results[0])).of(step)
        if seen == "done":
            self._progress.set(step, "done")
            return None
        if seen != "new" or not results[0].ok or results[0].truncated:
            self._progress.set(step, "open")
        if seen == "open" and len(results) > 1 and results[1].ok:
            self._prove(step, lane)
            return None
        if not results[0].ok or results[0].truncated or (seen == "open" and not step.repeatable):
            return self._progress.failure_of(lost, step)
        try:
            return await self._attempt(step, lane)
        except ShipwayError as again:
            if isinstance(again, ConnectionLost):
                self._progress.set(step, "open")
            return self._progress.failure_of(again, step)

    async def _take_back(self, step: Step, lane: Lane) -> Failure | None:
        host, record = step.host, self._journal.record
        parts = [
            _Part("begin", self._journal.append(host, [record("step.undoing", step.id)], "never")),
            *(_Part("act", _call(action)) for action in step.undo),
            _Part("end", self._journal.append(host, [record("step.undone", step.id)], "never")),
        ]
        try:
            stopped = await self._run(step, lane, parts, self._output(step))
        except ConnectionLost:
            stopped = await self._run(step, lane, parts, self._output(step))
        if stopped is None:
            return None
        return self._failure(step, stopped.result, "step.undo_failed", "could not take back:")

    async def _run(self, step: Step, lane: Lane, parts: Sequence[_Part], output: Output) -> _Stopped | None:
        """Run `parts`, in one exchange up to each pipe; return where it stopped, or None when all of it ran."""
        batch: list[tuple[_Role, Request]] = []
        for part in parts:
            if isinstance(part.call, Request):
                batch.append((part.role, part.call))
                continue
            if stopped := await self._send(step, lane, batch, output):
                return stopped
            batch = []
            if self._progress.of(step) == "new":
                self._progress.set(step, "open")
            result = await self._world.transport.pipe(part.call.source, step.host, part.call.sink)
            if not result.ok:
                return _Stopped(part.role, result)
        return await self._send(step, lane, batch, output)

    async def _send(
        self, step: Step, lane: Lane, batch: Sequence[tuple[_Role, Request]], output: Output
    ) -> _Stopped | None:
        if not batch:
            return None
        requests = [request for _, request in batch]
        results = await self._world.transport.exchange(step.host, requests, track=lane.name, output=output)
        if not results:
            raise ConnectionLost("transport.no_answer", f"{step.host} did not answer")
        role, request = batch[len(results) - 1]
        ended = {"failure": not results[-1].ok, "success": results[-1].ok, "never": False}[request.stop_on]
        if ended or len(results) < len(batch):
            return _Stopped(role, results[-1])
        return None

    async def _exchange(self, host: str, requests: Sequence[Request], lane: Lane) -> tuple[Result, ...]:
        return await self._world.transport.exchange(host, requests, track=lane.name)

    async def _note(self, step: Step, lane: Lane, record: Record) -> None:
        """Write a line about a failure. When even that fails, the failure itself is what the user needs to hear."""
        layout = self._world.layout(step.host)
        try:
            await self._exchange(step.host, [append(layout, [record], "never")], lane)
        except ShipwayError as error:
            self._progress.warn(str(error), step)

    def _failure(self, step: Step, result: Result, code: str, verb: str) -> Failure:
        how = "it took longer than its limit" if result.timed_out else f"exit status {result.status}"
        said = last_words(result.said) or how
        return Failure(code, f"{verb} {step.title} on {step.host}", step.id, self._progress.where(step), said)

    def _output(self, step: Step) -> Callable[[bytes], None]:
        def tell(piece: bytes) -> None:
            self._progress.tell("step.output", step, detail=piece.decode("utf-8", "replace"))

        return tell


def _call(action: Action) -> Request | Pipe:
    return action if isinstance(action, Pipe) else Request(lower(action))
