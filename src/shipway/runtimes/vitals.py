"""The question that `vitals_script.py` is asked, and the reader of its answer. Used by every runtime."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import resources

from shipway.core.ports import Result
from shipway.core.vital import HostVitals, Vital

LIMIT_S = 60.0
_MARK = "SHIPWAY VITALS "
_MAX_CHARS = 1_000_000
_TEXT = 300
_MOST = 500


def script() -> str:
    """Return the program."""
    return resources.files("shipway.runtimes").joinpath("vitals_script.py").read_text(encoding="utf-8")


def question(kind: str, watched: Mapping[str, str], **more: str | Sequence[Mapping[str, str]]) -> str:
    """Return its one argument. `watched` are regular expressions of command lines by name."""
    return json.dumps({"kind": kind, "watched": dict(watched), **more}, ensure_ascii=True, sort_keys=True)


def parse_vitals(result: Result) -> HostVitals | None:
    """Return what a host answered; None for an answer that is missing or malformed."""
    line = next((one for one in result.text.splitlines() if one.startswith(_MARK)), "")
    if result.truncated or not line or len(line) > _MAX_CHARS:
        return None
    try:
        body = json.loads(line.removeprefix(_MARK))
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict):
        return None
    watched = (pair for pair in _list(body.get("watched")) if isinstance(pair, list))
    return HostVitals(
        machine=_text(body.get("machine")),
        units=tuple(_vital(one) for one in _list(body.get("units")) if isinstance(one, dict)),
        watched=tuple((_text(pair[0]), _text(pair[1])) for pair in watched if len(pair) == 2),  # noqa: PLR2004  a pair
        now=_float(body.get("now")),
        booted_at=_float(body.get("booted")),
    )


def _vital(body: Mapping[str, object]) -> Vital:
    return Vital(
        role=_text(body.get("role")),
        release=_text(body.get("release")),
        name=_text(body.get("name")),
        machine=_text(body.get("machine")),
        is_running=body.get("running") is True,
        pid=_number(body.get("pid"), 0),
        pids=tuple(pid for pid in _list(body.get("pids")) if isinstance(pid, int)),
        started_at=_float(body.get("started")),
        restarts=_number(body.get("restarts")),
        oom_kills=_number(body.get("oom_kills")),
        memory_bytes=_number(body.get("memory")),
        limit_bytes=_number(body.get("limit")),
        said=_text(body.get("said")),
    )


def _text(value: object) -> str:
    return value[:_TEXT] if isinstance(value, str) else ""


def _number(value: object, default: int = -1) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _float(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0


def _list(value: object) -> list[object]:
    return value[:_MOST] if isinstance(value, list) else []
