"""What a container is asked before it is taken for working: HTTP, a Celery worker's own word, or only time."""

from __future__ import annotations

import json
import re

from shipway.core.unit import Unit
from shipway.runtimes import health
from shipway.runtimes.docker.settings import DockerSettings

_CELERY = re.compile(r"(?:^|[\s/;&'\"])celery\b(?P<rest>.*)", re.DOTALL)
_WORKER = re.compile(r"\bworker\b")
_BEAT = re.compile(r"\bbeat\b")
_APP = re.compile(r"(?:^|\s)(?:-A\s*|--app[=\s])([A-Za-z_][A-Za-z0-9_.:]*)")
_NODE = re.compile(r"(?:^|\s)(?:-n\s*|--hostname[=\s])['\"]?([A-Za-z0-9_.%@-]+)")
READY = r"\S+@\S+ ready\.\s*$"  # celery/worker/consumer/consumer.py, on_ready; at the level INFO
BEAT_STARTS = r"beat: Starting\.\.\.\s*$"  # celery/beat.py, Service.start; what fails does so just after it
BEAT_SETTLES_S = 2.0


def question(unit: Unit, settings: DockerSettings, *, once: bool = False) -> str:
    """Return the argument of `prove_script.py` for a unit."""
    body: dict[str, object] = {"limit_s": settings.deploy_limit_s, "steady_s": settings.readiness_s}
    if once:
        body["once"] = True
    if unit.proxied and unit.health is not None:
        target = health.Target(address=f":{settings.role(unit.role).app_port}")
        body["health"] = json.loads(health.question(target, unit.health, once=once))
        body["limit_s"] = unit.health.limit_s
    else:
        body.update(_celery(unit.cmd))
    return json.dumps(body, sort_keys=True)


def _celery(cmd: str) -> dict[str, object]:
    """Return how a Celery process is asked; nothing for other commands."""
    match = _CELERY.search(cmd)
    if match is None:
        return {}
    rest, app = match["rest"], _APP.search(match["rest"])
    if _WORKER.search(rest) and app is not None:
        return {"ready": READY, "ping": _ping(app[1], rest)}
    if _WORKER.search(rest):
        return {"ready": READY}
    return {"ready": BEAT_STARTS, "settle_s": BEAT_SETTLES_S} if _BEAT.search(rest) else {}


def _ping(app: str, rest: str) -> tuple[str, ...]:
    """Return the words that ask the worker of this very container, whatever it calls itself."""
    named = _NODE.search(rest)
    node = named[1] if named else "celery@%h"
    node = node if "@" in node else f"{node}@%h"  # celery/utils/nodenames.py, host_format
    node = node.replace("%h", "{hostname}").replace("%n", "celery").replace("%d", "")
    return ("celery", "-A", app, "inspect", "ping", "-d", node, "--timeout", "3")
