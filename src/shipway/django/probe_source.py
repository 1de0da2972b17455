"""The probe as one program: what is sent on the standard input of `python -` in a release.

Pure: the parts of `shipway.django.probe` in, text out. The program holds its worker as a string, so that the token of
the answer's markers exists in the supervising process only, where no code of the project runs.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from types import ModuleType

from shipway.django.probe import (
    columns,
    common,
    constraints,
    database,
    facts,
    live,
    own_code,
    project,
    queued,
    queued_redis,
    supervisor,
    tasks,
    walk,
    worker,
)

SECTIONS = ("settings", "apps", "databases", "tasks", "packages", "checks", "caches", "storage")
WORKER_PARTS = (
    common,
    project,
    facts,
    database,
    live,
    constraints,
    columns,
    own_code,
    walk,
    tasks,
    queued_redis,
    queued,
    worker,
)
_OURS = re.compile(r"^from shipway\.django\.probe[\w.]* import (\([^)]*\)|[^\n(]*)\n", re.MULTILINE)
_FUTURE = re.compile(r"^from __future__ import annotations\n", re.MULTILINE)
TOKEN = re.compile(r"[0-9a-f]{16,64}")


@dataclass(frozen=True, slots=True)
class ProbeOptions:
    """What is asked of a probe.

    `want` names sections. `connect`: ask the databases; without, column types are told as far as they can be.
    `limit_s` ends the whole, `section_s` one section, `ask_s` one question to a service. An answer of more than
    `limit_bytes` is cut off; 32 MB is ten times that of the largest project measured (300 migrations: under 1 MB).
    `packed`: the answer is compressed, for a way that keeps a bounded part of what a command prints. The section
    `queued`, not asked for by default, waits up to `wait_s` while tasks of `watch` (framework, name) are queued.
    """

    manage: str = "manage.py"
    want: tuple[str, ...] = SECTIONS
    connect: bool = True
    limit_s: float = 120.0
    section_s: float = 60.0
    ask_s: float = 10.0
    limit_bytes: int = 32_000_000
    packed: bool = False
    wait_s: float = 0.0
    watch: tuple[tuple[str, str], ...] = ()


def build_probe(token: str, options: ProbeOptions) -> str:
    """Return the program. `token` is 16 to 64 random hex digits, new for each call. Raises ValueError for another."""
    if not TOKEN.fullmatch(token):
        raise ValueError("a token is 16 to 64 hex digits")
    told = json.dumps(asdict(options))
    worker_text = f"{joined(WORKER_PARTS)}\nwork(json.loads({told!r}))\n"
    return f"{joined((supervisor,))}\nsupervise({token!r}, json.loads({told!r}), {worker_text!r})\n"


def markers(token: str) -> tuple[str, str]:
    """Return the lines between which the answer to a probe with `token` stands."""
    return f"-----BEGIN SHIPWAY PROBE {token}-----", f"-----END SHIPWAY PROBE {token}-----"


def joined(parts: Iterable[ModuleType]) -> str:
    """Return modules of `shipway.django.probe` as one program text."""
    bodies = [_FUTURE.sub("", _OURS.sub("", inspect.getsource(part))) for part in parts]
    return "from __future__ import annotations\n" + "\n".join(bodies)
