"""The story of one run: what its ledgers and its stored plan tell of it, host by host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shipway.app.audit import MAX_LEDGER_BYTES
from shipway.app.call import Caller, Choice
from shipway.app.context import Context, open_context
from shipway.core.errors import Refused, ShipwayError
from shipway.core.plan_codec import PlanFormatError, plan_from_json
from shipway.core.record import Record, parse_lines
from shipway.core.step import Plan
from shipway.engine.observe import all_or_unreachable
from shipway.engine.reading import read_exactly, read_file
from shipway.engine.resume import PLAN_LIMIT_BYTES
from shipway.planning.history import release_number

_STATES: Mapping[str, str] = {
    "step.begin": "begun",
    "step.done": "done",
    "step.skipped": "true already",
    "step.failed": "failed",
    "step.undoing": "being taken back",
    "step.undone": "taken back",
    "step.undo_failed": "not taken back",
}


@dataclass(frozen=True, slots=True)
class StoryStep:
    """One step on one host. `begun` and `ended` are UTC by the clock of the host, "" where that is not known.

    `from_s` and `took_s` count from the beginning of the run; the clock of a ledger has whole seconds.
    """

    id: str
    title: str
    host: str
    stage: str
    state: str = "not begun"
    begun: str = ""
    ended: str = ""
    from_s: float = 0.0
    took_s: float = 0.0
    said: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that was noted of the run beside its steps: an approval, why it was taken back."""

    at: str
    host: str
    what: str
    who: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """One run. `outcome` is "" for a run that never ended. `migrations`: which ran when, by name.

    `is_known`: its stored plan was there, so that the steps have their titles and stages.
    """

    run: str
    service: str
    destination: str
    verb: str
    release: str
    version: str
    base: str
    who: str
    origin: str
    begun: str
    ended: str = ""
    took_s: float = 0.0
    outcome: str = ""
    verified: str = ""
    migrations: Mapping[str, str] | None = None
    stages: tuple[str, ...] = ()
    steps: tuple[StoryStep, ...] = ()
    notes: tuple[Note, ...] = ()
    is_known: bool = True

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts on which something ran, in order of appearance."""
        return tuple(dict.fromkeys(step.host for step in self.steps))


async def story(choice: Choice, caller: Caller, which: str) -> Story:
    """Return the story of a run: its id, a release whose last run is meant, or "" for the last one.

    Raises Refused `report.no_run`, Unreachable.
    """
    async with open_context(choice, caller) as context:
        primary = context.site.primary
        records = await _records(context, primary)
        begin = find_run(records, which)
        if begin is None:
            raise Refused(
                "report.no_run",
                f"no run is known as `{which}`" if which else "nothing was run yet",
                where=f"the ledger on {primary}",
                next=f"`shipway audit --json{choice.options}` lists the runs with their ids",
            )
        plan = await _plan(context, begin.run)
        hosts = [host for host in (plan.hosts() if plan else context.layouts) if host != primary]
        found = await all_or_unreachable({host: _records(context, host) for host in hosts if host in context.layouts})
        told = tell(begin, plan, {primary: records, **found})
        return replace(told, destination=choice.destination or "")


def find_run(records: Sequence[Record], which: str) -> Record | None:
    """Return the first line of the run that `which` means: an id, a release, or "" for the last run."""
    begins = [record for record in records if record.kind == "run.begin"]
    if release_number(which):
        begins = [one for one in begins if one.detail.get("release") == which]
    elif which:
        begins = [one for one in begins if one.run == which]
    return next((one for one in begins if begins and one.run == begins[-1].run), None)


def tell(begin: Record, plan: Plan | None, ledgers: Mapping[str, Sequence[Record]]) -> Story:
    """Return the story of the run that `begin` opened, from the ledgers by host, the primary's among them."""
    mine = {host: [r for r in records if r.run == begin.run] for host, records in ledgers.items()}
    everything = [record for records in mine.values() for record in records]
    end = next((record for record in reversed(everything) if record.kind == "run.end"), None)
    extended = next((record for record in everything if record.kind == "run.extended"), None)
    detail, ended = begin.detail, end.detail if end else {}
    took = ended.get("took_s", 0.0)
    verified = [str(record.detail["verified"]) for record in everything if "verified" in record.detail]
    return Story(
        run=begin.run,
        service=str(detail.get("service", "")),
        destination="",
        verb=str(detail.get("verb", "")),
        release=str(detail.get("release", "")),
        version=str(detail.get("version", "")),
        base=str(detail.get("base", "")),
        who=str(detail.get("who", "")),
        origin=str(detail.get("from", "")),
        begun=begin.at,
        ended=end.at if end else "",
        took_s=float(took) if isinstance(took, int | float) else 0.0,
        outcome=str(ended.get("outcome", "")),
        verified=verified[-1] if verified else "",
        migrations={key: str(extended.detail[key]) for key in ("before", "window", "after") if key in extended.detail}
        if extended
        else None,
        stages=tuple(stage.title for stage in plan.stages) if plan else (),
        steps=tuple(_steps(begin, plan, mine)),
        notes=tuple(_notes(begin, mine)),
        is_known=plan is not None,
    )


def _steps(begin: Record, plan: Plan | None, mine: Mapping[str, Sequence[Record]]) -> Iterable[StoryStep]:
    """Yield the steps in the order of the plan; those that no plan knows follow, as the ledger has them."""
    steps: dict[str, StoryStep] = {}
    if plan is not None:
        for stage in plan.stages:
            for step in (one for track in stage.tracks for one in track):
                steps[step.id] = StoryStep(step.id, step.title, step.host, stage.title)
    for host, records in mine.items():
        for record in records:
            if record.kind in _STATES and record.step:
                known = steps.get(record.step, StoryStep(record.step, record.step, host, ""))
                steps[record.step] = _after(known, record, begin.at)
    return steps.values()


def _after(step: StoryStep, record: Record, since: str) -> StoryStep:
    said = str(record.detail.get("said", "")) or step.said
    state = _STATES[record.kind]
    if record.kind == "step.undone" and step.said:
        state = "failed, taken back"
    if record.kind in ("step.begin", "step.skipped") or not step.begun:
        from_s = _between(since, record.at)
        return replace(step, state=state, begun=record.at, ended=record.at, from_s=from_s, said=said)
    if record.kind in ("step.done", "step.failed"):
        return replace(step, state=state, ended=record.at, took_s=_between(step.begun, record.at), said=said)
    return replace(step, state=state, ended=record.at, said=said)  # its bar shows the way there, not the way back


def _between(first: str, last: str) -> float:
    """Return the seconds between two times of ledgers, 0 for what is no time and for clocks that disagree."""
    try:
        return max(0.0, (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds())
    except (ValueError, TypeError):
        return 0.0


def _notes(begin: Record, mine: Mapping[str, Sequence[Record]]) -> Iterable[Note]:
    if text := str(begin.detail.get("note", "")):
        yield Note(begin.at, "", "note", str(begin.detail.get("who", "")), text)
    for host, records in mine.items():
        for record in records:
            if record.kind.startswith("step.") or record.kind in ("run.begin", "run.end", "run.extended"):
                continue
            detail = record.detail
            text = next((str(detail[k]) for k in ("note", "what", "why", "reason", "said") if k in detail), "")
            if record.kind == "run.commit":
                text = "from here on nothing is taken back"
            yield Note(record.at, host, _NAMES.get(record.kind, record.kind), str(detail.get("who", "")), text)


_NAMES: Mapping[str, str] = {
    "run.commit": "committed",
    "run.unwinding": "taken back",
    "approval.wanted": "wants approval",
    "approval": "approved",
}


async def _records(context: Context, host: str) -> tuple[Record, ...]:
    ledger = await read_exactly(context.transport, host, context.layouts[host].ledger, MAX_LEDGER_BYTES)
    return parse_lines((ledger or b"").decode("utf-8", "replace"))


async def _plan(context: Context, run: str) -> Plan | None:
    """Return the stored plan of a run, None where it is gone."""
    primary = context.site.primary
    try:
        path = context.layouts[primary].run_plan(run)
        text, said = await read_file(context.transport, primary, path, PLAN_LIMIT_BYTES)
        return plan_from_json(text) if not said else None
    except (PlanFormatError, ShipwayError):
        return None
