"""A plan as text: what `shipway plan` prints and what is shown before a question."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence

from shipway.app.answers import Preview
from shipway.cli.render.text import Paint, harmless
from shipway.core.action import describe
from shipway.core.here import HereStage
from shipway.core.plan_codec import plan_to_json
from shipway.core.step import Plan, Stage, Step

LEGEND = (
    "✓ true already   + will run   ↩ taken back when the run fails   · stays then, harmless   ! cannot be taken back"
)


def here_view(stages: Sequence[HereStage], paint: Paint, *, verbose: bool = False) -> str:
    """Return what runs on this machine before a plan, as text; "" when nothing does."""
    lines: list[str] = []
    for stage in stages:
        lines += [paint("bold", f"0  {harmless(stage.title)}") + "  (on this machine)"]
        for step in (step for track in stage.tracks for step in track):
            lines.append(f"     {paint('yellow', '+')} · {harmless(step.title)}")
            if verbose:
                shown = step.shell().splitlines()
                lines += [
                    paint("dim", f"           {'do' if n == 0 else '':<5}  {harmless(line)}")
                    for n, line in enumerate(shown)
                ]
        lines.append("")
    return "\n".join(lines)


def plan_view(plan: Plan, true_already: Collection[str], paint: Paint, *, verbose: bool = False) -> str:
    """Return `plan` as text. `true_already` holds the ids of the steps whose `done` is true; verbose adds commands."""
    lines = [*_head(plan, paint), ""]
    for index, stage in enumerate(plan.stages):
        lines.append(f"{paint('bold', f'{index + 1}  {harmless(stage.title)}')}{_width(stage)}")
        lines += [f"     {paint('yellow', '?')} {harmless(line)}" for line in stage.verifies]
        for track in stage.tracks:
            lines += _track(track, true_already, paint, verbose=verbose)
        if stage.commits:
            lines.append(paint("yellow", "── from here on nothing above is taken back ──"))
        lines.append("")
    left = sum(step.id not in true_already for step in plan.steps())
    total = sum(1 for _ in plan.steps())
    lines.append(f"{left} of {total} steps to run" if left else "Nothing to do: everything is true already")
    return "\n".join([*lines, paint("dim", LEGEND)]) + "\n"


def _head(plan: Plan, paint: Paint) -> Iterator[str]:
    version = f", version {plan.version[:12]}" if plan.version else ""
    over = f"over {plan.base}" if plan.base else "the first release"
    yield paint("bold", f"{plan.verb} {plan.service} {plan.release}") + f"{version}, {over}"
    yield from (f"   note: {harmless(note)}" for note in plan.notes)


def _width(stage: Stage) -> str:
    if len(stage.tracks) < 2:  # noqa: PLR2004  one track is no choice
        return ""
    at_once = f", {stage.width} at once" if 0 < stage.width < len(stage.tracks) else ", side by side"
    return f"  ({len(stage.tracks)} tracks{at_once})"


def _track(track: tuple[Step, ...], true_already: Collection[str], paint: Paint, *, verbose: bool) -> Iterator[str]:
    host = ""
    for step in track:
        if step.host != host:
            host = step.host
            yield f"   {paint('cyan', harmless(host))}"
        done = step.id in true_already
        mark = paint("green", "✓") if done else paint("yellow", "+")
        back = "↩" if step.undo else "·" if step.harmless else "!"
        yield f"     {mark} {back} {harmless(step.title)}"
        if verbose:
            yield from _commands(step, paint)


def _commands(step: Step, paint: Paint) -> Iterator[str]:
    for name, actions in (("done?", (step.done,) if step.done else ()), ("do", step.do), ("undo", step.undo)):
        for action in actions:
            for number, line in enumerate(describe(action).splitlines()):
                label = name if number == 0 else ""
                yield paint("dim", f"           {label:<5}  {harmless(line)}")


def plan_document(preview: Preview) -> dict[str, object]:
    """Return what `shipway plan --json` prints: the plan as it would be stored, and the ids of the true steps."""
    here = [
        {"title": stage.title, "steps": [{"id": step.id, "title": step.title, "argv": step.argv} for step in steps]}
        for stage in preview.here
        for steps in ([step for track in stage.tracks for step in track],)
    ]
    document = {"plan": json.loads(plan_to_json(preview.plan)), "true_already": sorted(preview.true_already)}
    if preview.approval:
        document["approval"] = {"fingerprint": preview.approval, "people": list(preview.approved)}
    return document | ({"here": here} if here else {})
