"""A plan as JSON and back. What is stored is what is run: `resume` reads the stored plan, never today's tree."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import TypeAlias, cast

from shipway.core.action import Action, Command, Pipe, Upload, Wait
from shipway.core.secret import Encoding, SecretRef, Text
from shipway.core.step import Plan, Stage, Step, Verb

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
FORMAT = 1


class PlanFormatError(ValueError):
    """The text is not a plan that this version of Shipway wrote."""


def plan_to_json(plan: Plan) -> str:
    """Return `plan` as JSON text; equal plans give equal text."""
    return json.dumps(_plan(plan), ensure_ascii=True, separators=(",", ":"), sort_keys=True)


def plan_fingerprint(plan: Plan) -> str:
    """Return twelve hex digits that change with anything that the plan would do; its run id does not count."""
    body = _plan(plan)
    body.pop("run", None)
    text = json.dumps(body, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def plan_from_json(text: str) -> Plan:
    """Return the plan that `text` holds. Raises PlanFormatError for anything else."""
    try:
        body = json.loads(text)
        if body["format"] != FORMAT:
            raise PlanFormatError(f"plan format {body['format']!r}, this version reads {FORMAT}")
        return Plan(
            run=body["run"],
            verb=cast("Verb", body["verb"]),
            service=body["service"],
            release=body["release"],
            version=body["version"],
            base=body["base"],
            primary=body["primary"],
            stages=tuple(_stage_from(stage) for stage in body["stages"]),
            notes=tuple(body["notes"]),
            is_partial=bool(body.get("partial", False)),
        )
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise PlanFormatError(f"not a stored plan: {error}") from error


def _plan(plan: Plan) -> dict[str, Json]:
    return {
        "format": FORMAT,
        "run": plan.run,
        "verb": plan.verb,
        "service": plan.service,
        "release": plan.release,
        "version": plan.version,
        "base": plan.base,
        "primary": plan.primary,
        "stages": [_stage(stage) for stage in plan.stages],
        "notes": list(plan.notes),
        "partial": plan.is_partial,
    }


def _stage(stage: Stage) -> dict[str, Json]:
    return {
        "title": stage.title,
        "width": stage.width,
        "commits": stage.commits,
        "tracks": [[_step(step) for step in track] for track in stage.tracks],
        **({"verifies": list(stage.verifies)} if stage.verifies else {}),
    }


def _stage_from(body: Mapping[str, Json]) -> Stage:
    tracks = cast("list[list[dict[str, Json]]]", body["tracks"])
    return Stage(
        title=cast("str", body["title"]),
        tracks=tuple(tuple(_step_from(step) for step in track) for track in tracks),
        width=cast("int", body["width"]),
        commits=cast("bool", body["commits"]),
        verifies=tuple(cast("list[str]", body.get("verifies", []))),
    )


def _step(step: Step) -> dict[str, Json]:
    return {
        "id": step.id,
        "title": step.title,
        "host": step.host,
        "do": [_action(action) for action in step.do],
        "done": None if step.done is None else _action(step.done),
        "undo": [_action(action) for action in step.undo],
        "repeatable": step.repeatable,
        "harmless": step.harmless,
    }


def _step_from(body: Mapping[str, Json]) -> Step:
    done = body["done"]
    return Step(
        id=cast("str", body["id"]),
        title=cast("str", body["title"]),
        host=cast("str", body["host"]),
        do=_actions_from(body["do"]),
        done=None if done is None else _command_from(cast("dict[str, Json]", done)),
        undo=_actions_from(body["undo"]),
        repeatable=cast("bool", body["repeatable"]),
        harmless=cast("bool", body["harmless"]),
    )


def _action(action: Action) -> dict[str, Json]:
    match action:
        case Command(argv=argv, stdin=stdin, sudo=sudo, limit_s=limit_s):
            return {"do": "command", "argv": list(argv), "stdin": _text(stdin), "sudo": sudo, "limit_s": limit_s}
        case Upload(path=path, body=body, mode=mode, sudo=sudo):
            return {"do": "upload", "path": path, "body": _text(body), "mode": mode, "sudo": sudo}
        case Wait(until=until, every_s=every_s, limit_s=limit_s):
            return {"do": "wait", "until": _action(until), "every_s": every_s, "limit_s": limit_s}
        case Pipe(source=source, sink=sink):
            return {"do": "pipe", "source": _action(source), "sink": _action(sink)}


def _actions_from(body: Json) -> tuple[Action, ...]:
    return tuple(_ACTIONS[cast("str", item["do"])](item) for item in cast("list[dict[str, Json]]", body))


def _command_from(body: Mapping[str, Json]) -> Command:
    return Command(
        argv=tuple(cast("list[str]", body["argv"])),
        stdin=_text_from(body["stdin"]),
        sudo=cast("bool", body["sudo"]),
        limit_s=cast("float", body["limit_s"]),
    )


def _upload_from(body: Mapping[str, Json]) -> Upload:
    mode = cast("int", body["mode"])
    return Upload(cast("str", body["path"]), _text_from(body["body"]), mode, cast("bool", body["sudo"]))


def _wait_from(body: Mapping[str, Json]) -> Wait:
    until = _command_from(cast("dict[str, Json]", body["until"]))
    return Wait(until, cast("float", body["every_s"]), cast("float", body["limit_s"]))


def _pipe_from(body: Mapping[str, Json]) -> Pipe:
    source, sink = cast("dict[str, Json]", body["source"]), cast("dict[str, Json]", body["sink"])
    return Pipe(_command_from(source), _command_from(sink))


_ACTIONS: Mapping[str, Callable[[Mapping[str, Json]], Action]] = {
    "command": _command_from,
    "upload": _upload_from,
    "wait": _wait_from,
    "pipe": _pipe_from,
}


def _text(text: Text) -> list[Json]:
    return [part if isinstance(part, str) else {"secret": part.name, "encoding": part.encoding} for part in text]


def _text_from(body: Json) -> Text:
    parts = cast("list[str | dict[str, str]]", body)
    return tuple(
        part if isinstance(part, str) else SecretRef(part["secret"], cast("Encoding", part["encoding"]))
        for part in parts
    )
