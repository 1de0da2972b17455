"""The question that `health_script.py` is asked, and the reader of its answer. Used by every runtime."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from shipway.core.ports import Result
from shipway.core.unit import HealthCheck
from shipway.runtimes.health_script import likely_cause

MAX_ANSWER_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Target:
    """Where a unit is asked: `socket` (a path), `address` (`host:port`), or neither: then it need only stay up.

    `alive` is a command that prints which process of the unit was started last, and exits 0 while it lives (() when
    there is none). `log` is a command whose output explains a failure. `steady_s` is how long a unit without an
    address must live.
    """

    socket: str = ""
    address: str = ""
    alive: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    steady_s: float = 3.0


@dataclass(frozen=True, slots=True)
class HealthReport:
    """What a unit answered at last. `cause` is one sentence on the likely reason, "" for a healthy unit."""

    ok: bool
    status: int | None = None
    body: str = ""
    location: str = ""
    error: str = ""
    attempts: int = 0
    waited_s: float = 0.0
    cause: str = ""


def script() -> str:
    """Return the text of the script, to be sent on standard input."""
    return resources.files("shipway.runtimes").joinpath("health_script.py").read_text(encoding="utf-8")


def question(target: Target, check: HealthCheck | None, *, once: bool = False) -> str:
    """Return the argument of the script.

    `once` is for what may be true already: a single request, or just the time that a unit without an address must live.
    """
    check = check or HealthCheck()
    asked = bool(target.socket or target.address)
    body: dict[str, str | float | bool | Sequence[str]] = {
        "path": check.path,
        "host": check.host,
        "https": check.https,
        "interval_s": check.interval_s,
        "timeout_s": check.timeout_s,
        "limit_s": check.limit_s if not once else 0.0 if asked else target.steady_s + 0.5,
        "steady_s": target.steady_s,
        "alive": target.alive,
        "log": () if once else target.log,
    }
    if target.socket:
        body["socket"] = target.socket
    if target.address:
        body["address"] = target.address
    return json.dumps(body, ensure_ascii=True, sort_keys=True)


def parse(result: Result) -> HealthReport:
    """Return what the script answered; an answer that cannot be read is a unit that is not healthy."""
    line = next((line for line in result.stdout[:MAX_ANSWER_BYTES].splitlines() if line.startswith(b"{")), b"")
    try:
        answer = json.loads(line)
    except ValueError:
        return HealthReport(ok=False, error=result.said[-300:], cause=_unread(result))
    if not isinstance(answer, dict):
        return HealthReport(ok=False, cause=_unread(result))
    status, attempts, waited_s = answer.get("status"), answer.get("attempts"), answer.get("waited_s")
    ok = answer.get("ok") is True and result.ok
    return HealthReport(
        ok=ok,
        status=status if isinstance(status, int) else None,
        body=str(answer.get("body") or "")[:300],
        location=str(answer.get("location") or "")[:300],
        error=str(answer.get("error") or "")[:300],
        attempts=attempts if isinstance(attempts, int) else 0,
        waited_s=float(waited_s) if isinstance(waited_s, (int, float)) else 0.0,
        cause="" if ok else likely_cause(answer),
    )


def _unread(result: Result) -> str:
    if result.timed_out:
        return "the health check itself did not end in time"
    return f"the health check could not run in the release (exit status {result.status})"
