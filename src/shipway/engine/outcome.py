"""How a run ended, and what is said about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shipway.core.errors import Exit, Interrupted, ShipwayError, StepFailed
from shipway.core.ports import Result
from shipway.core.step import Plan
from shipway.engine.journal import last_words
from shipway.engine.run_state import BEHIND, RunState, is_standing

Ending = Literal["done", "undone", "mixed", "held", "interrupted", "prepared"]
HostEnd = Literal["done", "undone", "untouched", "mixed", "in doubt"]
"""A host after a run: all of the plan is true there; all was taken back; nothing had been done; some of it stands; or
the connection broke and nobody knows."""
_EXITS: Mapping[Ending, Exit] = {
    "done": Exit.OK,
    "undone": Exit.UNDONE,
    "mixed": Exit.MIXED,
    "held": Exit.MIXED,
    "interrupted": Exit.INTERRUPTED,
    "prepared": Exit.MIXED,  # never the last word: somebody goes on, or takes it back
}


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that went wrong: the step ("" for the run itself), a sentence, and the last words of the program."""

    code: str
    what: str
    step: str = ""
    where: str = ""
    said: str = ""


def unwritable(host: str, result: Result, step: str = "", where: str = "") -> Failure:
    """Return the failure of a ledger that could not be written: `result` is what the append answered."""
    return Failure("ledger.unwritable", f"could not write the ledger on {host}", step, where, last_words(result.said))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    `failure` is what stopped it, `left` what could not be taken back or written down afterwards. `state` is what its
    records say. `resume` is the command that continues it.
    """

    plan: Plan
    ending: Ending
    state: RunState
    hosts: Mapping[str, HostEnd]
    failure: Failure | None = None
    left: tuple[Failure, ...] = ()
    took_s: float = 0.0
    resume: str = "`shipway resume`"
    audit: str = "`shipway audit`"

    @property
    def exit_code(self) -> Exit:
        """0, 10, 11 or 130."""
        return _EXITS[self.ending]

    def now(self) -> str:
        """Return the state that the servers are in, as one line."""
        base = f"{self.plan.base} serves" if self.plan.base else "nothing serves, as before"
        if self.ending == "done":
            return f"{self.plan.release} serves" if self.plan.release else "done"
        if self.ending == "interrupted":
            return f"nothing was changed, {base}"
        if self.ending == "undone":
            return f"everything was taken back, {base}"
        return self._held() if self.ending == "held" else self._mixed()

    def _mixed(self) -> str:
        hosts = ", ".join(f"{host}: {end}" for host, end in self.hosts.items())
        if self.state.committed and self.plan.commit_index() < self.state.committed < self._last_commit():
            return (
                f"the site is closed: {self.plan.base} was stopped and {self.plan.release} is not there yet ({hosts})"
            )
        if self.state.committed:
            return f"{self.plan.release} serves, the rest of the run is not finished ({hosts})"
        return f"not everything could be taken back ({hosts})"

    def _held(self) -> str:
        """Return what serves where somebody is to decide; before the commit the old release still runs."""
        plan = self.plan
        if self.state.committed or not plan.base:
            return f"{plan.release} serves, and nothing is taken back"
        return f"{plan.release} serves, and {plan.base} still runs beside it"

    def _last_commit(self) -> int:
        """Return the number of stages up to the last one that commits and is not about looking at what it did.

        More than one does in a maintenance window.
        """
        stages = enumerate(self.plan.stages, 1)
        return max((n for n, stage in stages if stage.commits and not stage.verifies), default=0)

    def error(self) -> ShipwayError | None:
        """Return what is told to the user and sets the exit code; None when all is done."""
        if self.ending == "done":
            return None
        why = self.failure or Failure("run.stopped", f"{self.plan.verb} of {self.plan.release} did not end")
        if self.ending == "interrupted":
            return Interrupted(why.code, why.what, now=self.now())
        said = "\n".join(filter(None, [why.said, *(f"{f.what}: {f.said}".rstrip(": ") for f in self.left)]))
        return StepFailed(
            why.code,
            why.what,
            ended=self.exit_code,
            where=why.where,
            said=said,
            now=self.now(),
            next=self._next(),
        )

    def _next(self) -> str:
        if self.ending == "mixed":
            return f"{self.resume} continues"
        if self.ending != "held":
            return f"{self.audit} shows the run"
        goes_on = f'{self.resume} verifies again and goes on (with `--unverified "why"` all the same)'
        if self.state.committed or not self.plan.base:
            return f"{goes_on}; or deploy what mends it"
        return f"{goes_on}, {self.resume.replace('resume', 'rollback')} goes back to {self.plan.base}"


def host_ends(plan: Plan, state: RunState) -> dict[str, HostEnd]:
    """Return how each host of `plan` was left."""
    ends: dict[str, HostEnd] = {}
    for host in plan.hosts():
        steps = [step for step in plan.steps() if step.host == host]
        states = [state.of(step) for step in steps]
        if any(s in ("open", "undoing") for s in states):
            ends[host] = "in doubt"
        elif all(s in BEHIND for s in states):
            ends[host] = "done"
        elif state.committed or any(is_standing(state, step) for step in steps):
            ends[host] = "mixed"
        else:
            ends[host] = "undone" if "undone" in states else "untouched"
    return ends
