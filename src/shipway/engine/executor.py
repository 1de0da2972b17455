"""`execute`: walks a plan, and takes it back when it fails before its commit.

The rules, in the order in which crashes taught them:
1. The ledger first: a step's `begin` is written before its effect and its `done` after, in one exchange with it. A
   ledger that cannot be written stops the run. Steps of one track travel together, and the host decides what of them
   is still to be done (`engine/course.py`); stages of one track are one track.
2. What was true before we touched it is `skipped` and never undone. What we had begun and proves true was ours.
3. After a failure no new step starts, running steps end by themselves, and what this run did is taken back in reverse.
4. Where an undo fails, what stands under it on the same host and in the same track is left alone: stopping a new
   release that the proxy still sends to would turn a failed deploy into an outage. Other hosts are taken back.
5. Nothing is taken back after the commit. Such a run, like one that could not be taken back, stays open for `resume`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from shipway.core.action import Upload, lower
from shipway.core.errors import ConnectionLost, Interrupted, Refused, ShipwayError
from shipway.core.plan_codec import plan_to_json
from shipway.core.ports import Request
from shipway.core.record import Record
from shipway.core.step import Plan, Stage, Step
from shipway.engine.course import Course
from shipway.engine.journal import last_words, require_tail, tail
from shipway.engine.outcome import Ending, Failure, Outcome, host_ends, unwritable
from shipway.engine.parts import Entry, chain_of
from shipway.engine.progress import Progress
from shipway.engine.rider import Rider
from shipway.engine.run_state import BEHIND, OURS, RunState, is_standing, replay
from shipway.engine.step_run import StepRunner
from shipway.engine.world import Moment, World

Written = Literal["yes", "no", "in doubt"]
Track = tuple[Step, ...]
_MAIN = "main"


async def _nobody() -> None:
    """Wait for nothing."""


@dataclass(frozen=True, slots=True)
class Around:
    """What a caller does around a run.

    `beside` waits for what it does on the hosts of the plan meanwhile: before that has ended nothing is taken back
    under its feet. `why` is noted as the reason where the run is taken back for no failure of its own. `riders` ride
    behind the last line of the run on the primary host, once that stands.
    """

    beside: Callable[[], Awaitable[None]] = _nobody
    why: str = ""
    riders: Sequence[Rider] = ()


async def execute(plan: Plan, world: World, *, state: RunState | None = None, around: Around | None = None) -> Outcome:
    """Run `plan` to one of its ends and say which. A partial plan that is done ends `prepared`, and stays open.

    With `state` (from `replay`) the run goes on from there, in the direction that the state has; without it the run
    is begun: its plan is stored on the primary host and its first line written. Raises Refused or Unreachable when
    that is not possible, Interrupted when a stop was asked for before; then nothing was changed.
    """
    run = _Run(plan, world, state or RunState(), around or Around())
    if state is None:
        await run.begin()
    return await run.go()


class _Run:
    def __init__(self, plan: Plan, world: World, state: RunState, around: Around) -> None:
        self._around = around
        self._plan, self._world, self._phase = plan, world, state.phase
        self._progress = Progress(plan, world, state)
        self._journal = self._progress.journal
        self._steps = StepRunner(self._progress)
        self._blocked: set[str] = set()
        self._begun_s = world.clock.monotonic() - state.ran_s

    async def begin(self) -> None:
        """Store the plan, then write the line that opens the run: an open run always has its plan."""
        if self._world.stop.is_set:
            raise Interrupted("run.interrupted", self._stopped().what, now="nothing was changed")
        path = self._world.layout(self._plan.primary).run_plan(self._plan.run)
        store = Request(lower(Upload(path, (plan_to_json(self._plan),))))
        requests = (store, self._journal.append(self._plan.primary, [self._journal.begin()]))
        try:
            results = await self._world.transport.exchange(self._plan.primary, requests)
        except ConnectionLost:  # the same again does no harm: one plan, and two equal lines
            results = await self._world.transport.exchange(self._plan.primary, requests)
        if len(results) < len(requests) or not results[-1].ok:
            raise Refused(
                "ledger.unwritable",
                f"could not write the ledger on {self._plan.primary}",
                where=self._world.layout(self._plan.primary).ledger,
                said=last_words(results[-1].said) if results else "",
                next=self._world.command("status"),
            )
        self._progress.emit("run.begin")

    async def go(self) -> Outcome:
        """Go forward, or back, or forward and then back."""
        with self._world.stop.heard_by(self._steps.underway.halt):
            if self._phase == "ended":
                return self._outcome("done")
            if self._phase == "forward":
                done = await self._forward()
                await self._around.beside()
                if done == "yes":
                    return self._outcome("prepared") if self._plan.is_partial else await self._end("done")
                if self._progress.committed or done == "in doubt":
                    return await self._end("mixed")
                if self._world.stop.is_set and not self._progress.failures and not self._has_touched():
                    return await self._end("interrupted")
            return await self._unwind()

    def _has_touched(self) -> bool:
        return any(self._progress.of(step) in OURS for step in self._plan.steps())

    async def _forward(self) -> Written:
        """Run what is left of the stages. Return whether all of it, the commits included, is behind us."""
        may_have_committed = False
        for index, stage in enumerate(self._plan.stages):
            if not self._is_behind(stage):
                if self._progress.is_halted:
                    return "no"
                if chain := chain_of(self._plan, self._progress.state(), index, self._world.is_waited):
                    may_have_committed = await self._run_chain(chain)
                else:
                    await self._run_stage(stage)
            if not self._is_behind(stage):
                return "in doubt" if may_have_committed else "no"
            if stage.commits and self._progress.committed <= index:
                written = await self._commit(index, may_stand=may_have_committed)
                may_have_committed = False
                if written != "yes":
                    return written
            elif self._progress.failures:
                return "in doubt" if may_have_committed else "no"
        return "yes"

    def _is_behind(self, stage: Stage) -> bool:
        return all(self._progress.of(step) in BEHIND for track in stage.tracks for step in track)

    async def _run_stage(self, stage: Stage) -> None:
        """Run a stage of several tracks, or one that somebody waits for."""
        self._progress.emit("stage.begin", stage=stage)
        await self._at(stage, "begin")
        await self._side_by_side(stage, stage.tracks, self._run_track)
        if self._is_behind(stage):
            await self._at(stage, "end")
            self._progress.emit("stage.done", stage=stage)

    async def _at(self, stage: Stage, moment: Moment) -> None:
        """Let whoever waits for it know that `stage` begins, or is done; what they raise fails the run."""
        try:
            await self._world.boundary(self._plan, stage, moment)
        except ShipwayError as error:
            self._progress.fail(Failure(error.code, error.what, where=error.where, said=error.said))

    async def _commit(self, index: int, *, may_stand: bool = False) -> Written:
        """Write that nothing up to stage `index` will be taken back. The line in the ledger decides, not our memory.

        `may_stand`: the line was sent before, and it is not known what became of it.
        """
        is_last = index == len(self._plan.stages) - 1
        if not may_stand and (self._progress.failures or (self._progress.is_halted and not is_last)):
            return "no"
        written, failure = await self._write([self._journal.record("run.commit", stage=index)], may_stand=may_stand)
        if failure is not None:
            self._progress.fail(failure)
            return written
        self._steps.commit(index)
        return "yes"

    async def _write(
        self, records: Sequence[Record], *, may_stand: bool = False, riders: Sequence[Rider] = ()
    ) -> tuple[Written, Failure | None]:
        """Write lines of the run on the primary host; where the answer was lost, look, and write them once more."""
        try:
            if not may_stand:
                return await self._append(records, riders)
        except ConnectionLost:
            pass
        except ShipwayError as error:
            return "no", self._progress.failure_of(error)
        try:
            if await self._stands(records[-1]):
                return "yes", None
            return await self._append(records)
        except ShipwayError as error:
            return "in doubt", self._progress.failure_of(error)

    async def _append(self, records: Sequence[Record], riders: Sequence[Rider] = ()) -> tuple[Written, Failure | None]:
        host = self._plan.primary
        asked = [rider.requests() for rider in riders]
        result, *rest = await self._world.transport.exchange(
            host, [self._journal.append(host, records), *(request for requests in asked for request in requests)]
        )
        if result.ok:
            answers = iter(rest)
            for rider, requests in zip(riders, asked, strict=True):
                rider.take(tuple(islice(answers, len(requests))))
            return "yes", None
        try:
            return ("yes", None) if await self._stands(records[-1]) else ("no", unwritable(host, result))
        except ShipwayError:
            return "in doubt", unwritable(host, result)

    async def _stands(self, record: Record) -> bool:
        """Whether the ledger has `record`, whenever it was written. Raises Refused when it cannot be read."""
        host = self._plan.primary
        (result,) = await self._world.transport.exchange(host, [tail(self._world.layout(host))])
        return any(replace(line, at=record.at) == record for line in require_tail(host, result))

    async def _unwind(self) -> Outcome:
        """Take back, in reverse, all that this run did since its last commit."""
        why = self._around.why or self._world.stop.why or "asked for"
        if self._progress.failures:
            why = self._progress.failures[0].what
        self._progress.emit("run.unwinding", detail=why)
        _, failure = await self._write([self._journal.record("run.unwinding", why=why)])
        if failure is not None:  # the lines of the steps tell it as well: no reason to leave the servers as they are
            self._progress.warn(failure.what)
        for host in dict.fromkeys(step.host for step in self._progress.doubted):
            await self._clear_up(host)
        for stage in reversed(self._plan.stages[self._progress.committed :]):
            await self._side_by_side(stage, tuple(reversed(stage.tracks)), self._undo_track)
        standing = any(is_standing(self._progress.state(), step) for step in self._plan.steps())
        return await self._end("mixed" if standing else "undone")

    async def _clear_up(self, host: str) -> None:
        """Ask the ledger of `host` what became of steps in doubt. Where it does not answer, nothing is taken back.

        A step that was true before, or that was never begun, must not be undone.
        """
        doubted = [step for step in self._progress.doubted if step.host == host]
        try:
            (result,) = await self._world.transport.exchange(host, [tail(self._world.layout(host))])
            seen = replay(self._plan, require_tail(host, result))
        except ShipwayError as error:
            self._blocked.add(host)
            self._progress.leave(self._progress.failure_of(error, doubted[0], "could not take back"), doubted[0])
            return
        for step in doubted:
            self._progress.set(step, seen.of(step))

    async def _side_by_side(
        self, stage: Stage, tracks: Sequence[Track], work: Callable[[Track, str], Coroutine[None, None, None]]
    ) -> None:
        """Run `work` on every track, as many at once as the stage allows."""
        room = asyncio.Semaphore(stage.width or max(1, len(tracks)))

        async def in_turn(track: Track, lane: str) -> None:
            async with room:
                await work(track, lane)

        async with asyncio.TaskGroup() as group:
            for track, lane in zip(tracks, _lanes(tracks), strict=True):
                group.create_task(in_turn(track, lane))

    async def _run_track(self, track: Track, lane: str) -> None:
        await Course(self._steps, lane, [step for step in track if self._progress.of(step) not in BEHIND]).run()

    async def _run_chain(self, chain: Sequence[Entry]) -> bool:
        """Run stages of one track as one. Return whether a commit may stand that nobody has heard of."""
        course = Course(self._steps, _MAIN, chain)
        await course.run()
        return course.may_have_committed

    async def _undo_track(self, track: Track, lane: str) -> None:
        for step in reversed(track):
            if not is_standing(self._progress.state(), step):
                continue
            if step.host in self._blocked:
                return
            if not await self._steps.undo(step, lane):
                self._blocked.add(step.host)
                return

    async def _end(self, ending: Ending) -> Outcome:
        """Write the last line. A run whose end could not be written is open, whatever it did."""
        word = "undone" if ending == "interrupted" else ending
        primary = self._plan.primary
        await asyncio.gather(*(self._steps.flush(host) for host in self._steps.waiting_hosts() if host != primary))
        end = self._journal.end(word, self._world.clock.monotonic() - self._begun_s)
        _, failure = await self._write([*self._steps.take_lines(primary), end], riders=self._around.riders)
        if failure is not None and ending != "mixed":
            self._progress.leave(failure)
            ending = word = "mixed"
        self._progress.emit("run.end", detail=word)
        return self._outcome(ending)

    def _outcome(self, ending: Ending) -> Outcome:
        state = self._progress.state()
        failure = next(iter((*self._progress.failures, *self._progress.left)), None)
        if failure is None and ending not in ("done", "prepared"):
            failure = self._stopped()
        return Outcome(
            plan=self._plan,
            ending=ending,
            state=state,
            hosts=host_ends(self._plan, state),
            failure=failure,
            left=tuple(self._progress.left),
            took_s=self._world.clock.monotonic() - self._begun_s,
            resume=self._world.command("resume"),
            audit=self._world.command("audit"),
        )

    def _stopped(self) -> Failure:
        why = self._world.stop.why
        verb, release = self._plan.verb, self._plan.release
        what = f"{verb} of {release} was stopped: {why}" if why else f"{verb} of {release} was taken back"
        return Failure("run.interrupted" if why else "run.taken_back", what, where=f"run {self._plan.run}")


def _lanes(tracks: Sequence[Track]) -> Iterator[str]:
    """Yield a lane per track: the name of its shells.

    The tracks of one host have shells of their own, and each stage finds the same names.
    """
    seen: Counter[str] = Counter()
    for track in tracks:
        host = track[0].host if track else ""
        yield f"track-{seen[host]}" if seen[host] else _MAIN
        seen[host] += 1
