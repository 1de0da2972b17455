"""Which hooks a run has, and when: before it, around each group of hosts that starts a release, and after it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field

from shipway.app.hooks import Hooks
from shipway.app.notice import Notice
from shipway.app.signals import Interruption
from shipway.app.timings import is_app_start
from shipway.core.errors import ShipwayError
from shipway.core.step import Plan, Stage
from shipway.engine.outcome import Outcome
from shipway.engine.world import Moment, StopRequest

_RELEASING = frozenset({"setup", "deploy", "redeploy", "rollback"})
"""The verbs around which Kamal runs hooks."""


@dataclass(frozen=True, slots=True)
class RunHooks:
    """The hooks of one run."""

    hooks: Hooks
    run: str
    interruption: Interruption
    notice: Notice = field(default_factory=Notice)

    async def before(self, plan: Plan) -> bool:
        """Run `pre-deploy`, with the lock held; return whether there was one. Raises Refused when it fails."""
        if plan.verb not in _RELEASING:
            return False
        return await self.hooks.run("pre-deploy", {**self._about(plan), "LOCK": "true"})

    def waits_at(self, plan: Plan, stage: Stage) -> bool:
        """Whether there is a hook to run before `stage` or after it."""
        return (
            plan.verb in _RELEASING
            and starts_release(plan, stage)
            and any(self.hooks.has(name) for name in ("pre-app-boot", "post-app-boot"))
        )

    async def at(self, plan: Plan, stage: Stage, moment: Moment) -> None:
        """Run `pre-app-boot` or `post-app-boot` where `stage` starts a release on a group of hosts. Raises Refused.

        `pre-proxy-reboot` and `post-proxy-reboot` stand around each stage of the reboot of proxies.
        """
        group: tuple[Stage, ...]
        if plan.verb == "proxy reboot":
            about, group = "proxy-reboot", (stage,)
        elif plan.verb in _RELEASING and starts_release(plan, stage):
            about, group = "app-boot", group_of(plan, stage)
        else:
            return
        if stage is not group[0 if moment == "begin" else -1]:
            return
        hosts = dict.fromkeys(host for one in group for host in hosts_of(one))
        name = f"{'pre' if moment == 'begin' else 'post'}-{about}"
        told = {**self._about(plan), "HOSTS": ",".join(hosts), "LOCK": "true"}
        await self.hooks.run(name, told, self.interruption.stop)

    async def after(self, outcome: Outcome, error: ShipwayError | None) -> tuple[str, ...]:
        """Tell of the end of a run, and run what follows it; the lock is free. Return a note for each failed hook."""
        self.notice.ended(outcome, error)
        plan = outcome.plan
        if plan.verb not in _RELEASING or outcome.ending == "interrupted":
            return ()
        told = {
            **self._about(plan),
            "OUTCOME": outcome.ending,
            "RUNTIME": str(round(outcome.took_s)),
            "SERVES": _serves(outcome),
        }
        with self.interruption.hooks_in_progress() as stop:
            if error is None:
                names = ("post-deploy", "rolled-back") if plan.verb == "rollback" else ("post-deploy",)
                return await self._each(names, told, stop)
            taken_back = outcome.ending == "undone" and plan.verb != "rollback"
            return await self._failed(("deploy-failed", *(("rolled-back",) if taken_back else ())), told, error, stop)

    async def _failed(
        self, names: tuple[str, ...], told: Mapping[str, str], error: ShipwayError, stop: StopRequest
    ) -> tuple[str, ...]:
        if not any(self.hooks.has(name) for name in names):
            return ()
        with tempfile.NamedTemporaryFile("w", prefix="shipway-message-", suffix=".txt", encoding="utf-8") as file:
            file.write(self.hooks.clean(_message(error)))
            file.flush()
            return await self._each(names, {**told, "ERROR": error.code, "MESSAGE_FILE": file.name}, stop)

    async def _each(self, names: tuple[str, ...], told: Mapping[str, str], stop: StopRequest) -> tuple[str, ...]:
        notes = []
        for name in names:
            try:
                await self.hooks.run(name, told, stop)
            except ShipwayError as failed:  # the run is over, and its outcome stays what it is
                last = failed.said.splitlines()[-1:]
                notes.append(": ".join((str(failed), *last)))
        if stop.is_set:
            notes.append("a hook was stopped on request; the run had ended before")
        return tuple(notes)

    def _about(self, plan: Plan) -> dict[str, str]:
        told = {"RUN": self.run, "RELEASE": plan.release, "BASE": plan.base}
        if plan.version:
            told["VERSION"] = plan.version
        return told


def starts_release(plan: Plan, stage: Stage) -> bool:
    """Whether `stage` starts the release of `plan` beside the old one: the boot of a group in Kamal's words."""
    steps = (step.id for track in stage.tracks for step in track)
    return not stage.commits and any(is_app_start(one) and one.endswith(f"-{plan.release}") for one in steps)


def group_of(plan: Plan, stage: Stage) -> tuple[Stage, ...]:
    """Return the stages that start the group of hosts to which `stage` belongs.

    The first group may have two: one host alone, then the others, as many as the width of the group allows.
    """
    starts = [one for one in plan.stages if starts_release(plan, one)]
    if stage in starts[:2] and len(starts) > 1:
        first, second = starts[:2]
        if not second.width or len({*hosts_of(first), *hosts_of(second)}) <= second.width:
            return (first, second)
    return (stage,)


def hosts_of(stage: Stage) -> tuple[str, ...]:
    """Return the hosts of a stage, each once."""
    return tuple(dict.fromkeys(step.host for track in stage.tracks for step in track))


def _serves(outcome: Outcome) -> str:
    if outcome.ending == "done" or outcome.state.committed:
        return outcome.plan.release
    return outcome.plan.base if outcome.ending == "undone" else ""


def _message(error: ShipwayError) -> str:
    parts = (("where", error.where), ("said", error.said), ("now", error.now), ("next", error.next))
    lines = [f"error[{error.code}]: {error.what}", *(f"{name}: {text}" for name, text in parts if text)]
    return "\n".join(lines) + "\n"
