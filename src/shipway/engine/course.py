"""A track on its way: its steps sent together, as far as they stand on one host and need nothing from this machine.

The host decides by itself what it skips and where it stops; what it did is taken in as its answers come, one by one.
Where the connection breaks, the host's ledger tells how far it came, and the course goes on from there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice

from shipway.core.action import Action, Pipe
from shipway.core.errors import ConnectionLost, ShipwayError
from shipway.core.ports import Request, Result
from shipway.core.record import Record
from shipway.core.step import Stage, Step
from shipway.engine.journal import parse_tail, tail
from shipway.engine.outcome import Failure, unwritable
from shipway.engine.parts import Entry, Mark, Part, batch_of, commit_part, step_parts
from shipway.engine.run_state import RunState, replay
from shipway.engine.step_run import StepRunner, failure_of_result


class Course:
    """Runs `entries` in their order on the shells called `lane`. What becomes of them is noted in the progress.

    `may_have_committed`: a line of a commit was sent, and it is not known whether it stands.
    """

    def __init__(self, steps: StepRunner, lane: str, entries: Sequence[Entry]) -> None:
        self._steps, self._progress, self._world = steps, steps.progress, steps.progress.world
        self._lane = lane
        self._entries = deque(entries)
        self._parts: list[Part] = []
        self._at = self._sent = 0
        self._has_ended = False
        self._told: Step | None = None
        self._begun_s = 0.0
        self._lost_at: Entry | None = None
        self._note: Record | None = None
        self.may_have_committed = False

    async def run(self) -> None:
        """Go as far as possible: to the end, to the first failure, or to the next step once the run halts."""
        self._pass_marks()
        self._make_parts()
        while self._at < len(self._parts) and not self._has_ended:
            try:
                await self._advance()
            except ConnectionLost as lost:
                if self._at < len(self._parts):
                    await self._judge(lost)
            except ShipwayError as error:
                self._give_up(error)
            except Exception as error:  # noqa: BLE001  a mistake of ours must not leave the servers half changed
                self._doubt()
                self._give_up(error)
        if self._note is not None and self._told is not None:
            await self._steps.note(self._told, self._lane, self._note)

    async def _advance(self) -> None:
        """Send what can be sent together, and take in the answers as they come."""
        head = self._parts[self._at]
        if isinstance(head.call, Pipe):
            await self._pipe(head, head.call)
            return
        if head.call.gate and self._progress.is_halted:
            self._has_ended = True
            return
        self._tell_begin()
        requests = batch_of(islice(self._parts, self._at, None), is_last=self._progress.is_halted)
        waiting = self._steps.take_waiting(head.host)
        base, self._sent = self._at, self._at + len(requests)

        def heard(number: int, result: Result) -> None:
            if number >= len(waiting):
                self._hear(self._parts[base + number - len(waiting)], result)
            elif not result.ok:
                self._fail(unwritable(head.host, result))

        await self._steps.underway.exchange(head.host, (*waiting, *requests), self._lane, self._output, heard)
        if self._at < self._sent and not self._has_ended:
            if not self._progress.is_halted:
                raise ConnectionLost("transport.no_answer", f"{head.host} did not answer")
            self._has_ended = True

    async def _pipe(self, part: Part, pipe: Pipe) -> None:
        self._sent = self._at + 1
        result = await self._world.transport.pipe(pipe.source, part.host, pipe.sink)
        if result.ok:
            self._at += 1
        elif isinstance(part.entry, Step):
            self._fail_step(part.entry, result)

    def _hear(self, part: Part, result: Result) -> None:
        """Take in one answer."""
        self._tell_begin()
        call, entry = part.call, part.entry
        assert isinstance(call, Request)  # noqa: S101  a pipe is not part of an exchange
        self._at += call.onward(result)
        if isinstance(entry, Mark):
            self._hear_commit(entry, is_written=result.ok)
        elif part.role == "probe":
            if result.ok:
                self._steps.prove(entry)
                self._finish(entry)
        elif part.role == "begin":
            if result.ok:
                self._progress.set(entry, "open")
            else:
                self._fail(unwritable(entry.host, result, entry.id, self._progress.where(entry)), entry)
        elif not result.ok:
            self._fail_step(entry, result)
        elif part.role == "end":
            self._progress.set(entry, "done")
            self._finish(entry)

    def _hear_commit(self, mark: Mark, *, is_written: bool) -> None:
        if is_written:
            self._steps.commit(mark.stage)
            self._leave()
        else:
            self._has_ended = self.may_have_committed = True

    def _finish(self, step: Step) -> None:
        is_done = self._progress.of(step) == "done"
        took_s = self._world.clock.monotonic() - self._begun_s
        self._progress.tell("step.done" if is_done else "step.skipped", step, took_s=took_s)
        self._leave()

    def _leave(self) -> None:
        """Have the first entry behind us. The next step is told at once where the host is at it already."""
        self._entries.popleft()
        self._pass_marks()
        if self._at < self._sent and not self._progress.is_halted:
            self._tell_begin()

    def _pass_marks(self) -> None:
        while self._entries and isinstance(mark := self._entries[0], Mark) and mark.kind != "commit":
            if mark.kind == "begin" and self._progress.is_halted:
                return
            self._progress.emit("stage.begin" if mark.kind == "begin" else "stage.done", stage=self._stage(mark))
            self._entries.popleft()

    def _tell_begin(self) -> None:
        """Tell that the first entry begins, once."""
        while self._entries and isinstance(mark := self._entries[0], Mark) and mark.kind == "begin":
            self._progress.emit("stage.begin", stage=self._stage(mark))
            self._entries.popleft()
        step = self._entries[0] if self._entries else None
        if isinstance(step, Step) and step is not self._told:
            self._told, self._begun_s = step, self._world.clock.monotonic()
            self._progress.tell("step.begin", step)

    def _output(self, piece: bytes) -> None:
        self._tell_begin()
        if self._told is not None:
            self._progress.tell("step.output", self._told, detail=piece.decode("utf-8", "replace"))

    def _make_parts(self) -> None:
        journal = self._progress.journal
        self._parts, self._at, self._sent = [], 0, 0
        for entry in self._entries:
            if isinstance(entry, Step):
                self._parts += step_parts(entry, self._actions(entry), journal)
            elif entry.kind == "commit":
                self._parts.append(commit_part(entry, journal))

    def _actions(self, step: Step) -> tuple[Action, ...]:
        """Return what does the step. What an earlier attempt left half done is first taken back, while it can be."""
        is_half_done = self._progress.of(step) in ("open", "failed")
        if is_half_done and not step.repeatable and not self._progress.committed:
            return (*step.undo, *step.do)
        return step.do

    def _fail_step(self, step: Step, result: Result) -> None:
        self._progress.set(step, "failed")
        failure = failure_of_result(self._progress, step, result, "step.failed")
        self._note = self._progress.journal.record("step.failed", step.id, said=failure.said)
        self._fail(failure, step)

    def _fail(self, failure: Failure, step: Step | None = None) -> None:
        """Note what ends the run; other tracks end before their next step."""
        self._has_ended = True
        self._progress.fail(failure, step)
        self._steps.underway.halt(but=(self._parts[self._at].host, self._lane))

    def _give_up(self, error: Exception) -> None:
        """End at the first entry because of `error`. Where that is a commit, whoever asked for it looks once more."""
        self._has_ended = True
        entry = self._entries[0]
        if isinstance(entry, Step):
            self._tell_begin()
            self._fail(self._progress.failure_of(error, entry), entry)
        elif isinstance(error, ConnectionLost):
            self.may_have_committed = True

    async def _judge(self, lost: ConnectionLost) -> None:
        """Find out, over a new connection, how far the host came, and go on from there: once for each step."""
        head = self._parts[self._at]
        try:
            (result,) = await self._exchange(head.host, tail(self._world.layout(head.host)))
        except ShipwayError:
            result = Result(1)
        if not result.ok or result.truncated:
            self._doubt()
            self._give_up(lost)
            return
        self._take_in(replay(self._progress.plan, parse_tail(result)))
        entry = self._entries[0] if self._entries else None
        is_hopeless = entry is not None and (entry is self._lost_at or not await self._may_go_on(entry))
        if is_hopeless:
            self._give_up(lost)
        self._lost_at = entry
        self._make_parts()

    async def _may_go_on(self, entry: Entry) -> bool:
        """Whether an entry at which the connection broke may be run again, or proves to be done."""
        if not isinstance(entry, Step) or self._progress.of(entry) != "open":
            return True
        if entry.done is not None:
            try:
                (result,) = await self._exchange(entry.host, Request(entry.done, "never"))
            except ShipwayError:
                return False
            if result.ok:
                self._steps.prove(entry)
                self._finish(entry)
                return True
        return entry.repeatable

    def _take_in(self, seen: RunState) -> None:
        """Note what the ledger tells of the entries that were sent: how far the host came is where it has news."""
        sent = self._sent_entries()
        news = [number for number, entry in enumerate(sent) if self._is_news(entry, seen)]
        for number in range(news[-1] + 1 if news else 0):
            entry = sent[number]
            self._tell_begin()
            if isinstance(entry, Mark):
                self._hear_commit(entry, is_written=True)
            elif seen.of(entry) == "done":
                self._progress.set(entry, "done")
                self._finish(entry)
            elif number < news[-1]:  # the host went on after it: it was true
                self._steps.prove(entry)
                self._finish(entry)
            else:
                self._progress.set(entry, "open")

    def _is_news(self, entry: Entry, seen: RunState) -> bool:
        if isinstance(entry, Mark):
            return seen.committed > entry.stage
        return seen.of(entry) not in ("new", self._progress.of(entry))

    def _sent_entries(self) -> list[Entry]:
        """Return the entries of which something may have run, the one that was under way first."""
        return list(dict.fromkeys(part.entry for part in self._parts[self._at : self._sent]))

    def _doubt(self) -> None:
        """Note that nobody knows what became of the entries that were sent."""
        for entry in self._sent_entries():
            if isinstance(entry, Step):
                self._progress.doubt(entry)
            else:
                self.may_have_committed = True

    def _stage(self, mark: Mark) -> Stage:
        return self._progress.plan.stages[mark.stage]

    async def _exchange(self, host: str, request: Request) -> tuple[Result, ...]:
        return await self._world.transport.exchange(host, [request], track=self._lane)
